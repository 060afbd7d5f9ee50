package launch

import (
	"fmt"
	"strings"
	"time"

	"github.com/truss-beam/truss/bench/internal/contender"
	"github.com/truss-beam/truss/bench/otp"
)

// BeamMesh starts n BEAMs and measures how long they take, once all are up and
// told so, until each sees all the others. Each connects to those after it.
func BeamMesh(release otp.Release, n, epmd int) (contender.Figures, error) {
	var beams []*Server
	defer func() {
		for _, b := range beams {
			killGroup(b.cmd) // 50 orderly ends take half a minute
			b.Stop()
		}
	}()
	for i := range n {
		cmd := release.Command(contender.Job{Role: "mesh", Name: fmt.Sprintf("beam%d@127.0.0.1", i), EPMD: epmd, Count: 1, Senders: 1}, nil)
		b, err := Serve(cmd)
		if err != nil {
			return nil, err
		}
		beams = append(beams, b)
	}
	limit := time.AfterFunc(runLimit, func() {
		for _, b := range beams {
			killGroup(b.cmd)
		}
	})
	defer limit.Stop()
	start := time.Now()
	for i, b := range beams {
		line := fmt.Sprintf("go %d", n)
		for _, peer := range beams[i+1:] {
			line += " " + peer.Where
		}
		if err := b.Tell(line); err != nil {
			return nil, err
		}
	}
	for _, b := range beams {
		line, err := b.Lines.ReadString('\n')
		if err != nil || strings.TrimSpace(line) != "formed" {
			return nil, fmt.Errorf("%s printed %q (%w)", b.Where, line, err)
		}
	}
	took, links := time.Since(start).Seconds(), float64(n*(n-1)/2)
	return contender.Figures{"count": float64(n), "links": links, "seconds": took, "us_per_link": took / links * 1e6}, nil
}
