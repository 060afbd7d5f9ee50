package dist

import "errors"

var errUnlink = errors.New("a peer that negotiated UNLINK_ID must not send it")

// UNLINK is how nodes unlinked before OTP 26 made UNLINK_ID mandatory: {4, From,
// To}. OTP 26 and newer close the connection on it, and so do we.
func (c *Control) readUnlink(r *tupleReader) { r.fail("forbidden", errUnlink) }
