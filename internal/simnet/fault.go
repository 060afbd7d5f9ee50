package simnet

// Partition splits the network into groups of hosts, each named by any of its
// addresses or names. Between groups everything is lost in silence, dials
// included; hosts in no group, also those made later, are one more group
// together. It replaces the partition before it and leaves Block alone.
func (n *Network) Partition(groups ...[]string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(n.group)
	for i, ids := range groups {
		for _, id := range ids {
			n.group[n.must(id)] = i + 1
		}
	}
	n.apply()
}

// Block loses everything one host sends another, and nothing of the way back.
// A dial in either direction then waits, since it needs both.
func (n *Network) Block(from, to string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.blocked[way{n.must(from), n.must(to)}] = true
	n.apply()
}

// Unblock undoes Block for one direction.
func (n *Network) Unblock(from, to string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.blocked, way{n.must(from), n.must(to)})
	n.apply()
}

// Heal ends every Partition and Block. What was sent meanwhile arrives now,
// that is after the link's latency.
func (n *Network) Heal() {
	n.mu.Lock()
	defer n.mu.Unlock()
	clear(n.group)
	clear(n.blocked)
	n.apply()
}

// Cut resets every connection between two hosts: both ends see ECONNRESET at
// once, partition or not, and bytes that had not arrived are lost.
func (n *Network) Cut(a, b string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for l := range n.between(n.must(a), n.must(b)) {
		l.cut()
	}
}

// SetLink changes both directions between two hosts, for the connections that
// exist too: what is already on its way keeps its time of arrival.
func (n *Network) SetLink(a, b string, shape Link) {
	n.mu.Lock()
	defer n.mu.Unlock()
	ha, hb := n.must(a), n.must(b)
	n.shapes[way{ha, hb}], n.shapes[way{hb, ha}] = shape, shape
	n.apply()
}

// apply tells every connection what became of its way. Needs n.mu.
func (n *Network) apply() {
	for l := range n.links {
		l.mu.Lock()
		for _, c := range l.ends {
			from, to := c.host, c.peer.host
			c.out.shape = n.shape(from, to)
			c.out.hold(!n.reaches(from, to))
		}
		l.mu.Unlock()
	}
	n.notify()
}

// reaches says whether what one host sends arrives at the other. Needs n.mu.
func (n *Network) reaches(from, to *Host) bool {
	return from == to || n.group[from] == n.group[to] && !n.blocked[way{from, to}]
}

// shape returns what lies between two hosts. Needs n.mu.
func (n *Network) shape(from, to *Host) Link {
	if from == to {
		return Link{}
	}
	if s, ok := n.shapes[way{from, to}]; ok {
		return s
	}
	return n.normal
}
