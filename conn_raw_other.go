//go:build !unix

package truss

import "github.com/truss-beam/truss/dist"

// Only Unix has sockets that can be tried: here c.raw stays nil, and none of the others
// is called.

type descriptor struct{}

func (c *conn) openRaw()                       {}
func (c *conn) readRaw() error                 { return nil }
func (c *conn) actRaw(*Process, uintptr) error { return nil }
func (c *conn) tryWrite(*dist.Buffer) (n int)  { return 0 }
