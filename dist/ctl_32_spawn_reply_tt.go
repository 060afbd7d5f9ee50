package dist

// SPAWN_REPLY_TT is SPAWN_REPLY with a trace token.
func (c *Control) writeSpawnReplyTT(w *tupleWriter) {
	w.ref(c.Ref)
	w.pid(c.To)
	w.uint(c.Flags)
	w.term(c.Result)
	w.term(c.Token)
}

func (c *Control) readSpawnReplyTT(r *tupleReader) {
	c.Ref = r.ref("reference")
	c.To = r.pid("To")
	c.Flags = r.uint("flags")
	c.Result = r.spawnResult()
	c.Token = r.term("trace token")
}
