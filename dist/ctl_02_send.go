package dist

// SEND carries a message to the process To, without telling from whom; nodes that
// negotiated SEND_SENDER use op 22.
func (c *Control) writeSend(w *tupleWriter) {
	w.cookie()
	w.pid(c.To)
}

func (c *Control) readSend(r *tupleReader) {
	r.skip("cookie")
	c.To = r.pid("To")
}
