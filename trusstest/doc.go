// Package trusstest runs clusters of Truss nodes in one test: in memory, on the
// fake clock of testing/synctest, with partitions and crashes on demand. A
// cluster that waits an hour for a net tick takes a millisecond, and does it the
// same way each time.
//
//	synctest.Test(t, func(t *testing.T) {
//		c := trusstest.New(t)
//		a, b := c.Start("a"), c.Start("b") // a@10.0.0.1, b@10.0.0.2
//		c.Connect(a, b)
//		c.Partition("a")                   // b alone on the other side
//		time.Sleep(time.Minute)            // the net tick notices
//		c.Heal()
//	})
//
// Everything is closed when the test ends, and a goroutine that is left then
// fails it: synctest reports a deadlock with its stack.
package trusstest
