package beam

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
)

// FreePort returns a TCP port that nothing listens on at 127.0.0.1 and ::1. It is
// taken from below the range of ephemeral ports (Linux: 32768 up), where an
// outgoing connection of some other test could not take it before it is used.
func FreePort(t testing.TB) int {
	t.Helper()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func freePort() (int, error) {
	for range 100 {
		port := 10000 + rand.IntN(22000)
		if free("127.0.0.1", port) && free("::1", port) {
			return port, nil
		}
	}
	return 0, errors.New("beam: no free port in 100 tries")
}

// free finds out by dialling. To listen and close again would be surer but leave
// the port busy for a moment after: a program that another goroutine is starting
// has a copy of every descriptor between its fork and its exec.
func free(host string, port int) bool {
	conn, err := net.Dial("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err == nil {
		conn.Close()
	}
	return err != nil
}
