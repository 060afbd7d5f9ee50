// Package discoverytest has the tests that every [discovery.Strategy] must pass, whoever wrote it.
//
// A strategy's package hands [Run] a function that makes the strategy over a source (a name server, a list, an API) in
// which the given peers are:
//
//	func TestConformance(t *testing.T) {
//		discoverytest.Run(t, func(t *testing.T, names []string) discoverytest.Harness {
//			srv := startServer(t, names)
//			return discoverytest.Harness{Strategy: my.Strategy{URL: srv.URL}, Set: srv.Set, Fail: srv.Fail}
//		})
//	}
//
// The suite never sleeps: it waits for reports, and gives up on a strategy that is silent for half a minute. One whose
// source is in memory can be run by [RunSynctest] as well, on fake time; that also finds goroutines left behind.
package discoverytest
