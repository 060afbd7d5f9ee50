package puppet

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"
)

// Settler settles hosts on a real network, where nobody can say that nothing is
// under way: it pushes markers through all connections until nothing new has come
// of several pushes. Each push carries every signal that was under way a hop
// further, so a cascade of exits shows in each; two kinds of signal show in
// nothing themselves, but only in the answer: LINK and MONITOR to nobody. Three
// quiet pushes are one more than such a pair needs.
type Settler struct {
	Apart func(a, b string) bool // nodes that are partitioned; nil for none
	last  atomic.Int64
}

const quietPushes = 3

// Settle settles these hosts.
func (s *Settler) Settle(ctx context.Context, hosts []Host) error {
	peers, err := s.peers(ctx, hosts)
	if err != nil {
		return err
	}
	quiet, seen := 0, -1
	for quiet < quietPushes {
		number := int(s.last.Add(1))
		var total atomic.Int64
		err := AtOnce(hosts, func(h Host) error {
			n, err := h.Flush(ctx, number, peers[h.Name()])
			total.Add(int64(n))
			return err
		})
		if err != nil {
			return err
		}
		if int(total.Load()) == seen {
			quiet++
		} else {
			quiet, seen = 0, int(total.Load())
		}
	}
	return nil
}

// peers is whom each host is connected to, once any two agree about that: the loss
// of a connection shows on one side first.
func (s *Settler) peers(ctx context.Context, hosts []Host) (map[string][]string, error) {
	for {
		peers, agreed, err := s.ask(ctx, hosts)
		if err != nil || agreed {
			return peers, err
		}
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return nil, fmt.Errorf("nodes do not agree about who is connected: %v: %w", peers, context.Cause(ctx))
		}
	}
}

func (s *Settler) ask(ctx context.Context, hosts []Host) (peers map[string][]string, agreed bool, err error) {
	peers = make(map[string][]string)
	for _, h := range hosts {
		all, err := h.Nodes(ctx)
		if err != nil {
			return nil, false, err
		}
		peers[h.Name()] = slices.DeleteFunc(slices.Clone(all), func(peer string) bool { return s.Apart != nil && s.Apart(h.Name(), peer) })
	}
	for name, all := range peers {
		for _, peer := range all {
			if !slices.Contains(peers[peer], name) {
				return peers, false, nil
			}
		}
	}
	return peers, true, nil
}
