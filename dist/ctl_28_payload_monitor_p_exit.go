package dist

// PAYLOAD_MONITOR_P_EXIT is MONITOR_P_EXIT with the reason as payload.
func (c *Control) writePayloadMonitorPExit(w *tupleWriter) {
	w.pidOrName(c.From, c.FromName)
	w.pid(c.To)
	w.ref(c.Ref)
}

func (c *Control) readPayloadMonitorPExit(r *tupleReader) {
	c.From, c.FromName = r.pidOrName("From")
	c.To = r.pid("To")
	c.Ref = r.ref("reference")
}
