package epmd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// Client asks epmds. The zero value asks at ERL_EPMD_PORT. Its methods may be
// called from many goroutines; each call is a connection of its own.
//
// Errors say which epmd was asked, and are ErrUnreachable, ErrRefused,
// ErrProtocol, ErrUnknownName, ErrNameTaken, ErrBusy, ErrInvalid or the
// context's, as far as errors.Is is concerned.
type Client struct {
	// Port of every epmd asked. 0: ERL_EPMD_PORT, else 4369.
	Port int

	// Dial connects. nil: net.Dialer.
	Dial Dialer

	// Timeout bounds one question, dial included. 0: 5 s. An epmd answers at once
	// or is stopped.
	Timeout time.Duration
}

// Lookup asks the epmd of a host (a name or an IP address) what it holds about a
// name, the part of a node's name before the @. For an unknown name the error is
// an *UnknownNameError that lists the names there are.
func (c *Client) Lookup(ctx context.Context, host, name string) (Entry, error) {
	if !validName(name) {
		return Entry{}, fmt.Errorf("%w name %q: 1 to 255 characters of UTF-8 without NUL are possible", ErrInvalid, name)
	}
	var e Entry
	err := c.ask(ctx, host, appendRequest(nil, opPortPlease2, name), func(r io.Reader) (err error) {
		e, err = readPortReply(r)
		return err
	})
	if !errors.Is(err, ErrUnknownName) {
		return e, err
	}
	// The list serves the message alone: if it cannot be had, the answer stands.
	known, _ := c.Names(ctx, host)
	return Entry{}, &UnknownNameError{Host: host, Name: name, Known: known}
}

// Names lists what is registered at the epmd of a host, newest first.
func (c *Client) Names(ctx context.Context, host string) ([]NamePort, error) {
	var names []NamePort
	err := c.ask(ctx, host, appendRequest(nil, opNames, ""), func(r io.Reader) error {
		text, err := readListing(r)
		if err != nil {
			return err
		}
		names, err = parseNames(text)
		return err
	})
	return names, err
}

// Dump returns all an epmd knows as lines of text, names without a holder
// included. It answers local peers only.
func (c *Client) Dump(ctx context.Context, host string) ([]string, error) {
	var lines []string
	err := c.ask(ctx, host, appendRequest(nil, opDump, ""), func(r io.Reader) error {
		text, err := readListing(r)
		if err != nil {
			return err
		}
		for line := range strings.SplitSeq(strings.TrimSuffix(string(text), "\x00"), "\x00") {
			if line = strings.TrimSpace(line); line != "" {
				lines = append(lines, line)
			}
		}
		return nil
	})
	return lines, err
}

// Kill ends an epmd that holds no names; with names it refuses (ErrBusy) unless it
// runs with the relaxed check. It answers local peers only.
func (c *Client) Kill(ctx context.Context, host string) error {
	return c.ask(ctx, host, appendRequest(nil, opKill, ""), func(r io.Reader) error {
		word, err := readWord(r, len(killed), killed, notNow)
		if word == notNow {
			return fmt.Errorf("%w, it keeps running", ErrBusy)
		}
		return err
	})
}

// Stop unregisters somebody else's name, which an epmd with the relaxed check
// does for local peers; others refuse (ErrRefused).
func (c *Client) Stop(ctx context.Context, host, name string) error {
	return c.ask(ctx, host, appendRequest(nil, opStop, name), func(r io.Reader) error {
		word, err := readWord(r, len(stopped), stopped, notThere)
		if word == notThere {
			return fmt.Errorf("%w: %s", ErrUnknownName, name)
		}
		return err
	})
}

// ask makes one connection for one question.
func (c *Client) ask(ctx context.Context, host string, request []byte, read func(io.Reader) error) error {
	conn, err := c.converse(ctx, host, request, read)
	if err == nil {
		conn.Close()
	}
	return err
}

// converse connects, asks, and returns the connection open.
func (c *Client) converse(ctx context.Context, host string, request []byte, read func(io.Reader) error) (net.Conn, error) {
	timeout := c.Timeout
	if timeout <= 0 {
		timeout = 5 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	addr, err := c.address(host)
	if err != nil {
		return nil, err
	}
	if len(request)-2 > maxRequest {
		return nil, fmt.Errorf("%w request: %d bytes, epmd takes %d", ErrInvalid, len(request)-2, maxRequest)
	}
	dial := c.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	conn, err := dial(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%w at %s: %w", ErrUnreachable, addr, err)
	}
	// The context ends the connection, not a deadline, so that a caller who gives
	// up early is heard too.
	cut := context.AfterFunc(ctx, func() { conn.Close() })
	_, err = conn.Write(request)
	if err == nil {
		err = read(bufio.NewReaderSize(conn, answerSize)) // nothing comes behind the answer
	}
	if !cut() && err == nil {
		err = net.ErrClosed
	}
	if err != nil {
		conn.Close()
		return nil, explain(ctx, addr, err)
	}
	return conn, nil
}

// answerSize is read at once: all of an answer but a long list.
const answerSize = 512

// explain says in the terms of this package what ended a conversation.
func explain(ctx context.Context, addr string, err error) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("epmd at %s has not answered: %w", addr, ctx.Err())
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("epmd at %s %w", addr, ErrRefused)
	}
	return fmt.Errorf("epmd at %s: %w", addr, err)
}

func (c *Client) address(host string) (string, error) {
	port := c.Port
	if port == 0 {
		var err error
		if port, err = EnvPort(); err != nil {
			return "", err
		}
	}
	if host == "" {
		return "", fmt.Errorf("%w host: it is empty", ErrInvalid)
	}
	return net.JoinHostPort(host, strconv.Itoa(port)), nil
}
