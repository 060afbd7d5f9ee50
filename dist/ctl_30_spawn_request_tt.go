package dist

// SPAWN_REQUEST_TT is SPAWN_REQUEST with a trace token.
func (c *Control) writeSpawnRequestTT(w *tupleWriter) {
	w.ref(c.Ref)
	w.pid(c.From)
	w.pid(c.Leader)
	w.mfa(c.Module, c.Function, c.Arity)
	w.term(c.Options)
	w.term(c.Token)
}

func (c *Control) readSpawnRequestTT(r *tupleReader) {
	c.Ref = r.ref("reference")
	c.From = r.pid("From")
	c.Leader = r.pid("group leader")
	c.Module, c.Function, c.Arity = r.mfa()
	c.Options = r.term("options")
	c.Token = r.term("trace token")
}
