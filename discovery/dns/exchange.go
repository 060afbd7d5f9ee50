package dns

import (
	"context"
	"net"

	mdns "github.com/miekg/dns"
)

// Exchange sends query to server ("10.0.0.2:53") over network ("udp" or "tcp") and returns the reply, within ctx.
type Exchange func(ctx context.Context, network, server string, query *mdns.Msg) (*mdns.Msg, error)

// overNetwork is the usual Exchange. miekg's client keeps a context's deadline but does not notice its end, so a Run
// that is stopped would wait for a dead server's timeout: ending ctx ends the read here.
func overNetwork(ctx context.Context, network, server string, query *mdns.Msg) (*mdns.Msg, error) {
	var d net.Dialer
	raw, err := d.DialContext(ctx, network, server)
	if err != nil {
		return nil, err
	}
	defer raw.Close()
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	defer stop()
	// lookLimit stands in for "no timeout of its own": ctx has the one of resolv.conf.
	client := mdns.Client{Net: network, Timeout: lookLimit}
	reply, _, err := client.ExchangeWithConnContext(ctx, query, &mdns.Conn{Conn: raw, UDPSize: udpSize})
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return reply, err
}

// udpSize is the largest UDP answer we ask for: what crosses any path without fragments (DNS flag day 2020).
const udpSize = 1232

// ask puts one question to one server: over UDP, again without EDNS0 if the server does not know that, and again over
// TCP if the answer did not fit. The reply comes with ErrTruncated if it is only the part that did.
func (r *resolver) ask(ctx context.Context, server, fqdn string, qtype uint16) (*mdns.Msg, error) {
	m := new(mdns.Msg).SetQuestion(fqdn, qtype).SetEdns0(udpSize, false)
	reply, err := r.exchangeOnce(ctx, "udp", server, m)
	if err == nil && (reply.Rcode == mdns.RcodeFormatError || reply.Rcode == mdns.RcodeNotImplemented) {
		m.Extra = nil
		reply, err = r.exchangeOnce(ctx, "udp", server, m)
	}
	if err != nil {
		return nil, err
	}
	if reply.Truncated {
		whole, err := r.exchangeOnce(ctx, "tcp", server, m)
		if err != nil || whole.Truncated || whole.Rcode != mdns.RcodeSuccess {
			return reply, ErrTruncated
		}
		reply = whole
	}
	return reply, rcodeError(reply.Rcode)
}

// exchangeOnce is one message each way, within resolv.conf's timeout.
func (r *resolver) exchangeOnce(ctx context.Context, network, server string, m *mdns.Msg) (*mdns.Msg, error) {
	once, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	m.Id = mdns.Id()
	reply, err := r.exchange(once, network, server, m.Copy())
	if err != nil {
		return nil, exchangeError(err)
	}
	if !answers(reply, m) {
		return nil, ErrBadAnswer
	}
	return reply, nil
}

// answers tells whether reply belongs to m. An error reply may come without the question.
func answers(reply, m *mdns.Msg) bool {
	if reply == nil || !reply.Response || reply.Id != m.Id {
		return false
	}
	if len(reply.Question) == 0 {
		return reply.Rcode != mdns.RcodeSuccess
	}
	got, want := reply.Question[0], m.Question[0]
	return got.Qtype == want.Qtype && got.Qclass == want.Qclass &&
		mdns.CanonicalName(got.Name) == mdns.CanonicalName(want.Name)
}
