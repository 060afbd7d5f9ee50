package cli

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestUsage(t *testing.T) {
	for _, tt := range []struct {
		args string
		want []string
	}{
		{"nonsense", []string{`unknown command "nonsense"`, "see truss --help"}},
		{"--nonsense", []string{"unknown flag: --nonsense", "see truss --help"}},
		{"ping", []string{"NODE is missing", "see truss ping --help"}},
		{"ping a@b c", []string{`"c" is one argument too many`}},
		{"ping app", []string{`"app": not a node name: want name@host`}},
		{"ping a@b --timeout 0", []string{"--timeout 0s allows no time at all"}},
		{"ping a@b --timeout soon", []string{"--timeout"}},
		{"ping a@b --name x@b@c", []string{"--name", "not a node name"}},
		{"ping a@b --name a@b", []string{"--name a@b is the name of the node to connect to"}},
		{"ping a@b --addr nowhere", []string{"--addr nowhere is no HOST:PORT"}},
		{"ping a@b --epmd b:x", []string{`--epmd b:x: "x" is no port`}},
		{"ping a@b --epmd a/b", []string{"--epmd a/b is no HOST, PORT or HOST:PORT"}},
		{"nodes", []string{"NODE is missing"}},
		{"send a@b name", []string{"TERM is missing"}},
		{"call a@b", []string{"NAME is missing"}},
		{"call a@b name {x", []string{"TERM is wrong at column 3", "{x ⟶"}},
		{"names a b", []string{`"b" is one argument too many`}},
		{"names a --epmd b:1", []string{"a and --epmd b:1 both name a host"}},
		{"node extra", []string{`"extra" is one argument too many`}},
		{"node --name a@b@c", []string{"--name", "not a node name"}},
		{"node --name a@b --epmd none", []string{"--epmd none needs --port"}},
		{"node --name a@b --listen here", []string{"--listen here is no IP address"}},
		{"node --name a@b --epmd :", []string{"--epmd"}},
		{"node --name a@b --port 65536", []string{"--port"}},
		{"node --name a@b --dns-server 127.0.0.1:53", []string{"--dns-server is of no use without --dns"}},
		{"node --name a@b --dns q --dns-interval 0", []string{"--dns-interval 0s is no interval"}},
		{"node --name a@b --global g --hidden", []string{"--global is of no use with --hidden"}},
		{"node --name a@b --pg workers", []string{"--pg workers is no SCOPE/GROUP"}},
		{"node --name a@b --pubsub MyApp.PubSub/", []string{"--pubsub MyApp.PubSub/ is no NAME/TOPIC"}},
		{"global", []string{"NODE is missing"}},
		{"pg a@b scope x", []string{`"x" is one argument too many`}},
		{"pubsub listen a@b", []string{"NAME/TOPIC is missing"}},
		{"pubsub listen a@b MyApp.PubSub", []string{`"MyApp.PubSub" is no NAME/TOPIC`}},
		{"pubsub broadcast a@b /t x", []string{`"/t" is no NAME/TOPIC`}},
		{"pubsub broadcast a@b p/t {x", []string{"TERM is wrong at column 3"}},
		{"epmd --address here", []string{`"here" in the list of addresses`}},
		{"epmd --packet-timeout 0", []string{"--packet-timeout 0 is no number of seconds"}},
		{"epmd --kill --names", []string{"none of the others can be"}},
		{"version 1", []string{`"1" is one argument too many`}},
	} {
		t.Run(tt.args, func(t *testing.T) {
			command(t, strings.Fields(tt.args)...).fails(t, exitUsage, tt.want...)
		})
	}
}

// TestErrorAsJSON wants an error as an object, also where the flag --json stands
// behind what is wrong.
func TestErrorAsJSON(t *testing.T) {
	for _, args := range [][]string{{"--json", "ping"}, {"ping", "--json"}, {"ping", "--nonsense", "--json"}} {
		r := command(t, args...)
		if r.code != exitUsage || r.out != "" {
			t.Errorf("%q: exit %d, standard output %q", args, r.code, r.out)
		}
		o := object(t, r.err)
		if o["exit"] != float64(exitUsage) || o["hint"] != "see truss ping --help" || o["cause"] == "" || o["error"] == "" {
			t.Errorf("%q: %v", args, o)
		}
	}
}

func TestFailure(t *testing.T) {
	cause := errors.New("truss: first\nsecond")
	f := &failure{code: exitFailed, doing: "cannot connect", node: "a@b", err: cause, hint: "try"}
	if got, want := f.Error(), "cannot connect: first second (try)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if !errors.Is(f, cause) {
		t.Error("the cause is lost")
	}
}

func TestVersion(t *testing.T) {
	if got := command(t, "version").ok(t); !strings.HasPrefix(got, "truss ") || strings.Count(got, "\n") != 1 {
		t.Errorf("%q", got)
	}
	o := object(t, command(t, "version", "--json").ok(t))
	for _, key := range []string{"version", "go", "os", "arch"} {
		if o[key] == "" || o[key] == nil {
			t.Errorf("no %s in %v", key, o)
		}
	}
}

// TestArgs has the command line in both names the program can have, and in OTP's
// way of writing options.
func TestArgs(t *testing.T) {
	for _, tt := range []struct{ process, want string }{
		{"truss ping a@b", "ping a@b"},
		{"/usr/bin/epmd -daemon -port 4370", "epmd --daemon --port 4370"},
		{"epmd.exe -relaxed_command_check -packet_timeout=5 -d", "epmd --relaxed-command-check --packet-timeout=5 -d"},
		{"truss epmd -names --port 1", "epmd --names --port 1"},
		{"truss call -names", "call -names"},
		{"truss", ""},
	} {
		if got := otpFlags(Args(strings.Fields(tt.process))); !slices.Equal(got, strings.Fields(tt.want)) {
			t.Errorf("%s: %q, want %q", tt.process, got, tt.want)
		}
	}
	if got := Args(nil); got != nil {
		t.Errorf("no process at all: %q", got)
	}
}
