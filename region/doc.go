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
// A call for a region that has no node waits, as long as it may, until some node has
// told its region and all that are connected have been asked, where Fly.RPC says at
// once that there is none. Of several nodes in a region the one that answers fastest
// is called, not any; if it surely has not run the function (rpc.NotSent), the next.
// A node that does not answer the question for its region is asked again. An error
// names the regions that are known, and the nodes that have told none.
package region
