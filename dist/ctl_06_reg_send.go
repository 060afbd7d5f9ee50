package dist

// REG_SEND carries a message to the process registered as ToName.
func (c *Control) writeRegSend(w *tupleWriter) {
	w.pid(c.From)
	w.cookie()
	w.atom(c.ToName)
}

func (c *Control) readRegSend(r *tupleReader) {
	c.From = r.pid("From")
	r.skip("cookie")
	c.ToName = r.atom("name")
}
