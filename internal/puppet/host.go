package puppet

import (
	"context"

	"github.com/truss-beam/truss/etf"
)

// Host runs the puppets of one node. Its methods are called one at a time, but
// those of different hosts at once.
type Host interface {
	// Name is the node's full name.
	Name() string
	// Spawn starts puppets by these ids.
	Spawn(ctx context.Context, ids []string) (map[string]etf.Pid, error)
	// Do has puppets act, and returns when all have, or have ended. The To of each op
	// is among targets: an etf.Pid, or a {Name, Node} tuple.
	Do(ctx context.Context, bursts []Burst, targets map[string]etf.Term) error
	// Flush returns when all that these peers' hosts have sent before their Flush of
	// the same number has arrived, and every puppet here has looked at what it got.
	// It returns how many events there have been in all.
	Flush(ctx context.Context, number int, peers []string) (events int, err error)
	// Clear ends all puppets, and forgets what happened.
	Clear(ctx context.Context) error
	// Take returns the events since the last Take, in order for each puppet.
	Take(ctx context.Context) ([]Event, error)

	Nodes(ctx context.Context) ([]string, error)
	Connect(ctx context.Context, node string) error
	Disconnect(ctx context.Context, node string) error
}

// Kind is the kind of an Event.
type Kind string

const (
	GotMessage Kind = "message"
	GotExit    Kind = "exit"
	GotDown    Kind = "down"
	Ended      Kind = "ended"
)

// Event is one thing that happened to a puppet.
type Event struct {
	Puppet string
	Kind   Kind
	From   any      // of a message the sender's id; of exits and downs an etf.Pid or {Name, Node}
	Label  string   // of a down: the monitor's
	Term   etf.Term // the message, or the reason
}

// MarkerName is the name that every host registers a process under, which gets
// {marker, Number, Node} from those of other hosts.
const MarkerName = "puppets"
