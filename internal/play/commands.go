package play

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/truss-beam/truss/etf"
)

// command is one word that the prompt understands.
type command struct {
	name string
	args string // as in the help; "" takes none
	help string
	run  func(s *session, ctx context.Context, args string) error
}

// commands are in the order of the help.
func commands() []command {
	return []command{
		{"machines", "", "list the machines and whom each sees", func(s *session, _ context.Context, _ string) error {
			s.show()
			return nil
		}},
		{"nodes", "", "ask every node whom it lists (Node.list/0)", (*session).nodes},
		{"regions", "", "ask every node in which region it has which", (*session).regions},
		{"clone", "ID [--region R]", "start another machine like that one", (*session).cloneIn},
		{"scale", "N", "start or stop machines until N run", (*session).scaleTo},
		{"stop", "ID", "end a machine; its node leaves the cluster first", func(s *session, ctx context.Context, id string) error {
			return s.changed(s.stop(ctx, id))
		}},
		{"kill", "ID", "end a machine as a power cut would", func(s *session, ctx context.Context, id string) error {
			return s.changed(s.kill(ctx, id))
		}},
		{"start", "ID", "start a machine again that has ended", func(s *session, ctx context.Context, id string) error {
			return s.changed(s.start(ctx, id))
		}},
		{"call", "ID|NODE TERM", "call the process echo there with an Erlang term", (*session).callEcho},
		{"rpc", "primary|REGION TERM", "call a function in a region, from another one", (*session).rpcRegion},
		{"broadcast", "TERM", "have the first machine broadcast on the topic demo", (*session).broadcastDemo},
		{"log", "ID", "show what a machine printed last", (*session).showLog},
		{"dns", "", "show what DNS answers", (*session).showZone},
		{"join", "", "show how to join with a node of your own", func(s *session, _ context.Context, _ string) error {
			s.out.say(s.about(), nil)
			return nil
		}},
		{"help", "", "show this", (*session).help},
		{"quit", "", "stop all machines and end (also exit, Ctrl-D)", func(*session, context.Context, string) error { return errQuit }},
	}
}

// command runs one line.
func (s *session) command(ctx context.Context, line string) error {
	word, args := parseCommand(line)
	if word == "" {
		return nil
	}
	for _, c := range commands() {
		if c.name == word {
			if (c.args == "") != (args == "") {
				return fmt.Errorf("it is written: %s", strings.TrimSpace(c.name+" "+c.args))
			}
			return c.run(s, ctx, args)
		}
	}
	return fmt.Errorf("there is no command %q; help lists those there are", word)
}

// parseCommand splits a line into its command and the rest. Empty lines and
// comments are no command.
func parseCommand(line string) (word, args string) {
	line = strings.TrimSpace(line)
	if line == "" || strings.HasPrefix(line, "#") {
		return "", ""
	}
	word, args, _ = strings.Cut(line, " ")
	word, args = strings.ToLower(word), strings.TrimSpace(args)
	if word == "exit" {
		word = "quit"
	}
	return word, args
}

func (s *session) scaleTo(ctx context.Context, args string) error {
	n, err := strconv.Atoi(args)
	if err != nil || n < 0 || n > maxMachines {
		return fmt.Errorf("scale takes a number from 0 to %d, not %q", maxMachines, args)
	}
	return s.changed(s.scale(ctx, n))
}

func (s *session) nodes(ctx context.Context, _ string) error {
	list, _ := s.cluster.snapshot()
	s.out.showNodes(list, askNodes(ctx, s.ask, list))
	return nil
}

func (s *session) regions(ctx context.Context, _ string) error {
	list, _ := s.cluster.snapshot()
	s.out.showRegions(list, askNodes(ctx, s.ask, list))
	return nil
}

func (s *session) callEcho(ctx context.Context, args string) error {
	id, text, ok := strings.Cut(args, " ")
	if !ok {
		return errors.New("it is written: call ID|NODE TERM, for example call m1 {hello, world}")
	}
	m, err := s.cluster.find(id)
	if err != nil {
		return err
	}
	if m.state != running {
		return fmt.Errorf("%s is %s", m.ID, m.state)
	}
	request, err := etf.Parse(text)
	if err != nil {
		return fmt.Errorf("%w (terms are written as in Erlang: {hello, [1, <<\"two\">>]})", err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.limit)
	defer cancel()
	begin := time.Now()
	reply, err := s.ask.call(ctx, m.target(), "echo", request)
	if err != nil {
		return err
	}
	elapsed := time.Since(begin).Seconds()
	printed := etf.Format(reply)
	s.out.say(fmt.Sprintf("%s  %s", printed, s.out.dim("from "+m.Node+" after "+took(elapsed))), struct {
		Node    string  `json:"node"`
		Reply   string  `json:"reply"`
		Seconds float64 `json:"seconds"`
	}{m.Node, printed, elapsed})
	return nil
}

func (s *session) showLog(_ context.Context, id string) error {
	m, err := s.cluster.find(id)
	if err != nil {
		return err
	}
	s.out.say(strings.Join(m.log, "\n"), struct {
		Machine string   `json:"machine"`
		Log     []string `json:"log"`
	}{m.ID, m.log})
	return nil
}

func (s *session) showZone(_ context.Context, _ string) error {
	var rows [][]cell
	type object struct {
		Host    string `json:"host"`
		Address string `json:"address"`
		Port    uint16 `json:"port"`
	}
	objects := []object{}
	for _, r := range s.zone.all() {
		host, port := r.host+"."+domain, strconv.Itoa(int(r.port))
		rows = append(rows, []cell{{text: domain}, {"A", s.out.dim}, {text: r.addr.String()}, {"SRV", s.out.dim}, {text: port + " " + host}})
		objects = append(objects, object{host, r.addr.String(), r.port})
	}
	s.out.say(table(rows), struct {
		Zone []object `json:"zone"`
	}{objects})
	return nil
}

func (s *session) help(context.Context, string) error {
	var rows [][]cell
	for _, c := range commands() {
		rows = append(rows, []cell{{strings.TrimSpace(c.name + " " + c.args), s.out.bold}, {text: c.help}})
	}
	s.out.say(table(rows), nil)
	return nil
}

// about tells how a node that is no machine joins.
func (p *play) about() string {
	if p.site.oneAddress {
		return fmt.Sprintf("DNS is at %v, the cookie is %s:\n  truss nodes demo@m1.%s --addr 127.0.0.1:PORT --cookie %[2]s    (dns lists the ports)", p.site.dns, p.cookie, domain)
	}
	first := blockAddr(p.site.home.As4()[2], 1)
	return fmt.Sprintf(`In another terminal, with Elixir, Erlang or this tool:
  ERL_EPMD_PORT=%[1]d iex --name me@127.0.0.1 --cookie %[2]s    and there Node.connect(:"demo@%[3]v")
  ERL_EPMD_PORT=%[1]d erl -name me@127.0.0.1 -setcookie %[2]s    and there net_adm:ping('demo@%[3]v').
  ERL_EPMD_PORT=%[1]d truss nodes demo@%[3]v --cookie %[2]s
DNS is at %[4]v: dig @%[5]v -p %[6]d %[7]s`, p.site.epmdPort, p.cookie, first, p.site.dns, p.site.dns.Addr(), p.site.dns.Port(), domain)
}
