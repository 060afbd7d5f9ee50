package truss

// Signal returns the Down, Exit or NodeEvent that the message is, or nil if it is a
// term somebody sent: what a ReceiveMatch that waits for a Down looks at, for it
// decodes nothing.
func (m Message) Signal() any {
	if m.from == nil {
		return nil
	}
	return m.from.signal
}
