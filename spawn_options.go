package truss

import "github.com/truss-beam/truss/etf"

// childOptions are the options of a spawn request that mean something here.
type childOptions struct{ link, monitor bool }

// parseSpawnOptions reads the options of a spawn request; false is badopt. Those of
// the BEAM's scheduler and garbage collector are accepted, for they have no
// effect that could be missed.
func parseSpawnOptions(list etf.Term) (o childOptions, ok bool) {
	options, ok := list.(etf.List)
	if !ok {
		return o, false
	}
	for _, option := range options {
		key, value := option, etf.Term(nil)
		if pair, ok := option.(etf.Tuple); ok && len(pair) == 2 {
			key, value = pair[0], pair[1]
		}
		name, ok := key.(etf.Atom)
		if !ok || !o.set(name, value) {
			return o, false
		}
	}
	return o, true
}

func (o *childOptions) set(name etf.Atom, value etf.Term) bool {
	switch name {
	case "link": // 29 knows {link, Options} too
		o.link = true
		return value == nil || isList(value)
	case "monitor":
		o.monitor = true
		return value == nil || isList(value)
	case "priority", "message_queue_data", "async_dist":
		_, ok := value.(etf.Atom)
		return ok
	case "max_heap_size":
		_, isMap := value.(etf.Map)
		return isMap || isSize(value)
	case "min_heap_size", "min_bin_vheap_size", "fullsweep_after":
		return isSize(value)
	}
	return false
}

func isList(t etf.Term) bool {
	_, ok := t.(etf.List)
	return ok
}

func isSize(t etf.Term) bool {
	size, ok := t.(int64)
	return ok && size >= 0
}
