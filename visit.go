package truss

// Visit runs fn in the calling goroutine, on behalf of a process that exists
// until fn returns: for code that is no process and has to receive, such as the
// Down of what it monitors. Node.Call is made like this. It costs no goroutine.
//
// The error is fn's, or ErrClosed. Receives within fail when the node closes.
func (n *Node) Visit(fn func(p *Process) error) error {
	p := n.newVisitor()
	if err := n.processes.add(p); err != nil {
		return err
	}
	defer p.leave()
	return fn(p)
}
