package epmd

import (
	"context"
	"fmt"
	"maps"
	"net"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/truss-beam/truss/internal/simnet"
)

// TestTranscripts plays what was recorded from Erlang's epmd against our server:
// every answer, and every connection that is closed or left open, is the same.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no transcripts", err)
	}
	for _, path := range files {
		file := filepath.Base(path)
		t.Run(file, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { playTranscript(t, file) })
		})
	}
}

func playTranscript(t *testing.T, file string) {
	tr := loadTranscript(t, file)
	host := simnet.New(simnet.Options{}).Host("10.0.0.1")
	srv := &Server{
		Relaxed: slices.Contains(tr.flags, "-relaxed_command_check"),
		fresh:   func() uint32 { return uint32(tr.start) + 1 }, // as OTP's epmd
	}
	serveOn(t, srv, host, tr.port)
	conns := map[string]*listened{}
	settled := func(line int) {
		synctest.Wait()
		for _, name := range slices.Sorted(maps.Keys(conns)) {
			c := conns[name]
			if rest := c.take(); len(rest) > 0 {
				t.Errorf("%s:%d: %s also got %s", file, line, name, formatBytes(rest))
			}
			if c.ended() != c.endExpected {
				t.Errorf("%s:%d: %s closed: %t, recorded: %t", file, line, name, c.ended(), c.endExpected)
			}
		}
	}
	for _, s := range tr.steps {
		switch s.op {
		case ">":
			settled(s.line)
			c := conns[s.conn]
			if c == nil || c.endExpected {
				c = listenTo(dialTest(t, host, tr.port))
				conns[s.conn] = c
			}
			c.Write(s.data)
			synctest.Wait()
		case "<":
			if got := conns[s.conn].take(); withoutFD(got) != withoutFD(s.data) {
				t.Errorf("%s:%d: %s got\n%s, recorded\n%s", file, s.line, s.conn, formatBytes(got), formatBytes(s.data))
			}
		case "eof":
			conns[s.conn].endExpected = true
		case "close":
			settled(s.line)
			conns[s.conn].Close()
			delete(conns, s.conn)
			synctest.Wait()
		}
	}
	settled(len(tr.steps))
}

var fdNumber = regexp.MustCompile(`fd = \d+`)

func withoutFD(b []byte) string { return fdNumber.ReplaceAllString(string(b), "fd = N") }

// listened is a connection whose other side's bytes are collected as they come.
type listened struct {
	net.Conn
	endExpected bool

	mu  sync.Mutex
	got []byte
	end bool
}

func listenTo(c net.Conn) *listened {
	l := &listened{Conn: c}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := c.Read(buf)
			l.mu.Lock()
			l.got = append(l.got, buf[:n]...)
			l.end = err != nil
			l.mu.Unlock()
			if err != nil {
				c.Close()
				return
			}
		}
	}()
	return l
}

// take returns what came since the last time.
func (l *listened) take() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	got := l.got
	l.got = nil
	return got
}

func (l *listened) ended() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.end
}

// serveOn serves at all addresses of a host until the test ends.
func serveOn(t *testing.T, s *Server, host *simnet.Host, port int) {
	t.Helper()
	listeners, err := Listen(t.Context(), host.Listen, nil, port)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := s.Serve(ctx, listeners...); err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	t.Cleanup(func() { cancel(); serving.Wait() })
}

