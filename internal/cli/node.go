package cli

import (
	"context"
	"errors"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/discovery"
	"github.com/truss-beam/truss/discovery/dns"
	"github.com/truss-beam/truss/dist"
	"github.com/truss-beam/truss/epmd"
)

// nodeFlags are those of truss node.
type nodeFlags struct {
	name, cookie string
	hidden, all  bool
	listen, epmd string
	port         uint16

	dns         string
	dnsServer   string
	dnsTypes    []string
	dnsInterval time.Duration
	targetNames bool

	citizen citizenFlags
}

func nodeCommand(t *terminal) *cobra.Command {
	var f nodeFlags
	cmd := &cobra.Command{
		Use:   "node",
		Short: "Run a node to talk to",
		Long: `Node runs a node until it is interrupted or terminated, and then leaves the
cluster cleanly. It prints, a line each:

  ready NAME             it is up: others can connect
  nodeup NAME            another node is connected
  nodedown NAME REASON   it is no more; the reason is OTP's word for it, such as
                         connection_closed or net_tick_timeout

and with --json

  {"event":"ready","node":"app@127.0.0.1","port":41234}
  {"event":"nodeup","node":"web@127.0.0.1"}
  {"event":"nodedown","node":"web@127.0.0.1","reason":"connection_closed"}

Hidden nodes are left out, as net_kernel:monitor_nodes/1 does, unless this one
is hidden or --all is given; they have "hidden":true.

The node has a process registered as echo: a gen_server call of T replies T, and
a message {Pid, T} sends T to Pid.

Other nodes can spawn the functions of its module truss, which Elixir also finds
as Truss: echo/1, add/2, sleep/1 (ms), crash/1, throw/1, exit/1, nodes/0, at/1
(the node and its argument), and loop/0, a process that sends T to Pid for each
{Pid, T} until it gets stop.

It takes part in global, so it connects to all nodes its peers are connected to,
unless it is hidden. With --global, echo gets a global name, and with --pg it is
in process groups; names and groups are atoms. With --pubsub the node is part of
a Phoenix.PubSub and prints what is broadcast on a topic, as a line

  message TOPIC TERM     {"event":"message","pubsub":…,"topic":…,"term":…}

and has a process registered as the PubSub: a call of {broadcast, Topic, Term}
has the node broadcast Term, one of nodes replies to which nodes that would go.
With --region it tells others its region as Fly.RPC does, and truss has
call_region/4 (region or primary, module, function, arguments) and regions/0,
the nodes of each region that it knows.

With --dns it stays connected to all nodes that are named after the addresses a
DNS name has, as dns_cluster does for Elixir: if this node is app@10.0.0.1 and
the name has the addresses 10.0.0.1 and 10.0.0.2, it connects to app@10.0.0.2.`,
		Example: `  truss node --name app@127.0.0.1 --cookie secret
  truss node --name app@10.0.0.1 --dns my_app.internal --json
  truss node --name app@127.0.0.1 --global calc --pubsub MyApp.PubSub/orders
  truss node --name app@127.0.0.1 --epmd none --port 9100`,
		Args: takes(),
		RunE: run(func(ctx context.Context, _ []string) error { return f.run(ctx, t) }),
	}
	f.register(cmd)
	return cmd
}

func (f *nodeFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.name, "name", "", "`name` of the node: app@10.0.0.1, or what is\nbefore the @ (default RELEASE_NODE, or on Fly.io\nwhat is usual there)")
	registerCookie(cmd, &f.cookie)
	flags.BoolVar(&f.hidden, "hidden", false, "be left out of the nodes of others")
	flags.BoolVar(&f.all, "all", false, "print what becomes of hidden nodes too")
	f.citizen.register(cmd)
	flags.StringVar(&f.dns, "dns", "", "connect to the nodes of a `query`: a DNS name, or\nseveral with commas, each with or without\nbasename@ (default DNS_CLUSTER_QUERY)")
	flags.StringVar(&f.dnsServer, "dns-server", "", "DNS server to ask, an `address` IP:PORT\n(default those of /etc/resolv.conf)")
	flags.StringSliceVar(&f.dnsTypes, "dns-type", []string{"A", "AAAA"}, "record `types`: A, AAAA, SRV")
	flags.DurationVar(&f.dnsInterval, "dns-interval", 5*time.Second, "`time` between two questions to DNS")
	flags.BoolVar(&f.targetNames, "dns-target-names", false, "call the nodes of SRV records after their target,\nas app@web-1.my_app.internal, not its address")
	flags.Uint16Var(&f.port, "port", 0, "`port` to listen on (default one that is free)")
	flags.StringVar(&f.listen, "listen", "", "`address` to listen on (default all)")
	flags.StringVar(&f.epmd, "epmd", "auto", "how nodes find each other's ports, one `way` of\nauto: use the epmd here, or else serve one;\nserve: serve one, or fail;\nHOST, PORT or HOST:PORT: use the epmd there;\nnone: all nodes listen on --port")
}

