// Command nats is the contender NATS core: a broker in a process of its own, a
// process that subscribes and answers, and one that publishes and asks.
package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/truss-beam/truss/bench/internal/contender"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "broker" {
		if err := broker(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	contender.Program{Serve: serve, Drive: drive}.Main()
}

// broker runs the server, as it is configured by default, until its input ends.
func broker(port string) error {
	options := &server.Options{Host: "127.0.0.1", NoLog: true, NoSigs: true}
	if _, err := fmt.Sscan(port, &options.Port); err != nil {
		return err
	}
	s, err := server.NewServer(options)
	if err != nil {
		return err
	}
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		return errors.New("the broker does not come up")
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	s.Shutdown()
	return nil
}

// begin asks for receivers, done is what one of them confirms.
type begin struct {
	Payload         string
	Receivers, Each int
	Subjects        []string
}

func serve(j contender.Job) (string, error) {
	program, err := os.Executable()
	if err != nil {
		return "", err
	}
	cmd := exec.Command(program, "broker", fmt.Sprint(j.Port))
	cmd.Stderr = os.Stderr
	// Never closed but by the kernel when this process ends, and with it the broker.
	if _, err := cmd.StdinPipe(); err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	go func() {
		// This also keeps the pipe from being collected, and so closed.
		fmt.Fprintln(os.Stderr, "the broker ended:", cmd.Wait())
		os.Exit(1)
	}()
	url := fmt.Sprintf("nats://127.0.0.1:%d", j.Port)
	nc, err := nats.Connect(url, nats.RetryOnFailedConnect(true), nats.ReconnectWait(20*time.Millisecond))
	if err != nil {
		return "", err
	}
	if err := nc.FlushTimeout(10 * time.Second); err != nil {
		return "", err
	}
	if _, err := nc.Subscribe("start", func(m *nats.Msg) { startReceivers(nc, m) }); err != nil {
		return "", err
	}
	_, err = nc.Subscribe("calc", func(m *nats.Msg) {
		var numbers [2]uint64
		if _, err := binary.Decode(m.Data, binary.BigEndian, &numbers); err == nil {
			_ = m.Respond(binary.BigEndian.AppendUint64(nil, numbers[0]+numbers[1]))
		}
	})
	if err != nil {
		return "", err
	}
	return url, nc.Flush()
}

// startReceivers answers, once it has subscribed, and sends each receiver's
// receipt to the same inbox.
func startReceivers(nc *nats.Conn, m *nats.Msg) {
	var request begin
	if json.Unmarshal(m.Data, &request) != nil || len(request.Subjects) != request.Receivers {
		return // the driver notices that no answer comes
	}
	for _, subject := range request.Subjects {
		if receive(nc, subject, m.Reply, request) != nil {
			return
		}
	}
	if nc.Flush() == nil {
		_ = m.Respond([]byte("ready"))
	}
}

func receive(nc *nats.Conn, subject, reply string, request begin) error {
	var count atomic.Uint64
	var sum uint64
	sub, err := nc.SubscribeSync(subject)
	if err != nil {
		return err
	}
	go func() {
		defer func() { _ = sub.Unsubscribe() }()
		for count.Load() < uint64(request.Each) {
			m, err := sub.NextMsg(contender.IdleLimit)
			if errors.Is(err, nats.ErrSlowConsumer) {
				continue // some are lost, which the count will tell
			}
			if err != nil {
				break
			}
			count.Add(1)
			sum += read(request.Payload, m.Data)
		}
		b, _ := json.Marshal(contender.Receipt{Count: count.Load(), Sum: sum})
		_ = nc.Publish(reply, b)
	}()
	return nil
}

// read is the sum of one message; the small tuple is its number and a byte.
func read(payload string, b []byte) uint64 {
	if payload == "tuple" && len(b) == 9 {
		return binary.BigEndian.Uint64(b)
	}
	return contender.Sum(b)
}

func drive(j contender.Job) (contender.Figures, error) {
	nc, err := nats.Connect(j.Peer)
	if err != nil {
		return nil, err
	}
	switch j.Scenario {
	case "send":
		return contender.Flow(j, func(each int, payloads [][]byte) (contender.Receipt, error) {
			return flow(nc, j, each, payloads)
		})
	case "call":
		return calls(nc, j)
	}
	return nil, fmt.Errorf("no scenario %q", j.Scenario)
}

func calls(nc *nats.Conn, j contender.Job) (contender.Figures, error) {
	question, err := binary.Append(nil, binary.BigEndian, [2]uint64{1, 2})
	if err != nil {
		return nil, err
	}
	return contender.Trips(j, func(work func(func() error) error) error {
		return work(func() error {
			m, err := nc.Request("calc", question, 20*time.Second)
			if err == nil && (len(m.Data) != 8 || binary.BigEndian.Uint64(m.Data) != 3) {
				err = fmt.Errorf("1 + 2 is %x", m.Data)
			}
			return err
		})
	})
}

func flow(nc *nats.Conn, j contender.Job, each int, payloads [][]byte) (contender.Receipt, error) {
	var total contender.Receipt
	inbox := nats.NewInbox()
	answers, err := nc.SubscribeSync(inbox)
	if err != nil {
		return total, err
	}
	defer func() { _ = answers.Unsubscribe() }()
	request := begin{Payload: j.Payload, Receivers: j.Senders, Each: each}
	for i := range j.Senders {
		request.Subjects = append(request.Subjects, fmt.Sprintf("data.%s.%d", inbox, i))
	}
	b, err := json.Marshal(request)
	if err != nil {
		return total, err
	}
	if err := nc.PublishRequest("start", inbox, b); err != nil {
		return total, err
	}
	if _, err := answers.NextMsg(20 * time.Second); err != nil {
		return total, fmt.Errorf("the server does not answer: %w", err)
	}
	sent := make(chan error, j.Senders)
	for _, subject := range request.Subjects {
		go func() { sent <- publish(nc, subject, j, each, payloads) }()
	}
	for range j.Senders {
		if err := <-sent; err != nil {
			return total, err
		}
	}
	if err := nc.Flush(); err != nil {
		return total, err
	}
	for range j.Senders {
		m, err := answers.NextMsg(time.Minute)
		if err != nil {
			return total, err
		}
		var r contender.Receipt
		if err := json.Unmarshal(m.Data, &r); err != nil {
			return total, err
		}
		total = total.Add(r)
	}
	return total, nil
}

func publish(nc *nats.Conn, subject string, j contender.Job, each int, payloads [][]byte) error {
	var tuple [9]byte
	for i := range each {
		b := payloads[i%len(payloads)]
		if j.Payload == "tuple" {
			binary.BigEndian.PutUint64(tuple[:], uint64(i))
			b = tuple[:]
		}
		if err := nc.Publish(subject, b); err != nil {
			return err
		}
	}
	return nil
}
