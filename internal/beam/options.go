package beam

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Options says what node to start. The zero value is a visible node with a
// fresh name at 127.0.0.1, reachable without epmd on a free port.
type Options struct {
	// Name is the full name, "a@127.0.0.1"; empty for a fresh one. A host part
	// that is an IP address is also the address the node listens on, an IPv6
	// address selects -proto_dist inet6_tcp. Any other host part listens on
	// 127.0.0.1.
	Name   string
	Short  bool   // -sname instead of -name
	Cookie string // empty for DefaultCookie
	Hidden bool

	// EPMD is the port of the epmd to register at. Without one the node uses no
	// epmd: it listens on Port and expects every peer at that port of its host
	// (OTP's -erl_epmd_port). Port 0 takes a free one.
	EPMD, Port int

	Kernel map[string]string // parameters of the application kernel, as Erlang terms
	Args   []string          // more arguments for erl; under Elixir none may contain a space
	Env    []string          // more environment, KEY=VALUE

	// Namespace is the network namespace to run in, by its name of ip-netns(8):
	// another host, to the network.
	Namespace string

	// Elixir starts the node with the launcher elixir instead of erl; EvalElixir
	// needs it.
	Elixir bool
}

// DefaultCookie is the cookie of nodes whose Options name none.
const DefaultCookie = "truss_interop"

// withDefaults fills what was left out.
func (o Options) withDefaults() (Options, error) {
	if o.Name == "" {
		o.Name = fmt.Sprintf("beam%08x@127.0.0.1", rand.Uint32())
	}
	if o.Cookie == "" {
		o.Cookie = DefaultCookie
	}
	if o.EPMD == 0 && o.Port == 0 {
		port, err := freePort()
		if err != nil {
			return o, err
		}
		o.Port = port
	}
	return o, nil
}

// address is the loopback address the node listens on.
func (o Options) address() netip.Addr {
	_, host, _ := strings.Cut(o.Name, "@")
	if address, err := netip.ParseAddr(host); err == nil {
		return address
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1})
}

// switches are the arguments common to erl and elixir.
func (o Options) switches() []string {
	// Descriptor 0 is left alone: with -noshell only, OTP 25 reads it.
	args := []string{"-noinput", "-start_epmd", "false"}
	if o.address().Is6() {
		args = append(args, "-proto_dist", "inet6_tcp")
	}
	if o.EPMD == 0 {
		args = append(args, "-erl_epmd_port", strconv.Itoa(o.Port))
	}
	args = append(args, "-kernel", "inet_dist_use_interface", erlangAddress(o.address()))
	for _, key := range sortedKeys(o.Kernel) {
		args = append(args, "-kernel", key, o.Kernel[key])
	}
	return append(args, o.Args...)
}

// erlang is the argument list of erl, elixir that of elixir. Both run the agent,
// which waits in an environment variable because elixir would split it at every
// space.
func (o Options) erlang() []string {
	name := "-name"
	if o.Short {
		name = "-sname"
	}
	args := []string{"-noshell", name, o.Name, "-setcookie", o.Cookie}
	if o.Hidden {
		args = append(args, "-hidden")
	}
	args = append(args, o.switches()...)
	return append(args, "-eval",
		`{ok, Tokens, _} = erl_scan:string(os:getenv("`+agentVariable+`")), {ok, Agent} = erl_parse:parse_exprs(Tokens), erl_eval:exprs(Agent, []).`)
}

func (o Options) elixir() []string {
	name := "--name"
	if o.Short {
		name = "--sname"
	}
	args := []string{name, o.Name, "--cookie", o.Cookie, "--erl", strings.Join(o.switches(), " ")}
	if o.Hidden {
		args = append(args, "--hidden")
	}
	return append(args, "--no-halt", "-e",
		`{:ok, tokens, _} = :erl_scan.string(:os.getenv(~c"`+agentVariable+`")); {:ok, agent} = :erl_parse.parse_exprs(tokens); :erl_eval.exprs(agent, [])`)
}

// erlangAddress prints an address as an Erlang tuple.
func erlangAddress(address netip.Addr) string {
	var parts []string
	if address.Is4() {
		for _, b := range address.As4() {
			parts = append(parts, strconv.Itoa(int(b)))
		}
	} else {
		for pair := range slices.Chunk(address.AsSlice(), 2) {
			parts = append(parts, strconv.Itoa(int(pair[0])<<8|int(pair[1])))
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func sortedKeys(m map[string]string) []string {
	var keys []string
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
