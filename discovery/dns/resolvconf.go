package dns

import (
	"fmt"
	"net"
	"strings"
	"time"

	mdns "github.com/miekg/dns"
)

// newResolver reads resolv.conf; see Strategy.Server.
func (s Strategy) newResolver() (*resolver, error) {
	conf, err := mdns.ClientConfigFromFile(s.ResolvConf)
	if err != nil {
		conf = &mdns.ClientConfig{Port: "53", Ndots: 1, Timeout: 5, Attempts: 2}
	}
	servers := conf.Servers
	if s.Server != "" {
		servers, err = []string{s.Server}, nil
	}
	r := &resolver{conf: conf, timeout: time.Duration(conf.Timeout) * time.Second, exchange: s.Exchange}
	for _, server := range servers {
		r.servers = append(r.servers, withPort(server, conf.Port))
	}
	if len(r.servers) == 0 {
		return nil, noServer(s.ResolvConf, err)
	}
	return r, nil
}

func withPort(server, port string) string {
	if _, _, err := net.SplitHostPort(server); err == nil {
		return server
	}
	return net.JoinHostPort(trimBrackets(server), port)
}

func noServer(path string, err error) error {
	why := "has no nameserver line"
	if err != nil {
		why = "cannot be read: " + err.Error()
	}
	return fmt.Errorf("dns: %w: %s %s; set Strategy.Server", ErrNoServer, path, why)
}

func trimBrackets(host string) string {
	return strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
}
