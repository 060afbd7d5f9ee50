package global

import (
	"errors"

	"github.com/truss-beam/truss/etf"
)

// What peers send to global_name_server, as events (global.erl, "Messages in the
// protocol").
type (
	initConnect struct {
		vsn, tag int64
		node     string
		locker   etf.Pid
	}
	initConnectAck struct {
		node        string
		yours, mine int64 // the tags as the sender sees them
	}
	cancelConnect struct {
		node string
		tag  int64
	}
	lockSet struct {
		locker   etf.Pid
		set      bool
		tag      int64
		untagged bool
	}
	exchange struct {
		node  string
		names []entry
		tag   int64
	}
	resolved struct {
		node  string
		ops   []operation
		known []member
		ext   []external
		tag   int64
	}
	newNodes struct {
		node  string
		ops   []operation
		ext   []external
		nodes []member
		lock  etf.Term
	}
	inSync         struct{ node string }
	lostConnection struct {
		node     string
		creation int64
		op       int64
		lost     string
	}
	removeConnection struct{ node string }
	whereis          struct {
		name etf.Term
		from caller
	}
	prepareShutdown struct{ from caller }
	called          struct {
		from    caller
		request request
	}
	syncCall struct {
		from  caller
		nodes []string
	}
	disconnectCall struct{ from caller }
)

// member is a node and its protocol version, 0 if that is not known.
type member struct {
	node string
	vsn  int64
}

var errMessage = errors.New("not a message of global's")

// errIgnored is a message that old nodes send and that has no meaning any more.
var errIgnored = errors.New("obsolete")

// parse reads what arrived at global_name_server.
func parse(t etf.Term) (event, error) {
	r := reader{}
	tuple := r.tuple(t, 2, 6)
	if r.bad {
		return nil, errMessage
	}
	var e event
	switch r.atom(tuple[0]) {
	case "$gen_call":
		if len(tuple) == 3 {
			e = r.call(tuple[1], tuple[2])
		}
	case "$gen_cast":
		return parseCast(tuple[1])
	default:
		e = r.info(tuple)
	}
	if r.bad || e == nil {
		return nil, errMessage
	}
	return e, nil
}

func (r *reader) info(t etf.Tuple) event {
	switch tag := r.atom(t[0]); {
	case tag == "init_connect_ack" && len(t) == 4:
		return initConnectAck{node: r.atom(t[1]), yours: r.int(t[2]), mine: r.int(t[3])}
	case tag == "cancel_connect" && len(t) == 3:
		return cancelConnect{node: r.atom(t[1]), tag: r.int(t[2])}
	case tag == "lost_connection" && len(t) == 5:
		return lostConnection{node: r.atom(t[1]), creation: r.int(t[2]), op: r.int(t[3]), lost: r.atom(t[4])}
	case tag == "remove_connection" && len(t) == 2:
		return removeConnection{r.atom(t[1])}
	case tag == "whereis" && len(t) == 3:
		return whereis{name: t[1], from: r.caller(t[2])}
	case tag == "prepare_shutdown" && len(t) == 3:
		return prepareShutdown{caller{pid: r.pid(t[1]), tag: t[2]}}
	case tag == "lock_set" && len(t) == 4:
		return lockSet{locker: r.pid(t[1]), set: r.bool(t[2]), untagged: true}
	}
	return nil
}

