package rpc_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/truss-beam/truss"
	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/rpc"
	"github.com/truss-beam/truss/trusstest"
)

// TestStartTogether: whoever has called Start, be it while somebody else does, finds
// all of rpc afterwards.
func TestStartTogether(t *testing.T) {
	for range 200 {
		synctest.Test(t, func(t *testing.T) {
			n := trusstest.New(t).Start("a")
			begin := make(chan struct{})
			var starting sync.WaitGroup
			for range 4 {
				starting.Go(func() {
					<-begin
					err := rpc.Start(n)
					if err != nil || n.Whereis("rex") == nil || !n.Exported("erpc", "execute_call", 4) {
						t.Errorf("error %v, rex %v, exported %v", err, n.Whereis("rex"), n.Exported("erpc", "execute_call", 4))
					}
				})
			}
			synctest.Wait()
			close(begin)
			starting.Wait()
		})
	}
}

// TestStartTaken: who finds its names taken says so, each time, and is not content
// with a function of the same name.
func TestStartTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := trusstest.New(t)
		for name, functions := range map[string]truss.Funcs{
			"call": {"execute_call": func(a, b, c, d etf.Term) {}},
			"cast": {"execute_cast": func(a, b, c etf.Term) {}},
		} {
			n := c.Start(name)
			if err := n.Export("erpc", functions); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := rpc.Start(n); err == nil || !strings.Contains(err.Error(), "erpc:execute_"+name+" is exported already") {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
		n := c.Start("rex")
		if _, err := n.Spawn(asked, truss.Registered("rex")); err != nil {
			t.Fatal(err)
		}
		first, second := rpc.Start(n), rpc.Start(n)
		if !errors.Is(first, truss.ErrNameTaken) || second == nil || !strings.Contains(second.Error(), truss.ErrNameTaken.Error()) {
			t.Errorf("%v, and then %v", first, second)
		}
	})
}
