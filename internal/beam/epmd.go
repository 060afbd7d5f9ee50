package beam

import (
	"net"
	"strconv"
	"testing"
	"time"
)

// StartEPMD runs the release's own epmd, listening on loopback only, until the
// test ends and returns its port.
func (r Release) StartEPMD(t testing.TB) int {
	t.Helper()
	port := FreePort(t)
	number := strconv.Itoa(port)
	cmd, err := r.command("epmd", "-port", number, "-address", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	var printed output
	cmd.Stdout, cmd.Stderr = &printed, &printed
	if err := cmd.Start(); err != nil {
		t.Fatalf("epmd of OTP %s: %v", r.OTP, err)
	}
	gone := make(chan struct{})
	go func() {
		cmd.Wait()
		close(gone)
	}()
	t.Cleanup(func() {
		killGroup(cmd.Process.Pid)
		<-gone
	})
	for deadline := time.Now().Add(startLimit); time.Now().Before(deadline); {
		conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", number))
		if err == nil {
			conn.Close()
			return port
		}
		select {
		case <-gone:
			t.Fatalf("epmd of OTP %s ended at once: %s", r.OTP, &printed)
		case <-time.After(5 * time.Millisecond):
		}
	}
	t.Fatalf("epmd of OTP %s does not answer at port %d: %s", r.OTP, port, &printed)
	return 0
}
