//go:build !linux

package truss

// writeBulk writes what is unwritten of the chunks. See conn_bulk_linux.go for why it could be
// more than that.
func (c *conn) writeBulk() error { return c.writeChunks() }

// keepShort is not for these systems either.
func (c *conn) keepShort(bool) {}
