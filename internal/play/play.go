package play

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"time"
)

// options are the flags of truss play.
type options struct {
	check      bool
	beam       bool
	oneAddress bool
	machines   int
	timeout    time.Duration
}

// play is all that runs while truss play does, but the machines' processes.
type play struct {
	options
	site    *site
	zone    *zone
	cookie  string
	server  *nameServer
	front   *front // nil with one address
	visitor visitor
	cluster *cluster
}

// open prepares everything that machines need; none is started yet.
func open(ctx context.Context, o options, log *slog.Logger, notice func(string, report)) (p *play, err error) {
	p = &play{options: o, zone: newZone(), cookie: newCookie()}
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	erl := ""
	if o.beam {
		if erl, err = exec.LookPath("erl"); err != nil {
			return p, errors.New("--beam needs erl on PATH: install Erlang/OTP 25 or newer, for example Debian's erlang-base")
		}
	}
	self, err := os.Executable()
	if err != nil {
		return p, err
	}
	if p.site, err = findSite(ctx, o.oneAddress); err != nil {
		return p, err
	}
	if o.beam && p.site.oneAddress {
		return p, errors.New("--beam needs more loopback addresses than 127.0.0.1: a BEAM ignores the ports in SRV records, so each needs an address of its own (macOS: sudo ifconfig lo0 alias 127.0.8.254, and so for 127.0.8.1 to 127.0.8.9)")
	}
	p.server = serveDNS(p.zone, p.site.packets, p.site.stream)
	if p.site.front != nil {
		if p.front, err = openFront(ctx, p.site.front, p.site.home, log); err != nil {
			return p, err
		}
	}
	if p.visitor, err = newVisitor(ctx, p.site, p.cookie, log); err != nil {
		return p, err
	}
	machines := &programs{site: p.site, front: p.front, cookie: p.cookie, self: self, erl: erl, log: log}
	p.cluster = newCluster(p.site, p.zone, machines, notice)
	return p, nil
}

// close ends the machines, and then what they needed.
func (p *play) close() {
	if p.cluster != nil {
		p.cluster.close()
	}
	if p.visitor.node != nil {
		_ = p.visitor.close() // nothing runs on it that could be lost
	}
	if p.front != nil {
		p.front.close()
	}
	if p.server != nil {
		_ = p.server.close() // its sockets are closed below in any case
	}
	if p.site != nil {
		_ = p.site.close() // the program ends, and they with it
	}
}

// newCookie is one that other users of the computer cannot guess: who has it can
// run code in the BEAMs.
func newCookie() string {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails since Go 1.24
	return hex.EncodeToString(random[:])
}

// beams is how many BEAM machines --beam adds.
const beams = 2

// run is truss play.
func (o options) run(ctx context.Context, in io.Reader, out *screen, log *slog.Logger) error {
	if o.machines < 1 || o.machines > maxMachines-beams {
		return usageError(fmt.Sprintf("--machines %d is not between 1 and %d", o.machines, maxMachines-beams))
	}
	if o.timeout <= 0 {
		return usageError(fmt.Sprintf("--timeout %v allows no time at all", o.timeout))
	}
	if o.check {
		return o.runCheck(ctx, out, log)
	}
	return o.runSession(ctx, in, out, log)
}

// usageError is a command line that makes no sense.
type usageError string

func (e usageError) Error() string { return string(e) }

// Usage tells internal/cli that this is the user's mistake.
func (usageError) Usage() {}
