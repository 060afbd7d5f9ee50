package dist

// PAYLOAD_EXIT_TT is PAYLOAD_EXIT with a trace token.
func (c *Control) writePayloadExitTT(w *tupleWriter) {
	w.pid(c.From)
	w.pid(c.To)
	w.term(c.Token)
}

func (c *Control) readPayloadExitTT(r *tupleReader) {
	c.From = r.pid("From")
	c.To = r.pid("To")
	c.Token = r.term("trace token")
}
