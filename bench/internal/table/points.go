// Package table is the comparison as data: what is measured (points), of whom
// (contenders), and what must hold between them (bars).
package table

import (
	"fmt"

	"github.com/truss-beam/truss/bench/internal/contender"
)

// Contender is who drives and who serves. They differ when one system is tried
// against another.
type Contender struct{ Driver, Server string }

// String is the name shown: "truss", or "otp25 to truss".
func (c Contender) String() string {
	if c.Driver == c.Server || c.Server == "" {
		return c.Driver
	}
	return c.Driver + " to " + c.Server
}

// Point is one thing measured.
type Point struct {
	Name string
	Job  contender.Job // Count is what calibration starts from, or the count if Fixed
	// Contenders in the order of each round.
	Contenders []Contender
	// Fixed counts are not scaled to the time that a run should take.
	Fixed bool
	// Long runs take that many times as long as others.
	Long float64
	// Once in a quick comparison.
	Once bool
	// Slow points are measured once, and not at all in a quick comparison.
	Slow bool
	// Servers is how many servers of the same system the driver works with, if
	// not one. They end with the point.
	Servers int
}

// Names of the systems that are no OTP.
const (
	Truss   = "truss"
	Dynamic = "truss, dynamic terms"
	Procs   = "truss, processes" // subscribers that are processes, not functions
	Ergo2   = "ergo2"
	Ergo3   = "ergo3"
	NATS    = "nats"
	TCP     = "tcp"
	Least   = "least" // what a receiver of OTP's messages has to do
	Beams   = "50 BEAMs"
)

// SimnetSizes are the cluster sizes of the simulated network.
func SimnetSizes() []int { return []int{10, 30, 100, 300, 1000} }

func alone(names ...string) []Contender {
	var all []Contender
	for _, name := range names {
		all = append(all, Contender{name, name})
	}
	return all
}

// Points lists everything, for the OTP releases called otps ("otp25", ...). What
// no bar asks for is left out of a quick comparison: rivals that take their time
// to lose large messages, and calls of a server. So is what alone takes as long.
func Points(otps []string, quick bool) []Point {
	points := oneWay(otps, quick)
	points = append(points, roundTrips(otps, quick)...)
	points = append(points, broadcasts(otps)...)
	points = append(points, codecs(otps)...)
	points = append(points, memory(otps)...)
	points = append(points, Point{Name: "mesh", Once: true, Fixed: true,
		Job: contender.Job{Scenario: "mesh", Count: 200}, Contenders: []Contender{{Truss, ""}, {Beams, ""}}})
	for _, n := range SimnetSizes() {
		slow := n >= 300
		if quick && slow {
			continue
		}
		points = append(points, Point{Name: simnet(n), Once: true, Slow: slow, Fixed: true,
			Job: contender.Job{Scenario: Simnet, Count: n}, Contenders: []Contender{{"simnet", ""}}})
	}
	return points
}

// Simnet is the scenario of a simulated mesh.
const Simnet = "simnet"

func simnet(n int) string { return fmt.Sprintf("simnet %d nodes", n) }

// kinds of messages, with the count that calibration starts from: a few
// hundredths of a second for the slower contenders.
func kinds() []contender.Job {
	return []contender.Job{
		{Payload: "tuple", Count: 8000},
		{Payload: "binary", Size: 64, Count: 8000},
		{Payload: "binary", Size: 1 << 10, Count: 6000},
		{Payload: "binary", Size: 64 << 10, Count: 400},
		{Payload: "binary", Size: 1 << 20, Count: 32},
	}
}

func kindName(j contender.Job) string {
	switch {
	case j.Payload == "tuple":
		return "small tuple"
	case j.Size >= 1<<20:
		return fmt.Sprintf("%d MB", j.Size>>20)
	case j.Size >= 1<<10:
		return fmt.Sprintf("%d KB", j.Size>>10)
	}
	return fmt.Sprintf("%d B", j.Size)
}

func oneWayName(kind string, senders int) string {
	if senders == 1 {
		return fmt.Sprintf("one-way %s, 1 sender", kind)
	}
	return fmt.Sprintf("one-way %s, %d senders", kind, senders)
}

