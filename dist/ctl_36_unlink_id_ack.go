package dist

// UNLINK_ID_ACK tells To that From has handled its unlink ID.
func (c *Control) writeUnlinkIDAck(w *tupleWriter) {
	w.unlinkID(c.ID)
	w.pid(c.From)
	w.pid(c.To)
}

func (c *Control) readUnlinkIDAck(r *tupleReader) {
	c.ID = r.unlinkID()
	c.From = r.pid("From")
	c.To = r.pid("To")
}
