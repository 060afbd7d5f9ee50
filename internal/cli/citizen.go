package cli

import (
	"cmp"
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/global"
	"github.com/truss-beam/truss/pubsub"
	"github.com/truss-beam/truss/region"
)

// citizenFlags say what a truss node takes part in besides what every node does.
type citizenFlags struct {
	name   string   // to register globally
	groups []string // SCOPE/GROUP
	topics []string // PUBSUB/TOPIC
	region string
}

func (f *citizenFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.name, "global", "", "register echo under a global `name`")
	flags.StringArrayVar(&f.groups, "pg", nil, "have echo join a process group, `scope/group`; may be\ngiven several times")
	flags.StringArrayVar(&f.topics, "pubsub", nil, "print what is broadcast on a topic of a PubSub,\n`name/topic`; may be given several times")
	flags.StringVar(&f.region, "region", "", "say that the node is in a `region`, and learn where\nothers are (default FLY_REGION, else MY_REGION)")
}

// check is what can be said about the flags before there is a node.
func (f *citizenFlags) check(hidden bool) error {
	if hidden && f.name != "" {
		return usage("--global is of no use with --hidden: a hidden node shares no names")
	}
	for _, text := range f.groups {
		if _, _, ok := cutPair(text); !ok {
			return usage("--pg %s is no SCOPE/GROUP", text)
		}
	}
	for _, text := range f.topics {
		if _, _, ok := cutPair(text); !ok {
			return usage("--pubsub %s is no NAME/TOPIC", text)
		}
	}
	return nil
}

// cutPair splits A/B at the first slash.
func cutPair(text string) (a, b string, ok bool) {
	a, b, _ = strings.Cut(text, "/")
	return a, b, a != "" && b != ""
}

// citizen is a node with the services of a BEAM: global always, for the global:sync/0
// of its peers would wait for it in vain otherwise, and what else was asked for.
type citizen struct {
	node    *truss.Node
	heard   inbox                  // what is broadcast
	events  <-chan truss.NodeEvent // from the first peer on
	global  *global.Global
	scopes  *scopes
	pubsubs map[string]*pubsub.PubSub
	regions *region.Regions // nil without a region
}

// start is for truss.Config's Setup: whoever connects finds all of it. ctx bounds
// the life of the node.
func (c *citizen) start(ctx context.Context, node *truss.Node, f *citizenFlags) (err error) {
	c.node, c.scopes, c.pubsubs = node, newScopes(node), map[string]*pubsub.PubSub{}
	c.events = node.Events(ctx)
	if c.global, err = global.Start(node, global.Config{}); err != nil {
		return err
	}
	if err := node.Export("pg", c.scopes.functions()); err != nil {
		return err
	}
	echo, err := node.Serve("echo", echo{node})
	if err != nil {
		return err
	}
	if err := exportModule(node); err != nil {
		return err
	}
	if err := serveRPC(node); err != nil {
		return err
	}
	return c.join(ctx, f, echo)
}

// leaveLimit is how long a node that ends may take to leave the cluster.
const leaveLimit = 3 * time.Second

// leave disconnects from the others as a node does that ends on purpose: one that
// was lost they would tell each other about, and keep out.
func (c *citizen) leave() error {
	if c.regions != nil {
		c.regions.Close()
	}
	for _, ps := range c.pubsubs {
		_ = ps.Close() // never fails
	}
	ctx, cancel := context.WithTimeout(context.Background(), leaveLimit)
	defer cancel()
	err := c.global.Close(ctx)
	if errors.Is(err, truss.ErrClosed) {
		return nil
	}
	return err
}

