package dist

// ALIAS_SEND carries a message from From to the process that has the alias Ref.
func (c *Control) writeAliasSend(w *tupleWriter) {
	w.pid(c.From)
	w.ref(c.Ref)
}

func (c *Control) readAliasSend(r *tupleReader) {
	c.From = r.pid("From")
	c.Ref = r.ref("reference")
}