func parseCast(t etf.Term) (event, error) {
	r := reader{}
	tuple := r.tuple(t, 1, 7)
	if r.bad {
		return nil, errMessage
	}
	var e event
	switch tag := r.atom(tuple[0]); {
	case tag == "init_connect" && len(tuple) == 4:
		e = r.initConnect(tuple)
	case tag == "exchange" && len(tuple) == 5:
		e = exchange{node: r.atom(tuple[1]), names: r.entries(tuple[2]), tag: r.int(tuple[4])}
	case tag == "resolved" && len(tuple) == 7:
		e = resolved{node: r.atom(tuple[1]), ops: r.ops(tuple[2]), known: r.members(tuple[3]),
			ext: r.externals(tuple[5]), tag: r.int(tuple[6])}
	case tag == "new_nodes" && len(tuple) == 6:
		e = newNodes{node: r.atom(tuple[1]), ops: r.ops(tuple[2]), ext: r.externals(tuple[3]),
			nodes: r.members(tuple[4]), lock: r.lock(tuple[5])}
	case tag == "in_sync" && len(tuple) == 3:
		e = inSync{r.atom(tuple[1])}
	case tag == "lock_set" && len(tuple) == 5:
		e = lockSet{locker: r.pid(tuple[1]), set: r.bool(tuple[2]), tag: r.int(tuple[4])}
	case tag == "lock_set" && len(tuple) == 4:
		e = lockSet{locker: r.pid(tuple[1]), set: r.bool(tuple[2]), untagged: true}
	case tag == "async_del_name" || tag == "async_del_lock":
		return nil, errIgnored // until R13B; now monitors tell
	}
	if r.bad || e == nil {
		return nil, errMessage
	}
	return e, nil
}

// initConnect reads {init_connect, {Vsn, Tag, ...}, Node, {locker, _, _, Locker}}.
func (r *reader) initConnect(t etf.Tuple) event {
	vsn := r.tuple(t[1], 2, 1000)
	locker := r.tuple(t[3], 4, 4)
	if r.bad {
		return nil
	}
	return initConnect{vsn: r.int(vsn[0]), tag: r.int(vsn[1]), node: r.atom(t[2]), locker: r.pid(locker[3])}
}

func (r *reader) call(from, request etf.Term) event {
	c := r.caller(from)
	if name, ok := request.(etf.Atom); ok {
		switch name {
		case "get_known":
			return called{c, getKnown{}}
		case "get_synced":
			return called{c, getSynced{}}
		case "get_protocol_version":
			return called{c, getVersion{}}
		case "get_names_ext":
			return called{c, getExt{}}
		case "disconnect":
			return disconnectCall{c}
		}
		return nil
	}
	t := r.tuple(request, 2, 5)
	if r.bad {
		return nil
	}
	switch tag := r.atom(t[0]); {
	case tag == "set_lock" && len(t) == 2:
		return called{c, setLock{r.lockID(t[1])}}
	case tag == "del_lock" && len(t) == 2:
		return called{c, delLock{r.lockID(t[1])}}
	case tag == "register" && len(t) == 4:
		return called{c, register{entry{t[1], r.pid(t[2]), t[3]}}}
	case tag == "unregister" && len(t) == 2:
		return called{c, unregister{t[1]}}
	case tag == "register_ext" && len(t) == 5:
		return called{c, registerExt{entry{t[1], r.pid(t[2]), t[3]}, r.atom(t[4])}}
	case tag == "sync" && len(t) == 2:
		nodes := []string{} // not nil, which would be all
		for _, n := range r.list(t[1]) {
			nodes = append(nodes, r.atom(n))
		}
		return syncCall{c, nodes}
	}
	return nil
}

// reader reads terms that should have a certain shape; bad says that one had not.
type reader struct{ bad bool }

func (r *reader) tuple(t etf.Term, least, most int) etf.Tuple {
	tuple, ok := t.(etf.Tuple)
	if !ok || len(tuple) < least || len(tuple) > most {
		r.bad = true
	}
	return tuple
}

func (r *reader) list(t etf.Term) etf.List {
	l, ok := t.(etf.List)
	r.bad = r.bad || !ok
	return l
}

func (r *reader) atom(t etf.Term) string {
	a, ok := t.(etf.Atom)
	r.bad = r.bad || !ok
	return string(a)
}

func (r *reader) int(t etf.Term) int64 {
	i, ok := t.(int64)
	r.bad = r.bad || !ok
	return i
}

func (r *reader) pid(t etf.Term) etf.Pid {
	p, ok := t.(etf.Pid)
	r.bad = r.bad || !ok
	return p
}

func (r *reader) bool(t etf.Term) bool {
	a := r.atom(t)
	r.bad = r.bad || a != "true" && a != "false"
	return a == "true"
}

