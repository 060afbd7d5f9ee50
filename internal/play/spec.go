package play

import "net/netip"

// kind is what a machine runs.
type kind int

const (
	goMachine   kind = iota // truss node
	beamMachine             // erl
)

func (k kind) prefix() string {
	if k == beamMachine {
		return "b"
	}
	return "m"
}

// spec is what stays the same when a machine ends and is started again.
type spec struct {
	ID     string // m1, b4: the letter is its kind, the number is unique
	Number int
	Kind   kind
	Node   string // demo@127.0.8.1
	Addr   netip.Addr
	Port   uint16 // 0 leaves it to the system
	Region string // where it says it is; a BEAM does not
}

// report is something a machine tells: a line it printed, or its end.
type report struct {
	Event  string `json:"event"` // ready, nodeup, nodedown, message; log and exit are ours
	Node   string `json:"node"`
	Port   int    `json:"port"`   // ready
	OTP    string `json:"otp"`    // ready, of a BEAM
	Reason string `json:"reason"` // nodedown, exit; the line of a log
	Topic  string `json:"topic"`  // message
	Term   string `json:"term"`   // message
}

// process is a machine that runs.
type process interface {
	pid() int
	stop() // ask it to leave; the report exit follows
	kill() // as a power cut; the report exit follows
}

// launcher starts machines. tell gets what they report, from several goroutines,
// the exit last.
type launcher interface {
	launch(m spec, tell func(report)) (process, error)
}
