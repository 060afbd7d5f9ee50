package pg

import (
	"errors"

	"github.com/truss-beam/truss/etf"
)

// membership is a group with members, as a sync lists it.
type membership struct {
	name
	pids []etf.Pid
}

// change is what has changed in one group.
type change struct {
	name
	joined, left []etf.Pid
}

// What is sent. Anything a BEAM scope does not know ends it, so these are all
// there is, and exactly as OTP 25 writes them.

func discoverMessage(self etf.Pid) etf.Term { return etf.Tuple{etf.Atom("discover"), self} }

func syncMessage(self etf.Pid, groups etf.List) etf.Term {
	return etf.Tuple{etf.Atom("$gen_cast"), etf.Tuple{etf.Atom("sync"), self, groups}}
}

func joinMessage(self etf.Pid, group etf.Term, pids []etf.Pid) etf.Term {
	return etf.Tuple{etf.Atom("join"), self, group, pidList(pids)}
}

func leaveMessage(self etf.Pid, pids []etf.Pid, groups etf.List) etf.Term {
	return etf.Tuple{etf.Atom("leave"), self, pidList(pids), groups}
}

func pidList(pids []etf.Pid) etf.List {
	list := make(etf.List, len(pids))
	for i, pid := range pids {
		list[i] = pid
	}
	return list
}

var errUnknown = errors.New("pg: no message of the protocol")

// hear feeds a message of a peer to the machine. What is no message of either
// version of the protocol is an error and changes nothing.
func (m *machine) hear(t etf.Term) error {
	tuple, ok := t.(etf.Tuple)
	if ok && len(tuple) == 2 && tuple[0] == etf.Term(etf.Atom("$gen_cast")) {
		tuple, ok = tuple[1].(etf.Tuple)
	}
	if !ok || len(tuple) < 2 {
		return errUnknown
	}
	tag, _ := tuple[0].(etf.Atom)
	peer, isPid := tuple[1].(etf.Pid)
	if !isPid {
		return errUnknown
	}
	switch {
	case tag == "discover" && len(tuple) <= 3: // {discover, Peer} and {discover, Peer, Version}
		m.discover(peer)
		return nil
	case tag == "sync" && len(tuple) == 3:
		return m.hearSync(peer, tuple[2])
	case tag == "local_data" && len(tuple) == 4: // {local_data, Peer, Version, #{Group => Pids}}
		return m.hearSync(peer, tuple[3])
	case tag == "join" && len(tuple) == 4:
		return m.hearJoin(peer, tuple[2], tuple[3])
	case tag == "leave" && len(tuple) == 4:
		return m.hearLeave(peer, tuple[2], tuple[3])
	case tag == "update" && len(tuple) == 3: // {update, Peer, [{Group, Joined, Left}]}
		return m.hearUpdate(peer, tuple[2])
	}
	return errUnknown
}

func (m *machine) hearSync(peer etf.Pid, t etf.Term) error {
	var groups []membership
	add := func(group, pids etf.Term) error {
		g := membership{}
		var err error
		if g.name, err = nameOfTerm(group); err != nil {
			return err
		}
		if g.pids, err = pidsOf(pids); err != nil {
			return err
		}
		groups = append(groups, g)
		return nil
	}
	switch t := t.(type) {
	case etf.Map:
		for _, e := range t {
			if err := add(e.Key, e.Value); err != nil {
				return err
			}
		}
	case etf.List:
		for _, e := range t {
			pair, ok := e.(etf.Tuple)
			if !ok || len(pair) != 2 {
				return errUnknown
			}
			if err := add(pair[0], pair[1]); err != nil {
				return err
			}
		}
	default:
		return errUnknown
	}
	m.sync(peer, groups)
	return nil
}

func (m *machine) hearJoin(peer etf.Pid, group, pids etf.Term) error {
	c, err := changeOf(group, pids, etf.List{})
	if err != nil {
		return err
	}
	m.update(peer, []change{c})
	return nil
}

func (m *machine) hearLeave(peer etf.Pid, pids, groups etf.Term) error {
	list, ok := groups.(etf.List)
	if !ok {
		return errUnknown
	}
	changes := make([]change, len(list))
	for i, group := range list {
		var err error
		if changes[i], err = changeOf(group, etf.List{}, pids); err != nil {
			return err
		}
	}
	m.update(peer, changes)
	return nil
}

func (m *machine) hearUpdate(peer etf.Pid, t etf.Term) error {
	list, ok := t.(etf.List)
	if !ok {
		return errUnknown
	}
	changes := make([]change, len(list))
	for i, e := range list {
		triple, ok := e.(etf.Tuple)
		if !ok || len(triple) != 3 {
			return errUnknown
		}
		var err error
		if changes[i], err = changeOf(triple[0], triple[1], triple[2]); err != nil {
			return err
		}
	}
	m.update(peer, changes)
	return nil
}

func changeOf(group, joined, left etf.Term) (c change, err error) {
	if c.name, err = nameOfTerm(group); err != nil {
		return c, err
	}
	if c.joined, err = pidsOf(joined); err != nil {
		return c, err
	}
	c.left, err = pidsOf(left)
	return c, err
}

// pidsOf reads one pid or a list of them.
func pidsOf(t etf.Term) ([]etf.Pid, error) {
	if pid, ok := t.(etf.Pid); ok {
		return []etf.Pid{pid}, nil
	}
	list, ok := t.(etf.List)
	if !ok {
		return nil, errUnknown
	}
	pids := make([]etf.Pid, len(list))
	for i, e := range list {
		if pids[i], ok = e.(etf.Pid); !ok {
			return nil, errUnknown
		}
	}
	return pids, nil
}