// join does what the flags say, for a process.
func (c *citizen) join(ctx context.Context, f *citizenFlags, p *truss.Process) error {
	if err := c.settle(f.region); err != nil {
		return err
	}
	if f.name != "" {
		// Of two nodes with the same name that meet, one loses it. Its process shall
		// live on: killing it, as is usual, would leave a node without echo.
		if err := c.global.RegisterName(ctx, etf.Atom(f.name), p.PID(), global.RandomNotifyName()); err != nil {
			return &failure{code: exitFailed, doing: "cannot register " + f.name, err: err, hint: "truss global NODE says who has which name"}
		}
	}
	for _, text := range f.groups {
		scope, group, _ := cutPair(text)
		s, err := c.scopes.start(scope)
		if err == nil {
			err = s.Join(etf.Atom(group), p.PID())
		}
		if err != nil {
			return &failure{code: exitFailed, doing: "cannot join " + text, err: err}
		}
	}
	for _, text := range f.topics {
		name, topic, _ := cutPair(text)
		if err := c.subscribe(name, topic); err != nil {
			return &failure{code: exitFailed, doing: "cannot listen to " + text, err: err}
		}
	}
	return nil
}

// settle has the node be in a region, if one is named. Without, it asks nobody for
// theirs: BEAMs that have no Fly.RPC would be asked again and again.
func (c *citizen) settle(name string) (err error) {
	if cmp.Or(name, os.Getenv("FLY_REGION"), os.Getenv("MY_REGION")) == "" {
		return nil
	}
	if c.regions, err = region.Start(c.node, region.Config{Region: name}); err != nil {
		return err
	}
	return c.node.Export("truss", truss.Funcs{"call_region": c.callRegion, "regions": c.knownRegions})
}

// knownRegions are the nodes of each region that is known, the node itself included.
func (c *citizen) knownRegions() map[string][]etf.Atom {
	known := map[string][]etf.Atom{}
	for name, nodes := range c.regions.Known() {
		for _, node := range nodes {
			known[name] = append(known[name], etf.Atom(node))
		}
	}
	return known
}

// callRegion calls a function in a region, of which primary is one.
func (c *citizen) callRegion(ctx context.Context, in, module, function etf.Atom, args etf.List) (etf.Term, error) {
	name := string(in)
	if in == "primary" {
		name = region.Primary
	}
	return region.Call[etf.Term](ctx, c.regions, name, string(module), string(function), args...)
}

func (c *citizen) subscribe(name, topic string) error {
	ps := c.pubsubs[name]
	if ps == nil {
		scope, err := c.scopes.start(pubsub.Scope)
		if err != nil {
			return err
		}
		if ps, err = pubsub.Start(c.node, pubsub.Config{Name: name, Scope: scope}); err != nil {
			return err
		}
		c.pubsubs[name] = ps
		if _, err := c.node.Serve(moduleAtom(name), broadcaster{ps}); err != nil {
			return err
		}
	}
	return c.heard.subscribe(ps, name, topic)
}

// moduleAtom is the atom that Elixir means by a name: a module, or what is
// written :name there.
func moduleAtom(name string) string {
	if strings.HasPrefix(name, "Elixir.") || name[0] < 'A' || name[0] > 'Z' {
		return name
	}
	return "Elixir." + name
}

// broadcaster lets other nodes broadcast from this one, where Elixir code would do
// that by a function: a call of {broadcast, Topic, Term} replies ok, and one of
// nodes the nodes that would be sent it.
type broadcaster struct{ *pubsub.PubSub }

func (b broadcaster) HandleCall(ctx context.Context, _ truss.From, request truss.Message) (any, error) {
	if request.Tag() == "nodes" {
		nodes := etf.List{}
		for _, name := range b.Nodes() {
			nodes = append(nodes, etf.Atom(name))
		}
		return nodes, nil
	}
	elements, err := request.Elements()
	var topic string
	if err != nil || len(elements) != 3 || request.Tag() != "broadcast" || elements[1].Unmarshal(&topic) != nil {
		return etf.Tuple{etf.Atom("error"), etf.Atom("badarg")}, nil
	}
	if err := b.Broadcast(ctx, topic, elements[2]); err != nil {
		return etf.Tuple{etf.Atom("error"), err.Error()}, nil
	}
	return etf.Atom("ok"), nil
}
