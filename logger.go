package truss

import "log/slog"

// Logger returns the node's logger, which names the node: for what runs on it.
func (n *Node) Logger() *slog.Logger { return n.log }
