package dns

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/truss-beam/truss/discovery"
)

// question is one query for one type.
type question struct {
	query
	t Type
}

// watcher is one Watch under way. Owned by the goroutine that polls.
type watcher struct {
	s         Strategy // with defaults
	prefer    Type
	questions []question // by type, then by query: dns_cluster's order
	known     [][]host   // for each question, its last answer without an error
	epmd      *epmdNames // nil if not asked for
}

func newWatcher(s Strategy, self discovery.Self, queries []query) *watcher {
	w := &watcher{s: s, prefer: A}
	_, own, _ := strings.Cut(self.Name, "@")
	if ip, err := netip.ParseAddr(own); err == nil && ip.Is6() {
		w.prefer = AAAA
	}
	for _, t := range s.Types {
		for _, q := range queries {
			w.questions = append(w.questions, question{q, t})
		}
	}
	w.known = make([][]host, len(w.questions))
	if s.EpmdNames != nil {
		w.epmd = newEpmdNames(s.EpmdNames, self.Logger)
	}
	return w
}

// look is one poll: what there is, and how long until the next.
func (w *watcher) look(ctx context.Context) (discovery.Update, time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	r, err := w.s.newResolver()
	if err != nil {
		return discovery.Update{Err: err}, w.s.Interval
	}
	f := finder{resolver: r, prefer: w.prefer, ignorePorts: w.s.IgnoreSRVPorts}
	answers := make([]answer, len(w.questions))
	parallel(len(answers), func(i int) { answers[i] = f.find(ctx, w.questions[i].name, w.questions[i].t) })
	w.forgive(answers)

	var ttl time.Duration
	var errs []error
	hosts := make([][]host, len(answers))
	for i, a := range answers {
		ttl = shorter(ttl, a.ttl)
		hosts[i] = a.hosts
		if a.err == nil {
			w.known[i] = a.hosts
			continue
		}
		// Only the last full answer is added, not all parts ever seen: those would pile up.
		errs = append(errs, a.err)
		hosts[i] = append(slices.Clip(a.hosts), w.known[i]...)
	}
	return discovery.Update{Peers: w.peers(ctx, hosts), Err: join(errs)}, w.pause(ttl)
}

// forgive takes NXDOMAIN for one type as "no records of this type" if the name was found to exist by another question:
// some servers say so.
func (w *watcher) forgive(answers []answer) {
	exists := make(map[string]bool)
	for i, a := range answers {
		if a.err == nil {
			exists[w.questions[i].name] = true
		}
	}
	for i := range answers {
		if exists[w.questions[i].name] && errors.Is(answers[i].err, ErrNXDomain) && len(answers[i].hosts) == 0 {
			answers[i].err = nil
		}
	}
}

// pause is the time to the next poll. See "When it asks" in the package's documentation.
func (w *watcher) pause(ttl time.Duration) time.Duration {
	if ttl == 0 {
		return w.s.Interval
	}
	return max(w.s.MinInterval, min(w.s.Interval, ttl))
}

// peers names the hosts of each question.
func (w *watcher) peers(ctx context.Context, hosts [][]host) []discovery.Peer {
	names := w.askEpmds(ctx, hosts)
	var list peerList
	for i, q := range w.questions {
		for _, h := range hosts[i] {
			at := ntoa(h.ip)
			if w.s.TargetNames && h.target != "" {
				at = h.target
			}
			for _, base := range w.bases(q, h, names) {
				list.add(base+"@"+at, h.addr())
			}
		}
	}
	return list.peers
}

// bases are the base names of the nodes at h.
func (w *watcher) bases(q question, h host, names map[string][]string) []string {
	if found, ok := names[h.ip.String()]; ok && w.asksEpmd(q, h) {
		return found
	}
	return []string{q.base}
}

func (w *watcher) asksEpmd(q question, h host) bool { return w.epmd != nil && !q.fixed && h.port == 0 }

func (w *watcher) askEpmds(ctx context.Context, hosts [][]host) map[string][]string {
	if w.epmd == nil {
		return nil
	}
	var ask []string
	seen := make(map[string]bool)
	for i, q := range w.questions {
		for _, h := range hosts[i] {
			if at := h.ip.String(); w.asksEpmd(q, h) && !seen[at] {
				seen[at] = true
				ask = append(ask, at)
			}
		}
	}
	return w.epmd.of(ctx, ask)
}

// peerList collects peers, once each, in the order they were found.
type peerList struct {
	peers []discovery.Peer
	index map[string]int
}

func (l *peerList) add(name, addr string) {
	if l.index == nil {
		l.index = make(map[string]int)
	}
	i, ok := l.index[name]
	if !ok {
		i = len(l.peers)
		l.index[name] = i
		l.peers = append(l.peers, discovery.Peer{Name: name})
	}
	if p := &l.peers[i]; addr != "" && !slices.Contains(p.Addrs, addr) {
		p.Addrs = append(p.Addrs, addr)
	}
}
