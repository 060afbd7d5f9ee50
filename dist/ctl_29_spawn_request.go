package dist

// SPAWN_REQUEST asks for a process that applies Module:Function to the arguments in
// the payload, for From, with Leader as group leader. It must be answered by op 31,
// or callers hang. Options is a list of monitor, link and {Key, Value}; others than
// a peer knows make it answer badopt.
func (c *Control) writeSpawnRequest(w *tupleWriter) {
	w.ref(c.Ref)
	w.pid(c.From)
	w.pid(c.Leader)
	w.mfa(c.Module, c.Function, c.Arity)
	w.term(c.Options)
}

func (c *Control) readSpawnRequest(r *tupleReader) {
	c.Ref = r.ref("reference")
	c.From = r.pid("From")
	c.Leader = r.pid("group leader")
	c.Module, c.Function, c.Arity = r.mfa()
	c.Options = r.term("options")
}
