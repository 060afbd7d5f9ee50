package dns

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/truss-beam/truss/discovery"
	"github.com/truss-beam/truss/discovery/discoverytest"
)

// lines makes A records of the suite's names.
func lines(names []string) []string {
	var out []string
	for _, n := range names {
		_, ip, _ := strings.Cut(n, "@")
		out = append(out, "app.internal. 5 A "+ip)
	}
	return out
}

func TestConformance(t *testing.T) {
	t.Run("in memory", func(t *testing.T) {
		discoverytest.RunSynctest(t, func(t *testing.T, names []string) discoverytest.Harness {
			z := newZone(t, lines(names)...)
			return discoverytest.Harness{
				Strategy: Strategy{Query: "app.internal", Types: []Type{A}, Server: "10.9.9.1", Exchange: z.exchange},
				Set:      func(names []string) { z.set(t, lines(names)...) },
				Fail:     func(broken bool) { z.change(func(z *zone) { z.silent = broken }) },
			}
		})
	})
	t.Run("real server", func(t *testing.T) {
		discoverytest.Run(t, func(t *testing.T, names []string) discoverytest.Harness {
			z := newZone(t, lines(names)...)
			return discoverytest.Harness{
				Strategy: Strategy{Query: "app.internal", Types: []Type{A}, Server: z.serve(t), Interval: time.Millisecond},
				Set:      func(names []string) { z.set(t, lines(names)...) },
				Fail: func(broken bool) {
					z.change(func(z *zone) {
						delete(z.rcodes, "app.internal.")
						if broken {
							z.rcodes["app.internal."] = 2 // SERVFAIL
						}
					})
				},
			}
		})
	})
}

// The pause between polls, for TTLs and settings. Jitter is at most a tenth, upwards.
func TestPollingFollowsTheTTL(t *testing.T) {
	for _, tt := range []struct {
		name     string
		strategy Strategy
		zone     []string
		want     time.Duration
	}{
		{"long", Strategy{}, []string{"web.internal. 300 A 10.0.0.2"}, 5 * time.Second},
		{"short", Strategy{}, []string{"web.internal. 3 A 10.0.0.2"}, 3 * time.Second},
		{"the shortest", Strategy{}, []string{"web.internal. 300 A 10.0.0.2", "web.internal. 2 AAAA fdaa::2"}, 2 * time.Second},
		{"of the alias", Strategy{}, []string{"web.internal. 2 CNAME b.internal.", "b.internal. 60 A 10.0.0.2"}, 2 * time.Second},
		{"of the SRV target", Strategy{Types: []Type{SRV}}, []string{"web.internal. 60 SRV 0 0 9001 b.internal.", "b.internal. 2 A 10.0.0.2"}, 2 * time.Second},
		{"zero says nothing", Strategy{}, []string{"web.internal. 0 A 10.0.0.2"}, 5 * time.Second},
		{"zero beside another", Strategy{}, []string{"web.internal. 0 A 10.0.0.2", "web.internal. 4 AAAA fdaa::2"}, 4 * time.Second},
		{"below MinInterval", Strategy{MinInterval: 4 * time.Second}, []string{"web.internal. 2 A 10.0.0.2"}, 4 * time.Second},
		{"Interval", Strategy{Interval: time.Minute}, []string{"web.internal. 300 A 10.0.0.2"}, time.Minute},
		{"Interval below the default MinInterval", Strategy{Interval: 100 * time.Millisecond}, []string{"web.internal. 300 A 10.0.0.2"}, 100 * time.Millisecond},
		{"errors", Strategy{}, nil, 5 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				z := newZone(t, tt.zone...)
				s := tt.strategy
				s.Query, s.Server, s.Exchange = "web.internal", "10.9.9.1", z.exchange
				ctx, cancel := context.WithTimeout(t.Context(), 10*tt.want)
				defer cancel()
				var times []time.Time
				s.Watch(ctx, self("app@10.0.0.1"), func(discovery.Update) { times = append(times, time.Now()) })
				if len(times) < 9 {
					t.Fatalf("%d polls in %v", len(times), 10*tt.want)
				}
				for i, at := range times[1:] {
					if pause := at.Sub(times[i]); pause < tt.want || pause > tt.want+tt.want/10 {
						t.Errorf("pause %v, want %v", pause, tt.want)
					}
				}
			})
		})
	}
}

func TestQueryFromTheEnvironment(t *testing.T) {
	for _, tt := range []struct{ query, env, want string }{
		{"", "", ""},
		{"", "web.internal", "app@web.internal"},
		{"", " web.internal , jobs@b.internal ,", "app@web.internal jobs@b.internal"},
		{"own.internal", "web.internal", "app@own.internal"},
		{Ignore, "web.internal", ""},
		{"", Ignore, ""},
		{" , ", "web.internal", ""},
	} {
		t.Setenv("DNS_CLUSTER_QUERY", tt.env)
		qs, err := Strategy{Query: tt.query}.queries(self("app@10.0.0.1"))
		var got []string
		for _, q := range qs {
			got = append(got, q.base+"@"+q.name)
		}
		if strings.Join(got, " ") != tt.want || err != nil {
			t.Errorf("Query %q, DNS_CLUSTER_QUERY %q: %v, %v; want %q", tt.query, tt.env, got, err, tt.want)
		}
	}
}

func logTo(b *bytes.Buffer, name string) discovery.Self {
	return discovery.Self{Name: name, Logger: slog.New(slog.NewTextHandler(b, nil))}
}

