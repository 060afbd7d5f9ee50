package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/dist"
	"github.com/truss-beam/truss/epmd"
)

// joinFlags are those of every command that visits a node.
type joinFlags struct {
	name    string
	cookie  string
	epmd    string
	addr    string
	timeout time.Duration
}

func (j *joinFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SortFlags = false
	registerCookie(cmd, &j.cookie)
	flags.StringVar(&j.name, "name", "", "`name` to connect under, with or without @host\n(default truss- and random digits)")
	flags.StringVar(&j.epmd, "epmd", "", "`address` of the epmd to ask for the node's port:\nHOST, PORT or HOST:PORT (default the node's host,\nport ERL_EPMD_PORT, else 4369)")
	flags.StringVar(&j.addr, "addr", "", "`address` where the node listens, HOST:PORT, to\nconnect without an epmd")
	registerTimeout(cmd, &j.timeout)
}

func registerCookie(cmd *cobra.Command, cookie *string) {
	cmd.Flags().StringVar(cookie, "cookie", "", "`cookie` of the cluster, which others on this\nmachine can see if it is given here (default\nTRUSS_COOKIE, else RELEASE_COOKIE, else the\ncontent of ~/.erlang.cookie)")
}

func registerTimeout(cmd *cobra.Command, timeout *time.Duration) {
	cmd.Flags().DurationVar(timeout, "timeout", 10*time.Second, "give up after this `time`, all in all")
}

// cookieOr is the cookie asked for; "" leaves it to truss.Config.
func cookieOr(flag string) string {
	if flag != "" {
		return flag
	}
	return os.Getenv("TRUSS_COOKIE")
}

// errTimeout is the cause of a context that --timeout ended.
var errTimeout = errors.New("timed out")

// limit gives ctx the time that --timeout allows.
func limit(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc, error) {
	if timeout <= 0 {
		return nil, nil, usage("--timeout %v allows no time at all", timeout)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, errTimeout)
	return ctx, cancel, nil
}

// visit is a connection to one node, of a hidden node made for it.
type visit struct {
	node    *truss.Node
	peer    string
	epmd    epmdAddress // to ask for other nodes
	timeout time.Duration
	took    time.Duration // to connect
}

// visit connects to a node, does something there, and leaves.
func (j *joinFlags) visit(ctx context.Context, t *terminal, peer string, do func(context.Context, *visit) error) (err error) {
	if err := dist.CheckName(peer); err != nil {
		return usage("%w, for example app@127.0.0.1", err)
	}
	name, err := ownName(j.name, peer)
	if err != nil {
		return err
	}
	address, err := parseEpmd(j.epmd)
	if err != nil {
		return err
	}
	if j.addr != "" {
		if _, _, err := net.SplitHostPort(j.addr); err != nil {
			return usage("--addr %s is no HOST:PORT", j.addr)
		}
	}
	ctx, cancel, err := limit(ctx, j.timeout)
	if err != nil {
		return err
	}
	defer cancel()
	node, err := truss.Start(ctx, truss.Config{
		Name: name, Cookie: cookieOr(j.cookie), Hidden: true, NoListen: true, AutoConnect: truss.AutoConnectNever, Logger: t.logger(),
	})
	if err != nil {
		return startFailed(err)
	}
	defer func() { err = errors.Join(err, node.Close()) }()
	v := &visit{node: node, peer: peer, epmd: address, timeout: j.timeout}
	if err := v.connect(ctx, j.addr); err != nil {
		return err
	}
	return do(ctx, v)
}

// startFailed explains why there is no node. The library speaks of its Config,
// where the user has flags.
func startFailed(err error) error {
	var failed *failure // of Config.Setup
	if errors.As(err, &failed) {
		return failed
	}
	text := strings.NewReplacer("Config.Cookie", "--cookie, TRUSS_COOKIE", "Config.Name", "--name").Replace(err.Error())
	hint := ""
	switch {
	case errors.Is(err, epmd.ErrNameTaken):
		hint = "choose another --name; those that are taken: truss names"
	case errors.Is(err, epmd.ErrUnreachable):
		hint = "start one with truss epmd --daemon, or leave out --epmd to have the node serve one"
	case errors.Is(err, syscall.EADDRINUSE):
		hint = "another program listens there"
	}
	return &failure{code: exitFailed, doing: "cannot start a node", err: explained{text, err}, hint: hint}
}

// explained is an error in other words.
type explained struct {
	text string
	err  error
}

func (e explained) Error() string { return e.text }
func (e explained) Unwrap() error { return e.err }

func (v *visit) connect(ctx context.Context, addr string) error {
	begin := time.Now()
	from := "epmd"
	if addr != "" {
		from = "--addr"
	} else {
		var err error
		if addr, err = v.epmd.locate(ctx, v.peer); err != nil {
			return v.failed(ctx, "cannot connect to "+v.peer, err, epmdHint(err))
		}
	}
	if err := v.node.ConnectAddr(ctx, v.peer, addr); err != nil {
		hint, err := connectFailed(err, addr, from)
		return v.failed(ctx, "cannot connect to "+v.peer, err, hint)
	}
	v.took = time.Since(begin)
	return nil
}

// connectFailed says what to do about a node that was located and could not be
// connected to, and why that is.
func connectFailed(err error, addr, from string) (hint string, why error) {
	if err == nil {
		return "", nil
	}
	err = connectCause(err)
	var network *net.OpError
	var handshake *dist.HandshakeError
	if errors.As(err, &handshake) {
		err = explained{handshake.Err.Error(), err}
	}
	switch {
	case errors.Is(err, dist.ErrCookie):
		return "give the cookie of the cluster with --cookie, TRUSS_COOKIE or RELEASE_COOKIE", err
	case errors.As(err, &network) && network.Op == "dial":
		return "the node may just have ended, or a firewall be in between",
			fmt.Errorf("nothing answers at %s, where it listens according to %s: %w", addr, from, network.Err)
	}
	return "", err
}

// connectCause takes the sentence "no connection to NODE: noconnection" off an
// error of the node, which the failure says already.
func connectCause(err error) error {
	var several interface{ Unwrap() []error }
	if errors.Is(err, truss.ErrNoConnection) && errors.As(err, &several) {
		causes := several.Unwrap()
		return causes[len(causes)-1]
	}
	return err
}

// failed makes the failure of a step, whose error counts for nothing if the time
// was up or the user gave up.
func (v *visit) failed(ctx context.Context, doing string, err error, hint string) error {
	return stepFailed(ctx, doing, v.peer, v.timeout, err, hint)
}

func stepFailed(ctx context.Context, doing, node string, timeout time.Duration, err error, hint string) error {
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errTimeout):
		err, hint = fmt.Errorf("%w after %v", errTimeout, timeout), "--timeout allows more"
	case cause != nil:
		err, hint = explained{"interrupted", cause}, ""
	}
	return &failure{code: exitFailed, doing: doing, node: node, err: err, hint: hint}
}
