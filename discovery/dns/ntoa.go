package dns

import "net/netip"

// ntoa prints ip as Erlang's inet:ntoa/1 does, for that is what a BEAM node's name is made with. This is RFC 5952, which
// netip follows, but for the long deprecated IPv4-compatible addresses: ::5 is ::0.0.0.5 there (and ::1 still ::1).
// testdata/ntoa.tsv has OTP's own output.
func ntoa(ip netip.Addr) string {
	if !ip.Is6() || ip.IsUnspecified() || ip.IsLoopback() {
		return ip.String()
	}
	b := ip.As16()
	if [12]byte(b[:12]) == [12]byte{} {
		return "::" + netip.AddrFrom4([4]byte(b[12:])).String()
	}
	return ip.String()
}