func TestNoQueryIsSaidOnce(t *testing.T) {
	t.Setenv("DNS_CLUSTER_QUERY", "")
	for _, q := range []string{"", Ignore} {
		var log bytes.Buffer
		err := Strategy{Query: q}.Watch(t.Context(), logTo(&log, "app@10.0.0.1"), func(u discovery.Update) { t.Errorf("reported %v", u) })
		if err != nil || strings.Count(log.String(), "discovery is off") != 1 {
			t.Errorf("Query %q: %v, log %q", q, err, log.String())
		}
	}
}

func TestWarnsAboutAName(t *testing.T) {
	for _, tt := range []struct {
		name, fly string
		want      string // "" for no warning
	}{
		{"app@10.0.0.1", "", ""},
		{"app@fdaa:0:1::3", "", ""},
		{"app@web-1.internal", "", ""},
		{"app@web-1", "", `export RELEASE_NODE=\"app@fully-qualified-host-or-ip\"`},
		{"app@web-1", "fdaa:0:1::3", `export RELEASE_NODE=\"app@${FLY_PRIVATE_IP}\"`},
		{"", "", `export RELEASE_NODE=\"my_app@fully-qualified-host-or-ip\"`},
	} {
		t.Setenv("FLY_PRIVATE_IP", tt.fly)
		var log bytes.Buffer
		warnAboutName(logTo(&log, tt.name))
		got := log.String()
		if tt.want == "" && got != "" {
			t.Errorf("%s: warned %s", tt.name, got)
		}
		if tt.want != "" && (!strings.Contains(got, tt.want) || !strings.Contains(got, "export RELEASE_DISTRIBUTION=name")) {
			t.Errorf("%s: log %q lacks %q", tt.name, got, tt.want)
		}
	}
}

func TestEpmdNames(t *testing.T) {
	down := errors.New("connection refused")
	type reply struct {
		names []string
		err   error
	}
	for _, tt := range []struct {
		name    string
		query   string
		replies []reply // of 10.0.0.2's epmd, one for each poll; 10.0.0.3 always has web
		want    []string
	}{
		{"all names", "app.internal", []reply{{[]string{"app", "jobs"}, nil}}, []string{"app@10.0.0.2 jobs@10.0.0.2 web@10.0.0.3"}},
		{"nobody is there", "app.internal", []reply{{nil, nil}}, []string{"web@10.0.0.3"}},
		{"names that cannot be", "app.internal", []reply{{[]string{"", "a b", "a@b", strings.Repeat("x", 256), "ok"}, nil}}, []string{"ok@10.0.0.2 web@10.0.0.3"}},
		{"no answer ever: our own base name", "app.internal", []reply{{nil, down}}, []string{"app@10.0.0.2 web@10.0.0.3"}},
		{"no answer: the last one holds", "app.internal", []reply{{[]string{"jobs"}, nil}, {nil, down}, {[]string{"x"}, nil}},
			[]string{"jobs@10.0.0.2 web@10.0.0.3", "jobs@10.0.0.2 web@10.0.0.3", "x@10.0.0.2 web@10.0.0.3"}},
		{"not for a query with a base name", "fixed@app.internal", []reply{{[]string{"jobs"}, nil}}, []string{"fixed@10.0.0.2 fixed@10.0.0.3"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			z := newZone(t, "app.internal. 5 A 10.0.0.2", "app.internal. 5 A 10.0.0.3")
			var now reply
			s := Strategy{Query: tt.query, Types: []Type{A}, Server: "10.9.9.1", Exchange: z.exchange,
				EpmdNames: func(_ context.Context, host string) ([]string, error) {
					if host == "10.0.0.3" {
						return []string{"web"}, nil
					}
					return now.names, now.err
				}}.withDefaults()
			queries, err := s.queries(self("app@10.0.0.1"))
			if err != nil {
				t.Fatal(err)
			}
			w := newWatcher(s, self("app@10.0.0.1"), queries)
			for i, want := range tt.want {
				now = tt.replies[i]
				u, _ := w.look(t.Context())
				if text(u) != want || u.Err != nil {
					t.Errorf("poll %d: %q, %v; want %q", i+1, text(u), u.Err, want)
				}
			}
		})
	}
}

func TestSilentEpmdIsLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := newZone(t, "app.internal. 5 A 10.0.0.2")
		asked := 0
		s := Strategy{Query: "app.internal", Types: []Type{A}, Server: "10.9.9.1", Exchange: z.exchange,
			EpmdNames: func(ctx context.Context, host string) ([]string, error) {
				asked++
				<-ctx.Done()
				return nil, fmt.Errorf("try %d: %w", asked, ctx.Err())
			}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var log bytes.Buffer
		s.Watch(ctx, logTo(&log, "app@10.0.0.1"), func(discovery.Update) {})
		if n := strings.Count(log.String(), "epmd does not tell"); n != 1 || asked < 8 || asked > 9 { // each 5 s + 2 s
			t.Errorf("asked %d times, logged %d times", asked, n)
		}
	})
}

func TestNoEpmdWhereThePortIsKnown(t *testing.T) {
	z := newZone(t, "_d.internal. 5 SRV 0 0 9001 10.0.0.2.")
	u := once(t, Strategy{Query: "_d.internal", Types: []Type{SRV}, Server: "10.9.9.1", Exchange: z.exchange,
		EpmdNames: func(context.Context, string) ([]string, error) {
			t.Error("asked")
			return nil, nil
		}}, "app@10.0.0.1")
	if text(u) != "app@10.0.0.2=10.0.0.2:9001" {
		t.Errorf("found %q", text(u))
	}
}
