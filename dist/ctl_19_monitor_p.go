package dist

// MONITOR_P makes From monitor the process To or ToName under Ref. The answer to
// one that does not exist is op 28 (or 21), reason noproc.
func (c *Control) writeMonitorP(w *tupleWriter) {
	w.pid(c.From)
	w.pidOrName(c.To, c.ToName)
	w.ref(c.Ref)
}

func (c *Control) readMonitorP(r *tupleReader) {
	c.From = r.pid("From")
	c.To, c.ToName = r.pidOrName("To")
	c.Ref = r.ref("reference")
}
