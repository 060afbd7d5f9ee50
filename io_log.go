package truss

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/truss-beam/truss/etf"
)

// loggerProxy logs for processes of other nodes whose group leader is on this one:
// OTP's logger sends what they log, and what is logged about their crash, to the
// node of the group leader (logger_proxy.erl).
type loggerProxy struct{ node *Node }

func (l *loggerProxy) HandleCall(context.Context, From, Message) (any, error) {
	return notSupported(), nil
}

// HandleInfo logs {log, Level, Format, Args, Meta} or {log, Level, StringOrReport,
// Meta}.
func (l *loggerProxy) HandleInfo(ctx context.Context, m Message) error {
	term, err := m.Term()
	if err != nil {
		return nil
	}
	event, _ := term.(etf.Tuple)
	if len(event) < 4 || len(event) > 5 || event[0] != etf.Term(etf.Atom("log")) {
		return nil
	}
	meta, _ := event[len(event)-1].(etf.Map)
	pidTerm, _ := meta.Get(etf.Atom("pid"))
	pid, _ := pidTerm.(etf.Pid)
	level := slogLevel(event[1])
	if !l.node.log.Enabled(ctx, level) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, logFormatTime)
	defer cancel()
	origin := origin{node: l.node, name: string(pid.Node)}
	var text string
	if len(event) == 5 {
		text = origin.format(ctx, event[2], event[3])
	} else {
		callback, _ := meta.Get(etf.Atom("report_cb"))
		text = origin.report(ctx, event[2], callback)
	}
	l.node.log.Log(ctx, level, strings.TrimSpace(text), "origin", origin.name, "pid", pid)
	return nil
}

// logFormatTime is how long a node may take to format what it logs; then it is
// logged as the terms that it is.
const logFormatTime = time.Second

func slogLevel(level etf.Term) slog.Level {
	switch level {
	case etf.Atom("debug"):
		return slog.LevelDebug
	case etf.Atom("info"), etf.Atom("notice"):
		return slog.LevelInfo
	case etf.Atom("warning"):
		return slog.LevelWarn
	}
	return slog.LevelError // error, critical, alert and emergency
}

// origin is the node that an event comes from, which formats it: see user.put.
type origin struct {
	node *Node
	name string
}

func (o origin) apply(ctx context.Context, m, f etf.Atom, args ...etf.Term) (etf.Term, bool) {
	if o.name == "" || o.name == o.node.name {
		return nil, false
	}
	value, err := o.node.applyAt(ctx, o.name, m, f, etf.List(args))
	return value, err == nil
}

// format is io_lib:format(Format, Args).
func (o origin) format(ctx context.Context, format, args etf.Term) string {
	if chars, ok := o.apply(ctx, "io_lib", "format", format, args); ok {
		if text, err := appendChars(nil, "unicode", chars); err == nil {
			return string(text)
		}
	}
	return etf.Format(etf.Tuple{format, args})
}

// report is a string, or a report as its callback in the metadata says it: a
// fun(Report) that returns {Format, Args}, or a fun(Report, Config) that returns
// characters (logger.erl, report_cb()).
func (o origin) report(ctx context.Context, report, callback etf.Term) string {
	if text, err := appendChars(nil, "unicode", report); err == nil {
		return string(text)
	}
	export, _ := callback.(etf.Export)
	switch {
	case callsBack(export) && export.Arity == 2:
		config := etf.Map{
			{Key: etf.Atom("depth"), Value: etf.Atom("unlimited")},
			{Key: etf.Atom("chars_limit"), Value: etf.Atom("unlimited")},
			{Key: etf.Atom("single_line"), Value: etf.Atom("false")},
		}
		if chars, ok := o.apply(ctx, export.Module, export.Function, report, config); ok {
			if text, err := appendChars(nil, "unicode", chars); err == nil {
				return string(text)
			}
		}
		return etf.Format(report)
	case callsBack(export) && export.Arity == 1:
		return o.formatted(ctx, report, export.Module, export.Function, report)
	}
	return o.formatted(ctx, report, "logger", "format_report", report)
}

// callsBack tells whether a callback is called: one with a name that OTP and Elixir
// give to theirs. As in user.put, the origin is not proven, so that other functions,
// and funs without a name, are not; without them a report is the terms it is.
func callsBack(callback etf.Export) bool {
	switch callback.Function {
	case "format_log", "format_report", "format_otp_report", "report_cb":
		return true
	}
	return false
}

// formatted applies what returns {Format, Args} of a report.
func (o origin) formatted(ctx context.Context, report etf.Term, m, f etf.Atom, args ...etf.Term) string {
	if value, ok := o.apply(ctx, m, f, args...); ok {
		if pair, ok := value.(etf.Tuple); ok && len(pair) == 2 {
			return o.format(ctx, pair[0], pair[1])
		}
	}
	return etf.Format(report)
}
