package interop

import (
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"github.com/truss-beam/truss/dist"
)

// frame reads one handshake frame.
func frame(socket net.Conn) ([]byte, error) {
	_ = socket.SetDeadline(time.Now().Add(limit))
	var length [2]byte
	if _, err := io.ReadFull(socket, length[:]); err != nil {
		return nil, err
	}
	body := make([]byte, binary.BigEndian.Uint16(length[:]))
	_, err := io.ReadFull(socket, body)
	return body, err
}

func sendFrame(t *testing.T, socket net.Conn, body []byte) {
	t.Helper()
	if _, err := socket.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(body))), body...)); err != nil {
		t.Error(err)
	}
}

// introduce dials a node as somebody with these flags and returns the status it
// answers, "" if it closes without one.
func introduce(t *testing.T, address, dialled string, local dist.Local) string {
	t.Helper()
	socket, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	sendFrame(t, socket, dist.NewInitiator(local, dialled, "", 1).AppendName(nil))
	body, err := frame(socket)
	if err == io.EOF {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(body) == 0 || body[0] != 's' {
		t.Fatalf("%q is no status", body)
	}
	return string(body[1:])
}

// challengeAsOne accepts connections and answers each with status ok and a
// challenge by somebody with these flags. What the dialler does then comes out of
// the channel: its next frame, or nothing if it closes.
func challengeAsOne(t *testing.T, address string, local dist.Local) <-chan string {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	next := make(chan string, 1)
	go func() {
		defer close(next)
		socket, err := listener.Accept()
		if err != nil {
			return
		}
		defer socket.Close()
		acceptor := dist.NewAcceptor(local, 1)
		if _, err := frame(socket); err != nil {
			t.Errorf("no name: %v", err)
			return
		}
		sendFrame(t, socket, acceptor.AppendStatus(nil, dist.StatusOK))
		sendFrame(t, socket, acceptor.AppendChallenge(nil))
		body, _ := frame(socket)
		next <- string(body)
	}()
	t.Cleanup(func() {
		listener.Close()
		for range next {
		}
	})
	return next
}
