package dist

// EXIT_TT is EXIT with a trace token, which stands before the reason.
func (c *Control) writeExitTT(w *tupleWriter) {
	w.pid(c.From)
	w.pid(c.To)
	w.term(c.Token)
	w.term(c.Reason)
}

func (c *Control) readExitTT(r *tupleReader) {
	c.From = r.pid("From")
	c.To = r.pid("To")
	c.Token = r.term("trace token")
	c.Reason = r.term("reason")
}
