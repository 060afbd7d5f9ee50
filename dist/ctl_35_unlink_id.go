package dist

// UNLINK_ID unlinks From from To. To answers with op 36 and the same ID before any
// other signal, linked or not.
func (c *Control) writeUnlinkID(w *tupleWriter) {
	w.unlinkID(c.ID)
	w.pid(c.From)
	w.pid(c.To)
}

func (c *Control) readUnlinkID(r *tupleReader) {
	c.ID = r.unlinkID()
	c.From = r.pid("From")
	c.To = r.pid("To")
}
