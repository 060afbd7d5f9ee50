package dist

// SEND_TT is SEND with a trace token.
func (c *Control) writeSendTT(w *tupleWriter) {
	w.cookie()
	w.pid(c.To)
	w.term(c.Token)
}

func (c *Control) readSendTT(r *tupleReader) {
	r.skip("cookie")
	c.To = r.pid("To")
	c.Token = r.term("trace token")
}
