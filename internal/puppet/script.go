package puppet

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Script is a text of commands, one a line, # to the end of the line a comment:
//
//	nodes a b c           start nodes, and connect each to every other
//	spawn p q on a        start puppets
//	p: link q; exit q boom | q: link p
//	                      what puppets do (see Verb), several at once
//	settle                wait until nothing is under way; what happened is the trace
//	connect a b           disconnect a b
//	partition a|b c       no byte passes between the groups, and nobody is told
//	heal
//	wait 80s
//	crash b               the node ends without a word
//	restart b             it starts anew, without its puppets, connected to nobody
//	close a               it leaves the cluster in good order
//
// Below a line of dashes is the trace expected.
type Script struct {
	Text     string // as written, down to the dashes
	Expected string
	commands []command
}

type command struct {
	line   int
	verb   string
	args   []string
	bursts []Burst // instead of verb and args
}

const dashes = "----\n"

// Parse reads a script.
func Parse(text string) (*Script, error) {
	s := &Script{Text: text}
	if before, after, ok := strings.Cut(text, dashes); ok {
		s.Text, s.Expected = before, after
	}
	for i, line := range strings.Split(s.Text, "\n") {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		c, err := parseCommand(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		c.line = i + 1
		s.commands = append(s.commands, c)
	}
	return s, nil
}

// With is the script with another trace expected.
func (s *Script) With(trace string) string { return s.Text + dashes + trace }

func parseCommand(line string) (command, error) {
	if strings.Contains(line, ":") {
		bursts, err := parseBursts(line)
		return command{bursts: bursts}, err
	}
	words := strings.Fields(line)
	c := command{verb: words[0], args: words[1:]}
	n := len(c.args)
	ok := false
	switch c.verb {
	case "nodes":
		ok = n > 0
	case "spawn":
		ok = n >= 3 && c.args[n-2] == "on"
	case "settle", "heal":
		ok = n == 0
	case "connect", "disconnect":
		ok = n == 2
	case "partition":
		ok = strings.Count(line, "|") == 1
	case "wait":
		if ok = n == 1; ok {
			_, err := time.ParseDuration(c.args[0])
			return c, err
		}
	case "crash", "restart", "close":
		ok = n == 1
	}
	if !ok {
		return c, fmt.Errorf("%q is no command", line)
	}
	return c, nil
}

// groups are those of a partition command.
func (c command) groups() [][]string {
	var groups [][]string
	for group := range strings.SplitSeq(strings.Join(c.args, " "), "|") {
		groups = append(groups, strings.Fields(group))
	}
	return groups
}

// Uses tells whether any of these commands is in the script.
func (s *Script) Uses(verbs ...string) bool {
	return slices.ContainsFunc(s.commands, func(c command) bool { return slices.Contains(verbs, c.verb) })
}

// Ends tells whether the script crashes, restarts or closes a node.
func (s *Script) Ends(node string) bool {
	return slices.ContainsFunc(s.commands, func(c command) bool {
		return slices.Contains([]string{"crash", "restart", "close"}, c.verb) && c.args[0] == node
	})
}
