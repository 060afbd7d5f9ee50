package dist

// SEND_SENDER carries a message from From to To.
func (c *Control) writeSendSender(w *tupleWriter) {
	w.pid(c.From)
	w.pid(c.To)
}

func (c *Control) readSendSender(r *tupleReader) {
	c.From = r.pid("From")
	c.To = r.pid("To")
}