func oneWay(otps []string, quick bool) []Point {
	var points []Point
	for _, job := range kinds() {
		for _, senders := range []int{1, 8} {
			job.Scenario, job.Senders = "send", senders
			p := Point{Name: oneWayName(kindName(job), senders), Job: job, Contenders: alone(Truss)}
			if job.Payload == "tuple" {
				p.Contenders = append(p.Contenders, alone(Dynamic)...)
			}
			p.Contenders = append(p.Contenders, alone(otps...)...)
			if crossed(job) {
				for _, otp := range otps {
					p.Contenders = append(p.Contenders, Contender{otp, Truss}, Contender{Truss, otp})
					if job.Size <= 1<<10 { // it copies: of large messages it is not the least
						p.Contenders = append(p.Contenders, Contender{otp, Least})
					}
				}
			}
			if !quick || job.Size <= 1<<10 {
				p.Contenders = append(p.Contenders, alone(Ergo2, Ergo3, NATS)...)
			}
			p.Contenders = append(p.Contenders, alone(TCP)...)
			points = append(points, p)
		}
	}
	return points
}

// crossed are the messages that go between Truss and OTP too: one of each order
// of size, from one sender.
func crossed(j contender.Job) bool {
	return j.Senders == 1 && (j.Payload == "tuple" || j.Size == 1<<10 || j.Size == 64<<10)
}

func roundTrips(otps []string, quick bool) []Point {
	points := []Point{{Name: "round trip", Job: contender.Job{Scenario: "rtt", Count: 500, Senders: 1},
		Contenders: append(append(alone(Truss), alone(otps...)...), alone(Ergo2, Ergo3, TCP)...)}}
	for _, callers := range []int{1, 64} {
		job := contender.Job{Scenario: "call", Count: 640, Senders: callers}
		if !quick {
			points = append(points, Point{Name: fmt.Sprintf("gen_server call, %d callers", callers), Job: job,
				Contenders: append(append(alone(Truss), alone(otps...)...), alone(Ergo2, Ergo3, NATS, TCP)...)})
		}
		job.Scenario = "erpc"
		points = append(points, Point{Name: erpcName(callers), Job: job, Contenders: append(append(alone(Truss), alone(otps...)...), alone(TCP)...)})
	}
	return append(points, Point{Name: "round trip beside 10 MB messages", Long: 4,
		Job:        contender.Job{Scenario: "mixed", Size: 10_000_000, Count: 10, Senders: 1},
		Contenders: append(append(alone(Truss), alone(otps...)...), alone(TCP)...)})
}

func erpcName(callers int) string { return fmt.Sprintf("erpc, %d callers", callers) }

// Names of the points of package pubsub.
const (
	localBroadcast   = "broadcast to 100k local subscribers"
	clusterBroadcast = "broadcast to 20 nodes with 5k subscribers each"
)

// broadcasts count broadcasts, and rate deliveries: 100,000 for each. To find out how
// many take how long would take longer than they do: subscribing is most of a run.
func broadcasts(otps []string) []Point {
	local := Point{Name: localBroadcast, Fixed: true, Job: contender.Job{Scenario: "broadcast", Count: 2, Subs: 100_000}}
	cluster := Point{Name: clusterBroadcast, Fixed: true, Job: contender.Job{Scenario: "broadcast", Count: 2, Subs: 5_000}, Servers: 20}
	for _, system := range append([]string{Truss, Procs}, otps...) {
		local.Contenders = append(local.Contenders, Contender{system, ""})
		cluster.Contenders = append(cluster.Contenders, Contender{system, system})
	}
	return []Point{local, cluster}
}

func codecs(otps []string) []Point {
	var points []Point
	for _, scenario := range []string{"encode", "decode"} {
		p := Point{Name: scenario + " 50 KB term", Job: contender.Job{Scenario: scenario, Count: 200},
			Contenders: []Contender{{Truss, ""}, {Dynamic, ""}}}
		for _, otp := range otps {
			p.Contenders = append(p.Contenders, Contender{otp, ""})
		}
		points = append(points, p)
	}
	return points
}

func memory(otps []string) []Point {
	processes := Point{Name: "idle process", Fixed: true, Once: true,
		Job: contender.Job{Scenario: "idle-process", Count: 100_000}, Contenders: []Contender{{Truss, ""}}}
	connections := Point{Name: "idle connection", Fixed: true, Once: true,
		Job: contender.Job{Scenario: "idle-conn", Count: 200}, Contenders: alone(Truss)}
	for _, otp := range otps {
		processes.Contenders = append(processes.Contenders, Contender{otp, ""})
		connections.Contenders = append(connections.Contenders, Contender{Truss, otp})
	}
	return []Point{processes, connections}
}
