package dist

// ALIAS_SEND_TT is ALIAS_SEND with a trace token.
func (c *Control) writeAliasSendTT(w *tupleWriter) {
	w.pid(c.From)
	w.ref(c.Ref)
	w.term(c.Token)
}

func (c *Control) readAliasSendTT(r *tupleReader) {
	c.From = r.pid("From")
	c.Ref = r.ref("reference")
	c.Token = r.term("trace token")
}
