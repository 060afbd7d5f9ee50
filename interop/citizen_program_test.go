package interop

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/global"
	"github.com/truss-beam/truss/pg"
)

// citizenVariable makes the test binary a citizen: a node with global and pg that
// answers questions on standard output. Its value is a citizenConfig.
const citizenVariable = "TRUSS_INTEROP_CITIZEN"

type citizenConfig struct {
	Name, Cookie, Epmd string
	Hidden             bool
	TickTime           time.Duration
	Peers              []string // whom to be connected to; dialled every second
	Scopes             []string // of pg
}

// A question and its answer are a line of JSON each, on standard input and output.
type (
	question struct {
		ID    int
		Words []string // as in testdata/citizen.erl
		Limit time.Duration
	}
	reply struct {
		ID           int
		Value, Error string
	}
)

// citizen is what runs in the program.
type citizen struct {
	node   *truss.Node
	global *global.Global
	scopes map[string]*pg.Scope
	idlers sync.Map // etf.Pid of idle processes that have not ended
}

// runCitizen runs a node until standard input ends, which makes it leave as a
// node does that is shut down.
func runCitizen(text string) int {
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug})))
	var config citizenConfig
	if err := json.Unmarshal([]byte(text), &config); err != nil {
		return fail(err)
	}
	c, err := newCitizen(config)
	if err != nil {
		return fail(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	for _, peer := range config.Peers {
		go c.dial(ctx, peer)
	}
	var writing sync.Mutex
	out := json.NewEncoder(os.Stdout)
	say := func(r reply) {
		writing.Lock()
		defer writing.Unlock()
		_ = out.Encode(r) // whoever asked may be gone
	}
	say(reply{Value: "ready"})
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var q question
		if err := json.Unmarshal(in.Bytes(), &q); err != nil {
			return fail(err)
		}
		go func() {
			ctx, cancel := context.WithTimeout(ctx, q.Limit)
			defer cancel()
			value, err := c.answer(ctx, q.Words)
			r := reply{ID: q.ID, Value: value}
			if err != nil {
				r.Error = err.Error()
			}
			say(r)
		}()
	}
	stop()
	leaving, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := errors.Join(c.global.Close(leaving), c.node.Close()); err != nil {
		return fail(err)
	}
	return 0
}

func newCitizen(config citizenConfig) (*citizen, error) {
	_, host, _ := strings.Cut(config.Name, "@")
	n, err := truss.Start(context.Background(), truss.Config{
		Name: config.Name, Cookie: config.Cookie, Epmd: config.Epmd, Listen: host,
		Hidden: config.Hidden, TickTime: config.TickTime,
	})
	if err != nil {
		return nil, err
	}
	c := &citizen{node: n, scopes: make(map[string]*pg.Scope)}
	if c.global, err = global.Start(n, global.Config{}); err != nil {
		return nil, err
	}
	for _, name := range config.Scopes {
		s, err := pg.Start(n, name)
		if err != nil {
			return nil, err
		}
		c.scopes[name] = s
		for _, peer := range config.Peers {
			if !config.Hidden {
				break
			}
			if err := s.Discover(peer); err != nil {
				return nil, err
			}
		}
	}
	return c, nil
}

