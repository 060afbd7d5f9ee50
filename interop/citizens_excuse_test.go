package interop

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A cluster of BEAMs alone does not always come to agree on its names after a cut:
// -beams_only shows it. Two races of OTP's global lose a name on a node that nobody
// repairs, and each BEAM here watches its own global_name_server for them
// (testdata/citizen.erl, fate):
//
//	dropped    a registrar had its locks taken by a lost connection, and registers all
//	           the same: the node drops the name, and the registrar says yes
//	forgotten  two BEAMs start their session over, and one learns of the other by a
//	           third node meanwhile: what is under way of the session then has it delete
//	           all names of a node that it stays in sync with (OTP 27 and 29)
//
// A name that is missing is excused only if every node that lacks it is a BEAM that
// has seen just that process lose just that name so, and by another BEAM's doing. What
// we lack, what two nodes have for different processes, and what a BEAM lacks by our
// doing or for any other reason is never excused.
//
// An excused name is unregistered, as its user would have to; then all must agree again.

// excuse is a name that a race of OTP's has lost on some nodes.
type excuse struct {
	name, pid string
	holder    string   // a node that has it
	lost      []string // who lost it, and how
}

// excused returns an excuse for each name that not all nodes have. Its error says of
// one that there is none for it.
func excused(names, lost map[string]string, isBEAM func(node string) bool) ([]excuse, error) {
	parse := func(list string) map[string]string {
		all := make(map[string]string)
		for _, entry := range strings.Fields(list) {
			name, rest, _ := strings.Cut(entry, "=")
			all[name] = rest
		}
		return all
	}
	holders := make(map[string]map[string]string) // by name, the pid by node
	for node, list := range names {
		for name, pid := range parse(list) {
			if holders[name] == nil {
				holders[name] = make(map[string]string)
			}
			holders[name][node] = pid
		}
	}
	var excuses []excuse
	for _, name := range slices.Sorted(maps.Keys(holders)) {
		has := holders[name]
		e := excuse{name: name}
		for _, node := range slices.Sorted(maps.Keys(names)) {
			switch pid, ok := has[node]; {
			case ok && e.holder == "":
				e.holder, e.pid = node, pid
			case ok && pid != e.pid:
				return nil, fmt.Errorf("%s is %s and %s", name, pid, e.pid)
			}
		}
		for _, node := range slices.Sorted(maps.Keys(names)) {
			if _, ok := has[node]; ok {
				continue
			}
			pid, how, _ := strings.Cut(parse(lost[node])[name], "=")
			how, by, _ := strings.Cut(how, "=")
			if !isBEAM(node) || pid != e.pid || !isBEAM(by) || by == node {
				return nil, fmt.Errorf("%s lacks %s, for no reason of OTP's", node, name)
			}
			e.lost = append(e.lost, fmt.Sprintf("%s on %s by %s", how, node, by))
		}
		if len(e.lost) > 0 {
			excuses = append(excuses, e)
		}
	}
	return excuses, nil
}

// errCured: what OTP lost has been taken from all; now they must agree.
var errCured = errors.New("cured")

// cure unregisters the names that OTP lost. If others are missing, its error is theirs.
func (c *city) cure(names map[string]string) error {
	lost, err := c.askAll(isBEAM, answerLimit, "lost")
	if err != nil {
		return err
	}
	excuses, err := excused(names, lost, func(node string) bool {
		return slices.ContainsFunc(c.seats, func(s *seat) bool { return s.name == node && s.release != nil })
	})
	if err != nil {
		return fmt.Errorf("%w\n%w", err, same("names", names))
	}
	for _, e := range excuses {
		line := fmt.Sprintf("OTP lost %s=%s: %s", e.name, e.pid, strings.Join(e.lost, ", "))
		c.logf("%s", line)
		c.t.Log(line)
		c.excuses++
		if _, err := c.askAll(func(s *seat) bool { return s.name == e.holder }, limit, "unregister", e.name); err != nil {
			return fmt.Errorf("%w: %w", errHangs, err)
		}
	}
	return errCured
}
