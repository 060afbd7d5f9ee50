package static

import (
	"context"
	"fmt"
	"strings"

	"github.com/truss-beam/truss/discovery"
)

var _ discovery.Strategy = Strategy{}

// Strategy reports the peers of a list. The node itself may be in it, so that every machine can have the same list.
type Strategy struct {
	Nodes []string         // full names, "app@10.0.0.2"; their ports come from epmd
	Peers []discovery.Peer // those whose address is known, to be reached without epmd
}

// Watch reports the list and returns nil. An empty list is a strategy that is switched off; a name that cannot be a
// node's is an error matching [discovery.ErrConfig].
func (s Strategy) Watch(ctx context.Context, self discovery.Self, report func(discovery.Update)) error {
	peers, err := s.peers()
	if err != nil {
		return err
	}
	if len(peers) > 0 && ctx.Err() == nil {
		report(discovery.Update{Peers: peers})
	}
	return nil
}

// peers is the list without repetitions.
func (s Strategy) peers() ([]discovery.Peer, error) {
	all := make([]discovery.Peer, 0, len(s.Nodes)+len(s.Peers))
	for _, name := range s.Nodes {
		all = append(all, discovery.Peer{Name: name})
	}
	all = append(all, s.Peers...)

	var unique []discovery.Peer
	index := make(map[string]int)
	for _, p := range all {
		base, host, ok := strings.Cut(p.Name, "@")
		if !ok || base == "" || host == "" || strings.ContainsAny(host, "@ \t\r\n") {
			return nil, fmt.Errorf("%w: static: %q is not a full node name such as app@10.0.0.2", discovery.ErrConfig, p.Name)
		}
		if i, seen := index[p.Name]; seen {
			unique[i].Addrs = append(unique[i].Addrs[:len(unique[i].Addrs):len(unique[i].Addrs)], p.Addrs...)
			continue
		}
		index[p.Name] = len(unique)
		unique = append(unique, p)
	}
	return unique, nil
}
