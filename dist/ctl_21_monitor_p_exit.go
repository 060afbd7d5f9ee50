package dist

// MONITOR_P_EXIT tells To, which monitors it under Ref, that From or FromName
// (whichever was monitored) is gone. Nodes that negotiated EXIT_PAYLOAD use op 28.
func (c *Control) writeMonitorPExit(w *tupleWriter) {
	w.pidOrName(c.From, c.FromName)
	w.pid(c.To)
	w.ref(c.Ref)
	w.term(c.Reason)
}

func (c *Control) readMonitorPExit(r *tupleReader) {
	c.From, c.FromName = r.pidOrName("From")
	c.To = r.pid("To")
	c.Ref = r.ref("reference")
	c.Reason = r.term("reason")
}
