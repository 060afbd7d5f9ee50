package dist

// DEMONITOR_P ends the monitor Ref. To or ToName is what MONITOR_P had.
func (c *Control) writeDemonitorP(w *tupleWriter) {
	w.pid(c.From)
	w.pidOrName(c.To, c.ToName)
	w.ref(c.Ref)
}

func (c *Control) readDemonitorP(r *tupleReader) {
	c.From = r.pid("From")
	c.To, c.ToName = r.pidOrName("To")
	c.Ref = r.ref("reference")
}
