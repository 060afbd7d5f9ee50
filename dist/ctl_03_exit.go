package dist

// EXIT tells To that its link to From broke because From exited with Reason.
// Nodes that negotiated EXIT_PAYLOAD use op 24, but may still send this for
// signals queued before the connection was up.
func (c *Control) writeExit(w *tupleWriter) {
	w.pid(c.From)
	w.pid(c.To)
	w.term(c.Reason)
}

func (c *Control) readExit(r *tupleReader) {
	c.From = r.pid("From")
	c.To = r.pid("To")
	c.Reason = r.term("reason")
}
