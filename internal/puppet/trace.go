package puppet

import (
	"fmt"
	"slices"
	"strings"

	"github.com/truss-beam/truss/etf"
)

// Names says what a pid is called in a trace.
type Names map[etf.Pid]string

func (n Names) of(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case etf.Pid:
		if name, ok := n[v]; ok {
			return name
		}
		return "a stranger"
	case etf.Tuple:
		if len(v) == 2 {
			node, _, _ := strings.Cut(fmt.Sprint(v[1]), "@")
			return fmt.Sprintf("%v@%s", v[0], node)
		}
	}
	return fmt.Sprint(v)
}

// Canonical is the trace of one round: a line for each event, sorted by puppet,
// in the order the package comment describes.
func Canonical(events []Event, names Names) []string {
	byPuppet := make(map[string][]Event)
	for _, e := range events {
		byPuppet[e.Puppet] = append(byPuppet[e.Puppet], e)
	}
	var lines []string
	for _, puppet := range sortedKeys(byPuppet) {
		lines = append(lines, ofPuppet(puppet, byPuppet[puppet], names)...)
	}
	return lines
}

func ofPuppet(puppet string, events []Event, names Names) []string {
	if i := slices.IndexFunc(events, func(e Event) bool { return e.Kind == Ended }); i >= 0 {
		return []string{fmt.Sprintf("%s ended: %s", puppet, etf.Format(events[i].Term))}
	}
	bySender := make(map[string][]string)
	var downs []string
	for _, e := range events {
		from := names.of(e.From)
		if e.Kind == GotDown {
			downs = append(downs, fmt.Sprintf("%s down %s: %s %s", puppet, e.Label, from, etf.Format(e.Term)))
			continue
		}
		bySender[from] = append(bySender[from], fmt.Sprintf("%s %s from %s: %s", puppet, e.Kind, from, etf.Format(e.Term)))
	}
	var lines []string
	for _, sender := range sortedKeys(bySender) {
		lines = append(lines, bySender[sender]...)
	}
	slices.Sort(downs)
	return append(lines, downs...)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
