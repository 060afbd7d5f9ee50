package dist

// SEND_SENDER_TT is SEND_SENDER with a trace token.
func (c *Control) writeSendSenderTT(w *tupleWriter) {
	w.pid(c.From)
	w.pid(c.To)
	w.term(c.Token)
}

func (c *Control) readSendSenderTT(r *tupleReader) {
	c.From = r.pid("From")
	c.To = r.pid("To")
	c.Token = r.term("trace token")
}
