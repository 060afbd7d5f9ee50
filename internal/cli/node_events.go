package cli

import (
	"errors"
	"strings"

	"github.com/truss-beam/truss"
)

// nodeLine is what truss node prints, as JSON.
type nodeLine struct {
	Event  string `json:"event"` // ready, nodeup, nodedown
	Node   string `json:"node"`
	Port   int    `json:"port,omitempty"`   // ready
	Hidden bool   `json:"hidden,omitempty"` // ready: this node; else the other
	Reason string `json:"reason,omitempty"` // nodedown: one word
	Detail string `json:"detail,omitempty"` // nodedown: what the word does not say
}

func (l nodeLine) String() string {
	text := l.Event + " " + l.Node
	if l.Reason != "" {
		text += " " + l.Reason
	}
	return text
}

// printEvents prints that the node is ready, and then its events and what it hears,
// until they end.
func (f *nodeFlags) printEvents(t *terminal, c *citizen) error {
	node := c.node
	ready := nodeLine{Event: "ready", Node: node.Name(), Port: node.Port(), Hidden: node.Hidden()}
	if err := t.print(ready.String(), ready); err != nil {
		return err
	}
	for {
		var err error
		select {
		case m := <-c.heard.messages:
			err = t.print(m.String(), m)
		case event, ok := <-c.events:
			if !ok {
				return nil
			}
			if event.Hidden && !f.all && !node.Hidden() {
				continue
			}
			line := eventLine(event)
			err = t.print(line.String(), line)
		}
		if err != nil {
			return err
		}
	}
}

func eventLine(event truss.NodeEvent) nodeLine {
	line := nodeLine{Event: "nodeup", Node: event.Node, Hidden: event.Hidden}
	if !event.Up {
		line.Event = "nodedown"
		line.Reason, line.Detail = downReason(event.Reason)
	}
	return line
}

// downReason is why a node went down in the word that net_kernel:monitor_nodes
// has for it. What OTP has no word for it calls connection_closed.
func downReason(err error) (word, detail string) {
	for _, known := range []error{truss.ErrTickTimeout, truss.ErrDisconnected, truss.ErrPeerClosed} {
		if errors.Is(err, known) {
			return known.Error(), ""
		}
	}
	if err == nil {
		return truss.ErrPeerClosed.Error(), ""
	}
	return truss.ErrPeerClosed.Error(), strings.TrimPrefix(err.Error(), "truss: ")
}
