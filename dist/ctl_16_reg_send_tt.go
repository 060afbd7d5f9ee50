package dist

// REG_SEND_TT is REG_SEND with a trace token.
func (c *Control) writeRegSendTT(w *tupleWriter) {
	w.pid(c.From)
	w.cookie()
	w.atom(c.ToName)
	w.term(c.Token)
}

func (c *Control) readRegSendTT(r *tupleReader) {
	c.From = r.pid("From")
	r.skip("cookie")
	c.ToName = r.atom("name")
	c.Token = r.term("trace token")
}
