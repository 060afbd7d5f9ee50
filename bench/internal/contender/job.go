package contender

import (
	"errors"
	"flag"
	"fmt"
	"io"
)

// Job is what one process of a contender is to do: its command line.
type Job struct {
	Role     string // serve or drive
	Scenario string // see the table's package
	Payload  string // tuple, or binary of Size bytes
	Size     int
	Count    int // messages, round trips, calls, nodes or processes, over all senders
	Senders  int // also callers
	Subs     int // subscribers of each node to a broadcast
	Warmup   int // units of Count before the clock starts
	Name     string
	Peer     string // what the server printed after "ready"; of several, with commas
	EPMD     int    // port of the epmd to use
	Port     int    // a free port, for a server that cannot choose one
	PID      int    // of the server's process, to look at its memory
	Dynamic  bool   // terms as trees instead of structs
}

// Parse reads a command line, without the program's name.
func Parse(args []string) (Job, error) {
	if len(args) == 0 {
		return Job{}, errors.New("want a role: serve or drive")
	}
	j := Job{Role: args[0]}
	flags := flag.NewFlagSet(j.Role, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&j.Scenario, "scenario", "", "what to measure")
	flags.StringVar(&j.Payload, "payload", "tuple", "tuple or binary")
	flags.IntVar(&j.Size, "size", 0, "bytes of a binary")
	flags.IntVar(&j.Count, "count", 1, "units of work")
	flags.IntVar(&j.Senders, "senders", 1, "senders or callers at once")
	flags.IntVar(&j.Subs, "subs", 0, "subscribers of each node")
	flags.IntVar(&j.Warmup, "warmup", 0, "units of work before the clock starts")
	flags.StringVar(&j.Name, "name", "", "node name")
	flags.StringVar(&j.Peer, "peer", "", "where the server is")
	flags.IntVar(&j.EPMD, "epmd", 0, "port of epmd")
	flags.IntVar(&j.Port, "port", 0, "port to listen on")
	flags.IntVar(&j.PID, "pid", 0, "process id of the server")
	flags.BoolVar(&j.Dynamic, "dynamic", false, "dynamic terms")
	if err := flags.Parse(args[1:]); err != nil {
		return j, err
	}
	if flags.NArg() > 0 {
		return j, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if j.Senders < 1 || j.Count < 1 {
		return j, errors.New("-senders and -count want at least 1")
	}
	return j, nil
}

// Args is the command line that Parse reads.
func (j Job) Args() []string {
	args := []string{j.Role}
	text := func(name, value string) {
		if value != "" {
			args = append(args, "-"+name, value)
		}
	}
	number := func(name string, value int) {
		if value != 0 {
			args = append(args, "-"+name, fmt.Sprint(value))
		}
	}
	text("scenario", j.Scenario)
	text("payload", j.Payload)
	number("size", j.Size)
	number("count", j.Count)
	number("senders", j.Senders)
	number("subs", j.Subs)
	number("warmup", j.Warmup)
	text("name", j.Name)
	text("peer", j.Peer)
	number("epmd", j.EPMD)
	number("port", j.Port)
	number("pid", j.PID)
	if j.Dynamic {
		args = append(args, "-dynamic")
	}
	return args
}
