package truss

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/truss-beam/truss/dist"
)

// Config says what a node is called and how it behaves. The zero value is a
// node configured by its environment, as an Elixir release is: see Name and
// Cookie. Start copies it and never writes into it.
type Config struct {
	// Name is the full node name, such as "app@10.0.0.1", or only the part before
	// the @, to which this machine's host name is added. Empty means RELEASE_NODE,
	// or on Fly.io what dns_cluster's guide puts there:
	// "${FLY_APP_NAME}-${image}@${FLY_PRIVATE_IP}".
	//
	// A host part with a dot or a colon is a long name, any other a short one; as
	// in OTP, nodes of the two kinds cannot talk to each other.
	Name string

	// NameFrom is a node to ask for a name, as erl -name undefined does with the
	// first it connects to; Name then is the host part alone. Such a node is
	// connected to that one before Start returns; it is Hidden and has NoListen.
	NameFrom string

	// Cookie is the secret all nodes of a cluster share. Empty means
	// RELEASE_COOKIE, else the content of ~/.erlang.cookie.
	Cookie string

	// Cookies are the cookies of single peers, by full node name, where they
	// differ from Cookie: erlang:set_cookie/2.
	Cookies map[string]string

	// Allow, if not nil, is the only nodes that connections are accepted from and
	// made to, by full name or host: net_kernel:allow/1.
	Allow []string

	// TLS, if set, encrypts all connections, as OTP's -proto_dist inet_tls: every
	// node of the cluster has to. It is used for both directions, so it wants
	// Certificates (or GetCertificate) and RootCAs; set ClientCAs and ClientAuth to
	// ask for client certificates. Where ServerName is empty, a peer's certificate
	// must be valid for the host part of its name. Handshakes ask GetCertificate
	// anew, so certificates can change without a restart.
	TLS *tls.Config

	// TLSNames makes nodes that connect to this one show a certificate that is valid
	// for the host part of their name, as OTP's inet_tls_dist:verify_client does.
	// Those this node connects to must in any case.
	TLSNames bool

	// Hidden keeps this node out of the others' Nodes: it is connected only to
	// whom it dials and who dials it, as erl -hidden.
	Hidden bool

	// Listen is the address to accept connections on, without port: kernel's
	// inet_dist_use_interface. Empty means every address of this machine.
	Listen string

	// Port is the port to accept connections on; 0 lets the system choose. With
	// Epmd "none" it must be set, and is assumed of every peer, as OTP's
	// -erl_epmd_port is.
	Port int

	// NoListen makes a node that only dials, as erl -dist_listen false: it has no
	// port, is not in epmd, and serves none. It must be Hidden, for visible nodes
	// are expected to be reachable. Tools want this.
	NoListen bool

	// Epmd says how nodes find each other's ports:
	//
	//	"" or "auto"  use the epmd of this host, and serve one from this program
	//	              while there is none
	//	"serve"       serve epmd from this program, or fail to start
	//	"HOST:PORT"   use the epmd there, never serve
	//	"none"        no epmd: every node listens on Port
	Epmd string

	// TickTime is OTP's net_ticktime: a peer that is silent for so long is down.
	// It is not negotiated: all nodes of a cluster should have the same. Default
	// 60 s.
	TickTime time.Duration

	// SetupTime is OTP's net_setuptime: how long each step of a handshake, and the
	// dialling before it, may take. Default 7 s.
	SetupTime time.Duration

	// AutoConnect says whether a Send, Call, Monitor or Link to a node that is not
	// connected connects first: kernel's dist_auto_connect. Connect and Ping
	// always may.
	AutoConnect AutoConnect

	// SendBuffer is how many bytes may wait for one peer's socket before senders
	// wait for their context: OTP's dist_buf_busy_limit. Default 1 MiB.
	SendBuffer int

	// BusyWait is how long a process that waits for an answer looks for it without
	// sleeping, which makes a conversation with another node several times as quick and
	// takes processor time meanwhile: OTP's scheduler busy wait, erl +sbwt. One process of
	// a node does so at a time, and seldom those that it was in vain for; so does who reads
	// a connection, after something has come. Default 100 µs; negative for none, as on a
	// machine with one processor.
	BusyWait time.Duration

	// MaxMessage is the largest message, in encoded bytes, a peer may send; one
	// that sends more is disconnected. Default 256 MiB.
	MaxMessage int

	// Logger gets what happens to connections and processes. Default
	// slog.Default().
	Logger *slog.Logger

	// Stdout gets what processes print whose group leader is this node: those that
	// it starts on BEAMs, and its own. It is written by one at a time. Nil means
	// os.Stdout.
	Stdout io.Writer

	// Setup, if not nil, starts what peers are to find as soon as they are connected
	// (global, rpc, region, exports): Start calls it before it accepts the first
	// connection. Its error is Start's.
	Setup func(*Node) error

	// Network is how the node listens and dials. Nil means TCP.
	Network Network
}