// config is the node's configuration as the flags have it.
func (f *nodeFlags) config(t *terminal) (truss.Config, error) {
	if err := f.citizen.check(f.hidden); err != nil {
		return truss.Config{}, err
	}
	address, err := f.epmdAddress()
	if err != nil {
		return truss.Config{}, err
	}
	if address == "none" && f.port == 0 {
		return truss.Config{}, usage("--epmd none needs --port: without an epmd all nodes listen on the same port")
	}
	if strings.Contains(f.name, "@") {
		if err := dist.CheckName(f.name); err != nil {
			return truss.Config{}, usage("--name %w", err)
		}
	}
	if f.listen != "" && net.ParseIP(f.listen) == nil {
		return truss.Config{}, usage("--listen %s is no IP address", f.listen)
	}
	return truss.Config{
		Name: f.name, Cookie: cookieOr(f.cookie), Hidden: f.hidden,
		Listen: f.listen, Port: int(f.port), Epmd: address, Logger: t.logger(),
	}, nil
}

// epmdAddress is --epmd as truss.Config wants it: words as they are, addresses
// with host and port.
func (f *nodeFlags) epmdAddress() (string, error) {
	switch f.epmd {
	case "", "auto", "serve", "none":
		return f.epmd, nil
	}
	address, err := parseEpmd(f.epmd)
	if err != nil {
		return "", err
	}
	if address.host == "" {
		address.host = "127.0.0.1"
		if _, host, _ := dist.SplitName(f.name); strings.Contains(host, ":") {
			address.host = "::1"
		}
	}
	if address.port == 0 {
		if address.port, err = epmd.EnvPort(); err != nil {
			return "", usage("%w", err)
		}
	}
	return net.JoinHostPort(address.host, strconv.Itoa(address.port)), nil
}

// run is the life of the node.
func (f *nodeFlags) run(ctx context.Context, t *terminal) (err error) {
	strategy, err := f.strategy()
	if err != nil {
		return err
	}
	config, err := f.config(t)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	citizen := &citizen{heard: newInbox(t.logger())}
	config.Setup = func(node *truss.Node) error { return citizen.start(ctx, node, &f.citizen) }
	node, err := truss.Start(ctx, config)
	if err != nil {
		return startFailed(err)
	}
	defer func() { err = errors.Join(err, node.Close()) }()
	defer func() { err = errors.Join(err, citizen.leave()) }()
	discovered := make(chan struct{})
	go func() {
		defer close(discovered)
		if strategy != nil {
			f.discover(ctx, cancel, t, node, *strategy)
		}
	}()
	defer func() {
		cancel(nil)
		<-discovered
	}()
	if err := f.printEvents(t, citizen); err != nil {
		return err
	}
	var failed *failure
	if errors.As(context.Cause(ctx), &failed) {
		return failed
	}
	return nil
}

// strategy is the discovery asked for, nil for none.
func (f *nodeFlags) strategy() (*dns.Strategy, error) {
	if f.dns == "" && os.Getenv("DNS_CLUSTER_QUERY") == "" {
		if f.dnsServer != "" {
			return nil, usage("--dns-server is of no use without --dns")
		}
		return nil, nil
	}
	s := &dns.Strategy{Query: f.dns, Server: f.dnsServer, Interval: f.dnsInterval, TargetNames: f.targetNames}
	if f.dnsInterval <= 0 {
		return nil, usage("--dns-interval %v is no interval", f.dnsInterval)
	}
	for _, name := range f.dnsTypes {
		s.Types = append(s.Types, dns.Type(strings.ToUpper(name)))
	}
	return s, nil
}

// discover runs discovery, and ends the command if that can never work.
func (f *nodeFlags) discover(ctx context.Context, cancel context.CancelCauseFunc, t *terminal, node *truss.Node, s dns.Strategy) {
	err := discovery.Config{Logger: t.logger()}.Run(ctx, node, s)
	if errors.Is(err, discovery.ErrConfig) {
		cancel(&failure{code: exitUsage, err: err})
	}
}
