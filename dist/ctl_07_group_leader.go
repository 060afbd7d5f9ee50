package dist

// GROUP_LEADER makes From the group leader of To.
func (c *Control) writeGroupLeader(w *tupleWriter) {
	w.pid(c.From)
	w.pid(c.To)
}

func (c *Control) readGroupLeader(r *tupleReader) {
	c.From = r.pid("From")
	c.To = r.pid("To")
}
