package play

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"slices"
	"time"

	"github.com/truss-beam/truss/etf"
)

// maxLine is how much of a line is kept: nothing that a machine prints for us is
// nearly so long.
const maxLine = 64 << 10

// osProcess is a machine as a process of the operating system.
type osProcess struct {
	cmd   *exec.Cmd
	input io.Closer // the machine leaves when this closes
}

// startProcess starts a program that reports by lines of JSON on standard output
// and leaves when its standard input ends. after runs when it has ended.
func startProcess(cmd *exec.Cmd, tell func(report), after func()) (process, error) {
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	cmd.SysProcAttr = processAttributes()
	// What a program leaves behind may hold the pipes for longer than it lives.
	cmd.WaitDelay = time.Second
	cmd.Stdout = &lines{each: func(line []byte) { tell(parseLine(line)) }}
	cmd.Stderr = &lines{each: func(line []byte) { tell(report{Event: "log", Reason: string(line)}) }}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &osProcess{cmd: cmd, input: input}
	go func() {
		_ = cmd.Wait() // the state says more
		after()
		tell(report{Event: "exit", Reason: cmd.ProcessState.String()})
	}()
	return p, nil
}

func (p *osProcess) pid() int { return p.cmd.Process.Pid }
func (p *osProcess) stop()    { p.input.Close() }
func (p *osProcess) kill()    { killProcess(p.cmd.Process) }

// parseLine reads a line of standard output; what is no event is a log.
func parseLine(line []byte) report {
	var r struct {
		report
		ETF []byte `json:"etf"` // message, of a BEAM: the term as it came
	}
	if json.Unmarshal(line, &r) == nil {
		if len(r.ETF) > 0 {
			var term etf.Term
			if err := etf.Unmarshal(r.ETF, &term); err != nil {
				return report{Event: "log", Reason: string(line)}
			}
			r.Term = etf.Format(term)
		}
		switch r.Event {
		case "ready", "nodeup", "nodedown", "message":
			return r.report
		}
	}
	return report{Event: "log", Reason: string(line)}
}

// readable turns what log/slog writes as JSON into a text; the time and the node
// are known where it is shown. Anything else stays as it is.
func readable(line string) string {
	var entry map[string]any
	if json.Unmarshal([]byte(line), &entry) != nil || entry["msg"] == nil {
		return line
	}
	text := fmt.Sprint(entry["msg"])
	if entry["level"] != "INFO" {
		text = fmt.Sprint(entry["level"], " ", text)
	}
	for _, key := range slices.Sorted(maps.Keys(entry)) {
		switch key {
		case "msg", "level", "time", "node":
		default:
			text += fmt.Sprintf(" %s=%v", key, entry[key])
		}
	}
	return text
}

// lines cuts what is written to it into lines. One goroutine writes, that of exec.
type lines struct {
	each func([]byte)
	rest []byte
}

func (l *lines) Write(b []byte) (int, error) {
	l.rest = append(l.rest, b...)
	for {
		line, rest, ok := bytes.Cut(l.rest, []byte("\n"))
		if !ok && len(l.rest) < maxLine {
			return len(b), nil
		}
		l.each(bytes.TrimSuffix(line, []byte("\r")))
		l.rest = rest
	}
}