func (r *reader) caller(t etf.Term) caller {
	pair := r.tuple(t, 2, 2)
	if r.bad {
		return caller{}
	}
	return caller{pid: r.pid(pair[0]), tag: pair[1]}
}

func (r *reader) lockID(t etf.Term) lockID {
	pair := r.tuple(t, 2, 2)
	if r.bad {
		return lockID{}
	}
	return lockID{pair[0], pair[1]}
}

func (r *reader) entry(t etf.Term) entry {
	e := r.tuple(t, 3, 3)
	if r.bad {
		return entry{}
	}
	return entry{name: e[0], pid: r.pid(e[1]), method: e[2]}
}

func (r *reader) entries(t etf.Term) (all []entry) {
	for _, e := range r.list(t) {
		all = append(all, r.entry(e))
	}
	return all
}

func (r *reader) ops(t etf.Term) (all []operation) {
	for _, op := range r.list(t) {
		pair := r.tuple(op, 2, 2)
		if r.bad {
			return nil
		}
		switch r.atom(pair[0]) {
		case "insert":
			all = append(all, operation{insert: true, entry: r.entry(pair[1])})
		case "delete":
			all = append(all, operation{entry: entry{name: pair[1]}})
		default:
			r.bad = true
		}
	}
	return all
}

func (r *reader) externals(t etf.Term) (all []external) {
	for _, x := range r.list(t) {
		x := r.tuple(x, 3, 3)
		if r.bad {
			return nil
		}
		all = append(all, external{name: x[0], pid: r.pid(x[1]), node: r.atom(x[2])})
	}
	return all
}

// members reads nodes with their versions or, from old nodes, without.
func (r *reader) members(t etf.Term) (all []member) {
	for _, n := range r.list(t) {
		if name, ok := n.(etf.Atom); ok {
			all = append(all, member{node: string(name)})
			continue
		}
		pair := r.tuple(n, 2, 2)
		if r.bad {
			return nil
		}
		all = append(all, member{r.atom(pair[0]), r.int(pair[1])})
	}
	return all
}

// lock reads the requester out of [{vsn, _}, {lock, {global, Requester}}].
func (r *reader) lock(t etf.Term) etf.Term {
	for _, x := range r.list(t) {
		if pair, ok := x.(etf.Tuple); ok && len(pair) == 2 && pair[0] == etf.Term(etf.Atom("lock")) {
			return r.lockID(pair[1]).requester
		}
	}
	return nil
}

func atoms(names []string) etf.List {
	list := make(etf.List, len(names))
	for i, n := range names {
		list[i] = etf.Atom(n)
	}
	return list
}

func boolean(b bool) etf.Atom {
	if b {
		return "true"
	}
	return "false"
}

func wireOps(ops []operation) etf.List {
	list := make(etf.List, len(ops))
	for i, op := range ops {
		if op.insert {
			list[i] = etf.Tuple{etf.Atom("insert"), etf.Tuple{op.entry.name, op.entry.pid, op.entry.method}}
		} else {
			list[i] = etf.Tuple{etf.Atom("delete"), op.entry.name}
		}
	}
	return list
}

func wireExternals(ext []external) etf.List {
	list := make(etf.List, len(ext))
	for i, x := range ext {
		list[i] = etf.Tuple{x.name, x.pid, etf.Atom(x.node)}
	}
	return list
}

// wireMembers writes nodes as one of a version understands them.
func wireMembers(nodes []member, vsn int64) etf.List {
	list := make(etf.List, len(nodes))
	for i, n := range nodes {
		list[i] = etf.Atom(n.node)
		if vsn >= versionPOP {
			list[i] = etf.Tuple{etf.Atom(n.node), n.vsn}
		}
	}
	return list
}

func (m *machine) wireKnown(vsn int64) etf.List {
	var nodes []member
	for _, n := range m.knownNodes() {
		nodes = append(nodes, member{n, m.known[n]})
	}
	return wireMembers(nodes, vsn)
}
