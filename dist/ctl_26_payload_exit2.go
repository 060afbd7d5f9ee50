package dist

// PAYLOAD_EXIT2 is EXIT2 with the reason as payload.
func (c *Control) writePayloadExit2(w *tupleWriter) {
	w.pid(c.From)
	w.pid(c.To)
}

func (c *Control) readPayloadExit2(r *tupleReader) {
	c.From = r.pid("From")
	c.To = r.pid("To")
}