// dial keeps the node connected to a peer.
func (c *citizen) dial(ctx context.Context, peer string) {
	for ctx.Err() == nil {
		_ = c.node.Connect(ctx, peer) // it may be dead, or cut off
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

func (c *citizen) answer(ctx context.Context, words []string) (string, error) {
	arg := func(i int) string { return words[i] }
	switch words[0] {
	case "nodes":
		return strings.Join(c.node.Nodes(), " "), nil
	case "hidden":
		return strings.Join(c.node.HiddenNodes(), " "), nil
	case "names":
		var all []string
		for _, r := range c.global.RegisteredNames() {
			all = append(all, etf.Format(r.Name)+"="+printPid(r.PID))
		}
		slices.Sort(all)
		return strings.Join(all, " "), nil
	case "dead":
		var dead []string
		for _, r := range c.global.RegisteredNames() {
			if _, alive := c.idlers.Load(r.PID); !alive && string(r.PID.Node) == c.node.Name() {
				dead = append(dead, etf.Format(r.Name))
			}
		}
		return strings.Join(dead, " "), nil
	case "disconnect":
		if err := c.node.Disconnect(ctx, arg(1)); err != nil && !errors.Is(err, truss.ErrNoConnection) {
			return "", err
		}
		return "true", nil
	case "sync":
		return "ok", c.global.Sync(ctx)
	case "register":
		return c.register(ctx, c.global.RegisterName, arg(1), arg(2))
	case "reregister":
		return c.register(ctx, c.global.ReRegisterName, arg(1), arg(2))
	case "unregister":
		return "ok", c.global.UnregisterName(ctx, etf.Atom(arg(1)))
	case "kill_name":
		pid, ok := c.global.WhereisName(etf.Atom(arg(1)))
		if !ok || string(pid.Node) != c.node.Name() {
			return "nobody", nil
		}
		return "ok", c.kill(ctx, pid)
	case "lock":
		return c.lock(ctx, arg(1), arg(2), arg(3))
	case "join", "leave", "die", "groups", "local":
		return c.grouped(ctx, words)
	case "locks", "state":
		return "", nil // nothing is told of them: whether locks are left is found out by setting them
	}
	return "", fmt.Errorf("no such question: %q", words)
}

func (c *citizen) register(ctx context.Context, how func(context.Context, any, etf.Pid, ...global.Method) error, name, method string) (string, error) {
	p, err := c.idle()
	if err != nil {
		return "", err
	}
	methods := map[string]global.Method{
		"exit": global.RandomExitName(), "notify": global.RandomNotifyName(), "all": global.NotifyAllName(),
	}
	err = how(ctx, etf.Atom(name), p, methods[method])
	if errors.Is(err, truss.ErrNameTaken) {
		return "no", c.kill(ctx, p)
	}
	return "yes", err
}

func (c *citizen) lock(ctx context.Context, resource, retries, ms string) (string, error) {
	options := global.LockOptions{Retries: number(retries)}
	if options.Retries == 0 {
		options.Retries = -1 // never
	}
	if c.node.Hidden() { // it is in no partition: it says where
		options.Nodes = append(c.node.HiddenNodes(), c.node.Name())
	}
	l, err := c.global.SetLock(ctx, global.LockID{Resource: etf.Atom(resource)}, options)
	if errors.Is(err, global.ErrLocked) {
		return "false", nil
	}
	if err != nil {
		return "", err
	}
	time.Sleep(time.Duration(number(ms)) * time.Millisecond)
	return "true", l.Unlock(ctx)
}

func (c *citizen) grouped(ctx context.Context, words []string) (string, error) {
	s := c.scopes[words[1]]
	switch words[0] {
	case "groups":
		return printGroups(s.WhichGroups(), s.Members), nil
	case "local":
		return printGroups(s.WhichLocalGroups(), s.LocalMembers), nil
	case "join":
		p, err := c.idle()
		if err != nil {
			return "", err
		}
		return "ok", s.Join(etf.Atom(words[2]), p)
	}
	members := s.LocalMembers(etf.Atom(words[2]))
	if len(members) == 0 {
		return "nobody", nil
	}
	if words[0] == "die" {
		return "ok", c.kill(ctx, members[0])
	}
	if err := s.Leave(etf.Atom(words[2]), members[0]); err != nil && !errors.Is(err, pg.ErrNotJoined) {
		return "", err // not joined: another question has just had it leave, or die
	}
	return "ok", nil
}

// idle starts a process that does nothing.
func (c *citizen) idle() (etf.Pid, error) {
	p, err := c.node.Spawn(func(ctx context.Context, p *truss.Process) error {
		c.idlers.Store(p.PID(), nil)
		defer c.idlers.Delete(p.PID())
		<-ctx.Done()
		return nil
	})
	if err != nil {
		return etf.Pid{}, err
	}
	return p.PID(), nil
}

// kill ends a process of this node.
func (c *citizen) kill(ctx context.Context, pid etf.Pid) error {
	p, err := c.node.Spawn(func(_ context.Context, p *truss.Process) error {
		return p.Exit(ctx, pid, etf.Atom("kill"))
	})
	if err == nil {
		<-p.Context().Done()
	}
	return err
}

func printGroups(groups []etf.Term, members func(any) []etf.Pid) string {
	var all []string
	for _, g := range groups {
		var pids []string
		for _, pid := range members(g) {
			pids = append(pids, printPid(pid))
		}
		slices.Sort(pids)
		if len(pids) > 0 { // it may just have gone
			all = append(all, etf.Format(g)+"="+strings.Join(pids, ","))
		}
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// printPid prints a pid as testdata/citizen.erl does.
func printPid(pid etf.Pid) string {
	return fmt.Sprintf("%s/%d.%d.%d", pid.Node, pid.ID, pid.Serial, pid.Creation)
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		panic(err) // the test wrote it
	}
	return n
}
