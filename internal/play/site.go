package play

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"

	"github.com/truss-beam/truss/epmd"
)

const (
	// Each play has a block 127.0.K.0/24, so that several can run side by side.
	// 127.0.0.x and 127.0.1.x are in use on many systems (Debian's host name, systemd-resolved).
	firstBlock, lastBlock = 8, 107

	// maxMachines bounds what scale may ask for: each is a process.
	maxMachines = 50

	// homeHost is the address in the block that this program itself uses.
	homeHost = 254

	// dnsPort is the DNS server's. It is what holds the block: the sockets are
	// bound for as long as the play runs, and another play finds them taken.
	dnsPort = 5300

	// firstEpmdPort is where to look for epmd's port. It is not epmd's usual 4369:
	// that has to stay free for whoever starts erl or iex meanwhile, since their
	// epmd binds every address of the computer and gives up if one is taken.
	firstEpmdPort = 4370
)

// site is where the machines are: addresses, and the sockets of this program.
type site struct {
	oneAddress bool // all machines share 127.0.0.1, told apart by port
	home       netip.Addr

	packets  net.PacketConn // the DNS server's
	stream   net.Listener
	dns      netip.AddrPort
	front    net.Listener // epmd as 127.0.0.1 has it; nil with oneAddress
	epmdPort int
}

var localhost = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// findSite binds what a play needs. Without extra loopback addresses (macOS has
// 127.0.0.1 alone) it is one with a single address.
func findSite(ctx context.Context, oneAddress bool) (*site, error) {
	if oneAddress || !canBind(ctx, blockAddr(firstBlock, homeHost)) {
		s := &site{oneAddress: true, home: localhost}
		return s, s.bindDNS(ctx, netip.AddrPortFrom(localhost, 0))
	}
	for block := byte(firstBlock); block <= lastBlock; block++ {
		s := &site{home: blockAddr(block, homeHost)}
		if err := s.bindDNS(ctx, netip.AddrPortFrom(s.home, dnsPort)); err != nil {
			continue // another play's
		}
		if err := s.bindFront(ctx); err != nil {
			s.close()
			return nil, err
		}
		return s, nil
	}
	return nil, fmt.Errorf("port %d is taken on every address from %v to %v: is something listening there on all addresses?",
		dnsPort, blockAddr(firstBlock, homeHost), blockAddr(lastBlock, homeHost))
}

func blockAddr(block, host byte) netip.Addr { return netip.AddrFrom4([4]byte{127, 0, block, host}) }

func canBind(ctx context.Context, addr netip.Addr) bool {
	listener, err := listen(ctx, netip.AddrPortFrom(addr, 0))
	if err != nil {
		return false
	}
	listener.Close()
	return true
}

func listen(ctx context.Context, at netip.AddrPort) (net.Listener, error) {
	var config net.ListenConfig
	return config.Listen(ctx, "tcp", at.String())
}

// bindDNS binds UDP and TCP at the same port, which port 0 leaves to the system.
func (s *site) bindDNS(ctx context.Context, at netip.AddrPort) (err error) {
	var config net.ListenConfig
	const tries = 20 // for the port that the system chose to be free for UDP too
	for range tries {
		if s.stream, err = listen(ctx, at); err != nil {
			return err
		}
		s.dns = s.stream.Addr().(*net.TCPAddr).AddrPort()
		if s.packets, err = config.ListenPacket(ctx, "udp", s.dns.String()); err == nil {
			return nil
		}
		s.stream.Close()
	}
	return err
}

// bindFront finds a port for all epmds of this play: free at 127.0.0.1, which is
// kept, and at the addresses of the block.
func (s *site) bindFront(ctx context.Context) error {
	candidates := []int{}
	if os.Getenv("ERL_EPMD_PORT") != "" {
		port, err := epmd.EnvPort()
		if err != nil {
			return err
		}
		candidates = append(candidates, port)
	}
	for port := firstEpmdPort; port < firstEpmdPort+100; port++ {
		candidates = append(candidates, port)
	}
	var errs []error
	for _, port := range candidates {
		probe, err := listen(ctx, netip.AddrPortFrom(s.home, uint16(port)))
		if err == nil {
			probe.Close()
			s.front, err = listen(ctx, netip.AddrPortFrom(localhost, uint16(port)))
		}
		if err == nil {
			s.epmdPort = port
			return nil
		}
		errs = append(errs, err)
	}
	return fmt.Errorf("no port is free for epmd: %w", errs[len(errs)-1])
}

func (s *site) close() error {
	var errs []error
	for _, c := range []interface{ Close() error }{s.packets, s.stream, s.front} {
		if c != nil {
			if err := c.Close(); !errors.Is(err, net.ErrClosed) {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

// machine returns what the machine of a number is called and where it is. Its
// number is also the end of its address.
func (s *site) machine(number int, k kind) (spec, error) {
	m := spec{ID: k.prefix() + strconv.Itoa(number), Number: number, Kind: k}
	if !s.oneAddress {
		block := s.home.As4()[2]
		m.Addr = blockAddr(block, byte(number))
		m.Node = "demo@" + m.Addr.String()
		if k == beamMachine {
			// It is by this port that the front knows the machine, see front.go.
			m.Port = uint16(9100 + number)
		}
		return m, nil
	}
	m.Addr = localhost
	m.Node = "demo@" + m.ID + "." + domain
	port, err := freePort()
	m.Port = port
	return m, err
}

// freePort is one that the system thinks free. The machine keeps it when it is
// started again.
func freePort() (uint16, error) {
	listener, err := net.Listen("tcp", netip.AddrPortFrom(localhost, 0).String())
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).AddrPort().Port(), nil
}
