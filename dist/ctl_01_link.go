package dist

// LINK links From to To. To answers with an exit signal, reason noproc, if it does
// not exist.
func (c *Control) writeLink(w *tupleWriter) {
	w.pid(c.From)
	w.pid(c.To)
}

func (c *Control) readLink(r *tupleReader) {
	c.From = r.pid("From")
	c.To = r.pid("To")
}
