package global

import (
	"time"

	"github.com/truss-beam/truss/etf"
)

// action is what a machine wants done. Those about the same node must be done in
// order.
type action interface{ isAction() }

type (
	// send sends a message to the global_name_server of a node, or to a pid. as
	// is the process it comes from: what one process sends arrives in order.
	send struct {
		as      etf.Pid // zero: the global_name_server
		node    string
		to      etf.Pid // zero: the global_name_server
		msg     etf.Term
		connect bool // if not connected, connect; else drop it
	}
	// call calls the global_name_server of a node on behalf of one of our
	// processes. A replied or gone event follows.
	call struct {
		as      etf.Pid
		id      int64
		node    string
		request etf.Term
	}
	// answer replies to a gen_server call of a peer.
	answer struct {
		to    caller
		reply etf.Term
	}
	// monitor asks for a down event. A connection is made for it if need be.
	monitor   struct{ pid etf.Pid }
	demonitor struct{ pid etf.Pid }
	// connect asks for a connected event, once global_name_server of the node has been
	// told what is to be said: nil if that is what is said to any that is up.
	connect struct {
		node string
		say  etf.Term
	}
	disconnect struct {
		node string
	}
	// resolve asks for a resolutions event.
	resolve struct {
		node      string
		tag       int64
		conflicts []conflict
	}
	startTimer struct {
		id    int64
		after time.Duration
	}
	stopTimer struct{ id int64 }
	// note is for the log.
	note struct {
		text string
		args []any
	}
)

func (send) isAction()       {}
func (call) isAction()       {}
func (answer) isAction()     {}
func (monitor) isAction()    {}
func (demonitor) isAction()  {}
func (connect) isAction()    {}
func (disconnect) isAction() {}
func (resolve) isAction()    {}
func (startTimer) isAction() {}
func (stopTimer) isAction()  {}
func (note) isAction()       {}

// caller is who called, and the tag that the reply must carry unchanged.
type caller struct {
	pid etf.Pid
	tag etf.Term
}

// conflict is a name that two partitions have registered differently.
type conflict struct {
	name   etf.Term
	his    entry
	ours   entry
	winner winner // filled in by whoever resolves
}

// winner is what a conflict's Method decided.
type winner int

const (
	winnerNone winner = iota // both lose the name
	winnerHis
	winnerOurs
	winnerLost // the method could not be run: his is taken, but we keep what we have
)