// AutoConnect is when a node connects without being asked to.
type AutoConnect int

const (
	AutoConnectAlways AutoConnect = iota // whenever something is sent
	AutoConnectOnce                      // only if it never was connected before
	AutoConnectNever
)

// Network is what a node needs of a network: *net.ListenConfig's and
// *net.Dialer's methods. Tests put an in-memory one here.
type Network interface {
	Listen(ctx context.Context, network, address string) (net.Listener, error)
	Dial(ctx context.Context, network, address string) (net.Conn, error)
}

// tcp is the Network of the operating system. It asks for no keep-alive, four calls for
// each connection: ticks are one, and epmd's connections are over at once.
type tcp struct{}

func (tcp) Listen(ctx context.Context, network, address string) (net.Listener, error) {
	return (&net.ListenConfig{KeepAlive: -1}).Listen(ctx, network, address)
}

func (tcp) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return (&net.Dialer{KeepAlive: -1}).DialContext(ctx, network, address)
}

const (
	defaultTickTime   = 60 * time.Second
	defaultSetupTime  = 7 * time.Second
	defaultSendBuffer = 1 << 20
	defaultBusyWait   = 100 * time.Microsecond
	defaultMaxMessage = 256 << 20
	epmdNone          = "none"
)

// resolved returns c with every default filled in from getenv and the
// machine, or an error that says what to set.
func (c Config) resolved(getenv func(string) string) (Config, error) {
	var err error
	if c.NameFrom != "" {
		c.Hidden, c.NoListen = true, true
		c.Name, err = nameless(c.Name, c.NameFrom, getenv)
	} else {
		c.Name, err = nodeName(c.Name, getenv)
	}
	if err != nil {
		return c, err
	}
	if c.Cookie == "" {
		if c.Cookie, err = defaultCookie(getenv); err != nil {
			return c, err
		}
	}
	if c.Port < 0 || c.Port > 65535 {
		return c, fmt.Errorf("truss: Port %d is not a TCP port", c.Port)
	}
	if c.NoListen && !c.Hidden {
		return c, errors.New("truss: NoListen needs Hidden: the peers of a visible node expect to reach it")
	}
	if c.Epmd == epmdNone && c.Port == 0 {
		return c, errors.New("truss: with Epmd \"none\" set Port: it is the port of every node of the cluster")
	}
	for peer := range c.Cookies {
		if err := dist.CheckName(peer); err != nil {
			return c, fmt.Errorf("truss: Cookies: %w", err)
		}
	}
	c.Cookies, c.Allow = maps.Clone(c.Cookies), slices.Clone(c.Allow)
	if c.TLS != nil {
		c.TLS = c.TLS.Clone()
	}
	if c.TLSNames && (c.TLS == nil || c.TLS.ClientAuth != tls.RequireAndVerifyClientCert) {
		return c, errors.New("truss: TLSNames needs TLS with ClientAuth RequireAndVerifyClientCert: without a certificate there is no name to check")
	}
	if c.TickTime < 0 || c.SetupTime < 0 || c.SendBuffer < 0 || c.MaxMessage < 0 {
		return c, errors.New("truss: TickTime, SetupTime, SendBuffer and MaxMessage cannot be negative")
	}
	setDefault(&c.TickTime, defaultTickTime)
	setDefault(&c.SetupTime, defaultSetupTime)
	setDefault(&c.SendBuffer, defaultSendBuffer)
	setDefault(&c.MaxMessage, defaultMaxMessage)
	setDefault(&c.BusyWait, defaultBusyWait)
	if runtime.NumCPU() == 1 || runtime.GOMAXPROCS(0) == 1 {
		c.BusyWait = -1
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Stdout == nil {
		c.Stdout = os.Stdout
	}
	if c.Network == nil {
		c.Network = tcp{}
	}
	return c, nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// defaultCookie is what an Elixir release or erl would use.
func defaultCookie(getenv func(string) string) (string, error) {
	if cookie := getenv("RELEASE_COOKIE"); cookie != "" {
		return cookie, nil
	}
	home := getenv("HOME")
	if home == "" {
		home, _ = os.UserHomeDir()
	}
	path := filepath.Join(home, ".erlang.cookie")
	content, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("truss: no cookie: set Config.Cookie or RELEASE_COOKIE, or write %s", path)
	}
	cookie := strings.TrimSpace(string(content))
	if cookie == "" {
		return "", fmt.Errorf("truss: the cookie file %s is empty", path)
	}
	return cookie, nil
}