func dialTest(t *testing.T, host *simnet.Host, port int) net.Conn {
	t.Helper()
	c, err := host.Dial(t.Context(), "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// TestClientAgainstRecorded gives our client the recorded answers to the recorded
// requests: it has to send exactly those bytes.
func TestClientAgainstRecorded(t *testing.T) {
	lifecycle, relaxed, kill := loadTranscript(t, "lifecycle.txt"), loadTranscript(t, "relaxed.txt"), loadTranscript(t, "kill.txt")
	start := uint32(lifecycle.start)
	tests := []struct {
		name string
		tr   transcript
		line string // the request
		nth  int    // of the lines with that request
		ask  func(ctx context.Context, c *Client) (any, error)
		want string
	}{
		{"lookup", lifecycle, `q > 0004 "zweb"`, 1, lookup("web"), "{web 4711 false 0 6 5 []} <nil>"},
		{"lookup hidden with extra", lifecycle, `q > 0005 "zjobs"`, 0, lookup("jobs"), "{jobs 4712 true 0 6 5 [1 2 104 105]} <nil>"},
		{"lookup odd", lifecycle, `q > 0004 "zodd"`, 0, lookup("odd"), "{odd 0 false 3 7 6 []} <nil>"},
		{"unknown", lifecycle, `q > 00037a7765`, 0, lookup("we"), "{ 0 false 0 0 0 []} epmd at h knows no node named we; it has: nothing"},
		{"names", lifecycle, `q > 00016e`, 1, names, "[{odd 0} {jobs 4712} {web 4711}] <nil>"},
		{"no names", lifecycle, `q > 00016e`, 0, names, "[] <nil>"},
		{"dump", lifecycle, `q > 000164`, 2, dump, "[active name     <odd> at port 0, fd = 7 active name     <jobs> at port 4712, fd = 6 old/unused name <web>, port = 4711, fd = 5] <nil>"},
		{"kill refused", lifecycle, `q > 00016b`, 0, killIt, "<nil> epmd at h:4369: nodes are registered, it keeps running"},
		{"kill", kill, `k > 00016b`, 0, killIt, "<nil> <nil>"},
		{"stop", relaxed, `q > 0004 "sweb"`, 0, stop("web"), "<nil> <nil>"},
		{"stop unknown", relaxed, `q > 0005 "snone"`, 0, stop("none"), "<nil> epmd at h:4369: unknown name: none"},
		{"register", lifecycle, `a > 00107812674d000006000500037765620000`, 0, register(Registration{Name: "web", Port: 4711}), fmt.Sprint(start+1, " <nil>")},
		{"register hidden with extra", lifecycle, `b > 00157812684800000600050004 "jobs" 000401026869`, 0,
			register(Registration{Name: "jobs", Port: 4712, Hidden: true, Extra: []byte("\x01\x02hi")}), fmt.Sprint(start+1, " <nil>")},
		{"register taken", lifecycle, `d > 00107812694d000006000500037765620000`, 0, register(Registration{Name: "web", Port: 4713}),
			"0 name is taken: web is registered by another program (epmd at h:4369: name is taken)"},
		{"register version 5", lifecycle, `e > 001078126c4d000005000500036f6c640000`, 2, register(Registration{Name: "old", Port: 4716, High: 5, Low: 5}), fmt.Sprint((start+3)%3+1, " <nil>")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			request, reply := tt.tr.find(t, tt.line, tt.nth)
			asked := false
			c := &Client{Port: 4369, Dial: func(context.Context, string, string) (net.Conn, error) {
				near, far := net.Pipe()
				go answerOnce(t, far, request, reply, &asked)
				return near, nil
			}}
			got, err := tt.ask(t.Context(), c)
			if s := fmt.Sprint(got, " ", err); s != tt.want {
				t.Errorf("got  %s\nwant %s", s, tt.want)
			}
			if !asked {
				t.Error("the recorded request was not sent")
			}
		})
	}
}

// answerOnce answers a recorded request; another (the list behind an unknown
// name) gets an empty list.
func answerOnce(t *testing.T, c net.Conn, request, reply []byte, asked *bool) {
	defer c.Close()
	body, err := readRequest(c)
	if err != nil {
		t.Errorf("request: %v", err)
		return
	}
	switch {
	case string(body) == string(request[2:]):
		*asked = true
		c.Write(reply)
	case string(body) == "n":
		c.Write([]byte{0, 0, 0x11, 0x11})
	default:
		t.Errorf("sent %s, recorded %s", formatBytes(body), formatBytes(request[2:]))
	}
}

func (tr *transcript) find(t *testing.T, line string, nth int) (request, reply []byte) {
	t.Helper()
	name, rest, _ := strings.Cut(line, " > ")
	request, err := parseBytes(rest)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range tr.steps {
		if s.conn == name && s.op == ">" && string(s.data) == string(request) {
			if nth--; nth < 0 {
				for _, r := range tr.steps[i+1:] {
					if r.conn == name && r.op == "<" {
						return request, r.data
					}
				}
			}
		}
	}
	t.Fatalf("not recorded: %s", line)
	return nil, nil
}

func lookup(name string) func(context.Context, *Client) (any, error) {
	return func(ctx context.Context, c *Client) (any, error) { return c.Lookup(ctx, "h", name) }
}
func names(ctx context.Context, c *Client) (any, error)  { return c.Names(ctx, "h") }
func dump(ctx context.Context, c *Client) (any, error)   { return c.Dump(ctx, "h") }
func killIt(ctx context.Context, c *Client) (any, error) { return nil, c.Kill(ctx, "h") }
func stop(name string) func(context.Context, *Client) (any, error) {
	return func(ctx context.Context, c *Client) (any, error) { return nil, c.Stop(ctx, "h", name) }
}
func register(r Registration) func(context.Context, *Client) (any, error) {
	return func(ctx context.Context, c *Client) (any, error) {
		reg, err := c.Register(ctx, "h", r)
		if err != nil {
			return 0, err
		}
		defer reg.Close()
		return reg.Creation(), nil
	}
}
