package dist

// EXIT2 is exit(To, Reason) called by From, link or not. Nodes that negotiated
// EXIT_PAYLOAD use op 26.
func (c *Control) writeExit2(w *tupleWriter) {
	w.pid(c.From)
	w.pid(c.To)
	w.term(c.Reason)
}

func (c *Control) readExit2(r *tupleReader) {
	c.From = r.pid("From")
	c.To = r.pid("To")
	c.Reason = r.term("reason")
}
