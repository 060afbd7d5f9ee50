package dist

// PAYLOAD_EXIT is EXIT with the reason as payload.
func (c *Control) writePayloadExit(w *tupleWriter) {
	w.pid(c.From)
	w.pid(c.To)
}

func (c *Control) readPayloadExit(r *tupleReader) {
	c.From = r.pid("From")
	c.To = r.pid("To")
}
