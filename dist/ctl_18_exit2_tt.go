package dist

// EXIT2_TT is EXIT2 with a trace token, which stands before the reason.
func (c *Control) writeExit2TT(w *tupleWriter) {
	w.pid(c.From)
	w.pid(c.To)
	w.term(c.Token)
	w.term(c.Reason)
}

func (c *Control) readExit2TT(r *tupleReader) {
	c.From = r.pid("From")
	c.To = r.pid("To")
	c.Token = r.term("trace token")
	c.Reason = r.term("reason")
}
