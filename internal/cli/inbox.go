package cli

import (
	"log/slog"

	"github.com/truss-beam/truss/etf"
	"github.com/truss-beam/truss/pubsub"
)

// message is what was broadcast, as it is printed.
type message struct {
	Event  string `json:"event"` // message
	PubSub string `json:"pubsub"`
	Topic  string `json:"topic"`
	Term   string `json:"term"`
}

func newMessage(name string, m pubsub.Message) message {
	text := m.String() // says that it cannot be read, if that is so
	if term, err := m.Term(); err == nil {
		text = etf.Format(term)
	}
	return message{"message", name, m.Topic, text}
}

func (m message) String() string { return m.Event + " " + m.Topic + " " + m.Term }

// inbox holds what was broadcast until it is printed. Who delivers must not wait for
// whoever reads our output, so what does not fit is lost, and logged.
type inbox struct {
	messages chan message
	log      *slog.Logger
}

func newInbox(log *slog.Logger) inbox { return inbox{make(chan message, 4096), log} }

func (i inbox) subscribe(ps *pubsub.PubSub, name, topic string) error {
	_, err := ps.Subscribe(topic, pubsub.Func(func(m pubsub.Message) {
		select {
		case i.messages <- newMessage(name, m):
		default:
			i.log.Warn("a message is lost: they come faster than they are read here", "topic", topic)
		}
	}))
	return err
}
