// Command compare measures Truss and its rivals on this machine, in one run, and
// holds the ratios against the project's bars. Run it in the folder bench:
//
//	go run ./compare             about half an hour
//	go run ./compare -quick      under 4 minutes: the newest OTP only, shorter runs
//	go run ./compare -json       one JSON object on standard output
//
// The README beside it says how to read what it prints.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/truss-beam/truss/bench/internal/launch"
	"github.com/truss-beam/truss/bench/internal/report"
	"github.com/truss-beam/truss/bench/internal/table"
	"github.com/truss-beam/truss/bench/otp"
	"github.com/truss-beam/truss/epmd"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

type options struct {
	quick, json bool
	rounds      int
	run         time.Duration
	only, svg   string
	otps        string
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("compare", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.BoolVar(&o.quick, "quick", false, "under 4 minutes: the newest OTP, 3 short rounds, a mesh and memory once")
	flags.BoolVar(&o.json, "json", false, "print one JSON object")
	flags.IntVar(&o.rounds, "rounds", 0, "rounds (default 7, quick 3)")
	flags.DurationVar(&o.run, "run", 0, "what one run should take (default 600ms, quick 150ms)")
	flags.StringVar(&o.only, "only", "", "only what matches this regular expression, and its bars")
	flags.StringVar(&o.otps, "otp", "", "only these OTP releases, such as 25,29")
	flags.StringVar(&o.svg, "svg", "", "where to write the chart (default bin/performance.svg)")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	defaults := func(rounds int, run time.Duration) {
		if o.rounds == 0 {
			o.rounds = rounds
		}
		if o.run == 0 {
			o.run = run
		}
	}
	if o.quick {
		defaults(3, 150*time.Millisecond)
	} else {
		defaults(7, 600*time.Millisecond)
	}
	return o, nil
}

func run(args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	bench, err := os.Getwd()
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(bench, "otp", "bench.erl")); err != nil {
		return errors.New("run it in the folder bench of the repository")
	}
	releases, err := chosen(o, filepath.Dir(bench))
	if err != nil {
		return err
	}
	systems, err := launch.Build(bench, releases)
	if err != nil {
		return err
	}
	r, err := measure(o, systems, releases, stderr)
	if err != nil {
		return err
	}
	if err := chart(o, bench, r, stderr); err != nil {
		return err
	}
	if o.json {
		return r.JSON(stdout)
	}
	return r.Text(stdout)
}

// chosen are the releases to compare with: those asked for, all, or the newest.
func chosen(o options, repository string) ([]otp.Release, error) {
	all, err := otp.Releases(repository)
	if err != nil {
		return nil, err
	}
	if o.otps != "" {
		wanted := strings.Split(o.otps, ",")
		all = slices.DeleteFunc(all, func(r otp.Release) bool { return !slices.Contains(wanted, r.Number) })
	} else if o.quick && len(all) > 1 {
		all = all[len(all)-1:]
	}
	if len(all) == 0 {
		return nil, errors.New("no Erlang/OTP to compare with (scripts/peers.sh installs it)")
	}
	return all, nil
}

func measure(o options, systems *launch.Systems, releases []otp.Release, stderr io.Writer) (report.Report, error) {
	only, err := regexp.Compile(o.only)
	if err != nil {
		return report.Report{}, err
	}
	var names, numbers []string
	for _, r := range releases {
		names, numbers = append(names, launch.OTPName(r)), append(numbers, r.Number)
	}
	points := slices.DeleteFunc(table.Points(names, o.quick), func(p table.Point) bool { return !only.MatchString(p.Name) })
	port, stop, err := startEPMD()
	if err != nil {
		return report.Report{}, err
	}
	defer stop()
	plan := launch.Plan{Rounds: o.rounds, Quick: o.quick, Run: o.run, Log: func(format string, args ...any) {
		fmt.Fprintf(stderr, format+"\n", args...)
	}}
	comparison := launch.NewComparison(systems, plan, port)
	defer comparison.Close()

	r := report.Report{Machine: report.ThisMachine(numbers), Rounds: o.rounds, Quick: o.quick}
	r.Machine.LoadBefore = report.Load()
	start := time.Now()
	r.Results = comparison.Run(points)
	r.Seconds = time.Since(start).Seconds()
	r.Machine.LoadAfter = report.Load()
	bars := slices.DeleteFunc(table.Bars(names, o.quick), func(b table.Bar) bool { return !only.MatchString(b.Of.Point) })
	r.Bars = table.Judge(bars, r.Results)
	return r, nil
}

// startEPMD serves the epmd that all nodes use, at a port of its own so that it
// is in nobody's way.
func startEPMD() (port int, stop func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	server := &epmd.Server{Logger: slog.New(slog.DiscardHandler)}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, listener) }()
	return listener.Addr().(*net.TCPAddr).Port, func() { cancel(); <-served }, nil
}

func chart(o options, bench string, r report.Report, stderr io.Writer) error {
	path := o.svg
	if path == "" {
		path = filepath.Join(bench, "bin", "performance.svg")
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := r.SVG(f); err != nil {
		fmt.Fprintln(stderr, "no chart:", err)
	}
	return f.Close()
}
