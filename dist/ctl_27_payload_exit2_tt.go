package dist

// PAYLOAD_EXIT2_TT is PAYLOAD_EXIT2 with a trace token.
func (c *Control) writePayloadExit2TT(w *tupleWriter) {
	w.pid(c.From)
	w.pid(c.To)
	w.term(c.Token)
}

func (c *Control) readPayloadExit2TT(r *tupleReader) {
	c.From = r.pid("From")
	c.To = r.pid("To")
	c.Token = r.term("trace token")
}
