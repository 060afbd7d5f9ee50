package interop

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// BEAMs do not always come to agree on their names after a cut: -beams_only shows it of
// some. Four races of OTP's global do that, and each BEAM here watches its own
// global_name_server for them (testdata/citizen.erl, fate):
//
//	unlocked   a registrar had its locks taken by a lost connection, and writes all the
//	           same. A node that it reaches unregisters the name, or drops it, though the
//	           registrar says yes, or takes it though its partition has another process
//	forgotten  two BEAMs start their session over, and one learns of the other by a
//	           third node meanwhile: what is under way of the session then has it delete
//	           all names of a node that it stays in sync with (OTP 27 and 29)
//	untold     a BEAM joins a partition that has yet to notice that it lost a node, and
//	           is given names of that node's processes. The partition notices, and drops
//	           them. When the BEAM then joins the lost node, it does not tell its partition
//	           of those names, for it has them itself
//	unmet      two BEAMs are told of each other by a third node; one of them disconnects
//	           the other, by an old report of a lost connection, but still says that it is
//	           in sync. The other takes that for the end of their new session, and both
//	           wait for each other for ever
//
// A name on which not all agree is excused only
//
//   - if each node that lacks it is a BEAM, and has seen just that process lose just that
//     name so, dropped, forgotten or untold, by another BEAM's doing, and if untold that
//     BEAM has it; or
//   - if the BEAMs do not agree with one another, all of ours do, and a BEAM has seen
//     another BEAM's registrar write that name without its lock since all last agreed.
//
// So what only we have or lack is never excused, nor what a BEAM does by our doing or
// for any other reason. An excused name is unregistered, as its user would have to, and
// one of two BEAMs that wait for each other disconnects the other; then all must agree
// again.

// excuse is a name that a race of OTP's has left unequal.
type excuse struct {
	name   string
	holder string   // a node that has it
	why    []string // who has seen what
}

// testimony is what all visible nodes say, by node.
type testimony struct {
	names    map[string]string
	lost     map[string]string // BEAMs only
	unlocked map[string]string // BEAMs only
}

// excused returns an excuse for each name that not all nodes have. Its error says of
// one that there is none for it.
func (s testimony) excused() (excuses []excuse, err error) {
	nodes := slices.Sorted(maps.Keys(s.names))
	views := make(map[string]map[string]string) // by node, the pid by name
	all := make(map[string]bool)
	for _, node := range nodes {
		views[node] = entries(s.names[node])
		for name := range views[node] {
			all[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		e := excuse{name: name}
		var pids, theirs, ours []string // different ones; "" is none
		for _, node := range nodes {
			pid := views[node][name]
			if pid != "" {
				e.holder = node
			}
			pids = append(pids, pid)
			if s.isBEAM(node) {
				theirs = append(theirs, pid)
			} else {
				ours = append(ours, pid)
			}
		}
		if different(pids) == 1 {
			continue
		}
		if e.why = s.lostBy(name, nodes, views); e.why == nil && different(theirs) > 1 && different(ours) <= 1 {
			e.why = s.unlockedBy(name)
		}
		if e.why == nil {
			return nil, fmt.Errorf("not all agree on %s, for no reason of OTP's", name)
		}
		excuses = append(excuses, e)
	}
	return excuses, nil
}

func (s testimony) isBEAM(node string) bool { _, ok := s.lost[node]; return ok }

// lostBy tells how those that lack a name lost it, nil unless all say so.
func (s testimony) lostBy(name string, nodes []string, views map[string]map[string]string) (why []string) {
	pid := ""
	for _, node := range nodes {
		if p := views[node][name]; p != "" && pid == "" {
			pid = p
		} else if p != "" && p != pid {
			return nil
		}
	}
	for _, node := range nodes {
		if views[node][name] != "" {
			continue
		}
		was, how, _ := strings.Cut(entries(s.lost[node])[name], "=")
		how, by, _ := strings.Cut(how, "=")
		if was != pid || !s.isBEAM(by) || by == node || how == "untold" && views[by][name] != pid {
			return nil
		}
		why = append(why, fmt.Sprintf("%s on %s by %s", how, node, by))
	}
	return why
}

// unlockedBy tells who wrote a name without its lock.
func (s testimony) unlockedBy(name string) (why []string) {
	for _, node := range slices.Sorted(maps.Keys(s.unlocked)) {
		if by := entries(s.unlocked[node])[name]; s.isBEAM(by) && by != node {
			why = append(why, fmt.Sprintf("unlocked on %s by %s", node, by))
		}
	}
	return why
}

// entries splits a=b c=d.
func entries(list string) map[string]string {
	all := make(map[string]string)
	for _, entry := range strings.Fields(list) {
		name, rest, _ := strings.Cut(entry, "=")
		all[name] = rest
	}
	return all
}

func different(list []string) int {
	return len(slices.Compact(slices.Sorted(slices.Values(list))))
}

// errCured: what OTP lost has been taken from all; now they must agree.
var errCured = errors.New("cured")

// unmetLimit is how long two BEAMs may seem to wait for each other: new_nodes that is
// under way would end it.
const unmetLimit = 3 * time.Second

// met has a BEAM disconnect another that it waits for, and that for it.
func (c *city) met() error {
	unmet, err := c.askAll(isBEAM, answerLimit, "unmet")
	if err != nil || strings.Join(slices.Collect(maps.Values(unmet)), "") == "" {
		return err
	}
	time.Sleep(unmetLimit)
	still, err := c.askAll(isBEAM, answerLimit, "unmet")
	if err != nil {
		return err
	}
	for _, s := range c.seats {
		for _, other := range strings.Fields(still[s.name]) {
			if _, isBEAM := still[other]; !isBEAM || !slices.Contains(strings.Fields(unmet[s.name]), other) {
				continue
			}
			c.excuse("%s and %s wait for each other", s.name, other)
			if _, err := s.now.ask(c.t.Context(), limit, "disconnect", other); err != nil {
				return err
			}
			return errCured
		}
	}
	return nil
}

// excuse notes what OTP does by itself.
func (c *city) excuse(format string, args ...any) {
	line := "OTP: " + fmt.Sprintf(format, args...)
	c.logf("%s", line)
	c.t.Log(line)
	c.excuses++
}

// cure unregisters the names that OTP left unequal. If others are, its error is theirs.
func (c *city) cure(names map[string]string) (err error) {
	s := testimony{names: names}
	if s.lost, err = c.askAll(isBEAM, answerLimit, "lost"); err != nil {
		return err
	}
	if s.unlocked, err = c.askAll(isBEAM, answerLimit, "unlocked"); err != nil {
		return err
	}
	excuses, err := s.excused()
	if err != nil {
		return fmt.Errorf("%w\n%w", err, same("names", names))
	}
	for _, e := range excuses {
		c.excuse("%s: %s", e.name, strings.Join(e.why, ", "))
		if _, err := c.askAll(func(s *seat) bool { return s.name == e.holder }, limit, "unregister", e.name); err != nil {
			return fmt.Errorf("%w: %w", errHangs, err)
		}
	}
	return errCured
}
