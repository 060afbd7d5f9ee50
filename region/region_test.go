package region_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/region"
	"github.com/truss-beam/truss/trusstest"
)

type where struct{}

func (where) Am(p *truss.Process) string { return p.Node().Name() }

// in starts a node in a region.
func in(t *testing.T, c *trusstest.Cluster, name, where_ string) (*truss.Node, *region.Regions) {
	t.Helper()
	n := c.Start(name)
	r, err := region.Start(n, region.Config{Region: where_, PrimaryRegion: "ams"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	if err := n.Export("where", where{}); err != nil {
		t.Fatal(err)
	}
	return n, r
}

func ask(ctx context.Context, r *region.Regions, name string) (string, error) {
	return region.Call[string](ctx, r, name, "where", "am")
}

func TestRegions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := trusstest.New(t)
		a, ra := in(t, c, "a", "ams")
		s1, _ := in(t, c, "s1", "syd")
		s2, rs := in(t, c, "s2", "syd")
		stranger := c.Start("stranger")
		c.Connect(a, s1, s2, stranger)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		synctest.Wait()

		for _, test := range []struct {
			from   *region.Regions
			region string
			want   []string
		}{
			{ra, "ams", []string{a.Name()}},
			{ra, region.Primary, []string{a.Name()}},
			{rs, region.Primary, []string{a.Name()}},
			{ra, "syd", []string{s1.Name(), s2.Name()}},
			{rs, "syd", []string{s2.Name()}},
		} {
			got, err := ask(ctx, test.from, test.region)
			if err != nil || got != test.want[0] && got != test.want[len(test.want)-1] {
				t.Errorf("%s: %s, %v, want %v", test.region, got, err, test.want)
			}
		}
		if !ra.IsPrimary() || rs.IsPrimary() || rs.Mine() != "syd" || rs.PrimaryRegion() != "ams" {
			t.Error("who is primary?")
		}
		if got, want := rs.Known(), map[string][]string{"ams": {a.Name()}, "syd": {s2.Name(), s1.Name()}}; !reflect.DeepEqual(got, want) {
			t.Error(got)
		}
		// What is not there is said at once, with what is.
		begin := time.Now()
		_, err := ask(ctx, ra, "gru")
		if !errors.Is(err, region.ErrNoNode) || time.Since(begin) > 0 ||
			!strings.HasSuffix(err.Error(), "known are ams (a@10.0.0.1), syd (s1@10.0.0.2, s2@10.0.0.3); stranger@10.0.0.4 has told none") {
			t.Errorf("after %v: %v", time.Since(begin), err)
		}
		// A node that is gone is forgotten, and the next is called.
		c.Crash("s1")
		synctest.Wait()
		if got := ra.Nodes("syd"); !reflect.DeepEqual(got, []string{s2.Name()}) {
			t.Error(got)
		}
		if got, err := ask(ctx, ra, "syd"); got != s2.Name() || err != nil {
			t.Error(got, err)
		}
		// One that starts to tell later is asked again.
		if _, err := region.Start(stranger, region.Config{Region: "gru"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if got := ra.Nodes("gru"); !reflect.DeepEqual(got, []string{stranger.Name()}) {
			t.Error(got)
		}
	})
}

// TestStartUp: a call made before any node is there waits for one, as long as it may.
func TestStartUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := trusstest.New(t)
		a, ra := in(t, c, "a", "ams")
		b, _ := in(t, c, "b", "syd")
		var later sync.WaitGroup
		defer later.Wait() // the answer can be there before Connect has returned
		later.Go(func() {
			time.Sleep(3 * time.Second)
			if err := a.Connect(t.Context(), b.Name()); err != nil {
				t.Error(err)
			}
		})
		begin := time.Now()
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := ask(short, ra, "syd"); !errors.Is(err, region.ErrNoNode) || !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != time.Second ||
			!strings.Contains(err.Error(), "known are ams (a@10.0.0.1); no other node is connected") {
			t.Errorf("after %v: %v", time.Since(begin), err)
		}
		if got, err := ask(t.Context(), ra, "syd"); got != b.Name() || err != nil || time.Since(begin) != 3*time.Second {
			t.Errorf("after %v: %s, %v", time.Since(begin), got, err)
		}
	})
}

// TestStrangersFirst: nodes without a region that happen to connect before do not end
// the wait; and if there are no others, the error says what they are.
func TestStrangersFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := trusstest.New(t)
		a, ra := in(t, c, "a", "ams")
		b, _ := in(t, c, "b", "syd")
		s, u := c.Start("s"), c.Start("u")
		c.Connect(a, s)
		c.Connect(a, u)
		begin := time.Now()
		if _, err := ask(t.Context(), ra, "syd"); !errors.Is(err, region.ErrNoNode) || time.Since(begin) != 5*time.Second ||
			!strings.HasSuffix(err.Error(), "known are ams (a@10.0.0.1); s@10.0.0.3, u@10.0.0.4 have told none") {
			t.Errorf("after %v: %v", time.Since(begin), err)
		}
		var later sync.WaitGroup
		defer later.Wait()
		later.Go(func() {
			time.Sleep(3 * time.Second)
			if err := a.Connect(t.Context(), b.Name()); err != nil {
				t.Error(err)
			}
		})
		if got, err := ask(t.Context(), ra, "syd"); got != b.Name() || err != nil {
			t.Errorf("after %v: %s, %v", time.Since(begin), got, err)
		}
	})
}

// TestEnvironment: where a node is, as Fly.io and releases elsewhere say it.
func TestEnvironment(t *testing.T) {
	for _, test := range []struct {
		fly, my, primary string
		config           region.Config
		mine, leads      string
	}{
		{mine: "local", leads: "local"},
		{my: "lab", primary: "lab", mine: "lab", leads: "lab"},
		{fly: "syd", my: "lab", primary: "ams", mine: "syd", leads: "ams"},
		{fly: "syd", primary: "ams", config: region.Config{Region: "gru", PrimaryRegion: "gru"}, mine: "gru", leads: "gru"},
	} {
		t.Setenv("FLY_REGION", test.fly)
		t.Setenv("MY_REGION", test.my)
		t.Setenv("PRIMARY_REGION", test.primary)
		synctest.Test(t, func(t *testing.T) {
			r, err := region.Start(trusstest.New(t).Start("a"), test.config)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			if r.Mine() != test.mine || r.PrimaryRegion() != test.leads || r.IsPrimary() != (test.mine == test.leads) {
				t.Errorf("%+v: %s of %s", test, r.Mine(), r.PrimaryRegion())
			}
		})
	}
}
