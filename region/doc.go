// Package region calls functions in a region of a cluster that spans several, such
// as one on Fly.io: in the one with the primary database, say, or in the one where
// the user's data is. It does what Fly.RPC does for Elixir, and understands itself
// with nodes that run it.
//
//	regions, err := region.Start(node, region.Config{}) // in truss.Config.Setup
//	defer regions.Close()
//
//	row, err := region.Call[Row](ctx, regions, region.Primary, "Elixir.MyApp.Orders", "place", order)
//
// The environment says where a node is: FLY_REGION, else MY_REGION, and which region
// is the primary one: PRIMARY_REGION. A node is asked for its region when it
// connects, and forgotten when it goes. A call in the node's own region runs at once,
// on the node itself.
//
// # What differs from Fly.RPC
//
// A call made before the first nodes have been asked waits for them, where Fly.RPC
// says that there is no node in the region. Of several nodes in a region the one
// that answers fastest is called, not any; if it surely has not run the function
// (rpc.NotSent), the next. A node that does not answer the question for its region
// is asked again. An error names the regions that are known.
package region
