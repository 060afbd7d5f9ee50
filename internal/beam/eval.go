package beam

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

// evalLimit bounds the evals that have no context of their own.
const evalLimit = 30 * time.Second

// EvalError is an exception, or a syntax error, in what a node was to evaluate.
type EvalError struct {
	Node string
	Expr string
	Text string // class, reason and stack as the BEAM prints them
}

func (e *EvalError) Error() string {
	return fmt.Sprintf("%s: %s\n%s", e.Node, abbreviated(e.Expr), e.Text)
}

// abbreviated keeps a whole module out of an error message.
func abbreviated(expr string) string {
	if len(expr) <= 500 {
		return expr
	}
	return strings.ToValidUTF8(expr[:500], "") + "..."
}

// Eval evaluates Erlang expressions, separated by commas, in a fresh process of
// the node and returns the last one's value as ~0tp prints it. An exception is
// an *EvalError. When ctx ends first, the evaluating process is killed.
func (n *Node) Eval(ctx context.Context, expr string) (string, error) {
	return n.begin(opErlang, 0, expr).Wait(ctx)
}

// MustEval is Eval for tests: an error is fatal, and so is taking over 30 s.
func (n *Node) MustEval(t testing.TB, expr string) string {
	t.Helper()
	return n.Go(expr).MustWait(t)
}

// Go begins an Eval and returns at once.
func (n *Node) Go(expr string) *Future { return n.begin(opErlang, 0, expr) }

// EvalElixir evaluates Elixir code (the node must have been started with
// Options.Elixir) and returns its value as Kernel.inspect/2 prints it.
func (n *Node) EvalElixir(ctx context.Context, code string) (string, error) {
	return n.begin(opElixir, 0, code).Wait(ctx)
}

// MustEvalElixir is EvalElixir for tests: an error is fatal, and so is taking
// over 30 s.
func (n *Node) MustEvalElixir(t testing.TB, code string) string {
	t.Helper()
	return n.begin(opElixir, 0, code).MustWait(t)
}

// Await evaluates expr again and again until it prints want. It is fatal if it
// never does in 30 s.
func (n *Node) Await(t testing.TB, expr, want string) {
	t.Helper()
	got := ""
	for deadline := time.Now().Add(evalLimit); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if got = n.MustEval(t, expr); got == want {
			return
		}
	}
	t.Fatalf("%s: %s is still %s, not %s, after %v", n.Name, expr, got, want, evalLimit)
}

// Load compiles the source of an Erlang module inside the node and loads it. It
// has no preprocessor: no macros, no includes.
func (n *Node) Load(t testing.TB, source string) {
	t.Helper()
	n.MustEval(t, fmt.Sprintf(loadExpr, Quote(source)))
}

// loadExpr splits the tokens at every dot, as the forms of a module are.
const loadExpr = `{ok, Tokens, _} = erl_scan:string(unicode:characters_to_list(%s)),
Forms = (fun Split(Ts, Form, Done) ->
	case Ts of
		[] -> lists:reverse(Done);
		[{dot, _} = Dot | Rest] ->
			case erl_parse:parse_form(lists:reverse(Form, [Dot])) of
				{ok, F} -> Split(Rest, [], [F | Done]);
				{error, {Line, _, Problem}} -> error({line, Line, lists:flatten(Problem)})
			end;
		[T | Rest] -> Split(Rest, [T | Form], Done)
	end
end)(Tokens, [], []),
{ok, Module, Code} = compile:forms(Forms, [report]),
{module, Module} = code:load_binary(Module, "loaded by the harness", Code)`

// Quote returns text as an Erlang binary, whatever characters it has.
func Quote(text string) string {
	var b strings.Builder
	b.WriteString(`<<"`)
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteRune(c)
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, `\x{%X}`, c)
		default:
			b.WriteRune(c)
		}
	}
	b.WriteString(`"/utf8>>`)
	return b.String()
}

// Process is an Erlang process of the node that evaluates what it is given, in
// order, keeping its variables and its mailbox from one eval to the next.
type Process struct {
	node *Node
	id   uint32
}

// Spawn starts a process to evaluate in.
func (n *Node) Spawn() *Process {
	n.control.mu.Lock()
	defer n.control.mu.Unlock()
	n.control.last++
	return &Process{node: n, id: n.control.last}
}

// Eval is like Node.Eval, in this process. If ctx ends first the process is
// killed; the next Eval then begins a new one.
func (p *Process) Eval(ctx context.Context, expr string) (string, error) {
	return p.node.begin(opErlang, p.id, expr).Wait(ctx)
}

// MustEval is Eval for tests: an error is fatal, and so is taking over 30 s.
func (p *Process) MustEval(t testing.TB, expr string) string {
	t.Helper()
	return p.node.begin(opErlang, p.id, expr).MustWait(t)
}

// Future is an eval that is under way.
type Future struct {
	node   *Node
	expr   string
	id     uint32
	answer <-chan reply
	err    error
}

func (n *Node) begin(op byte, process uint32, expr string) *Future {
	text := expr
	if op == opErlang {
		// On a line of its own, in case the last one ends in a comment.
		text += "\n."
	}
	f := &Future{node: n, expr: expr}
	f.id, f.answer, f.err = n.control.send(op, process, text)
	return f
}

// Wait returns the value. It may be called once. When ctx ends first, the
// evaluating process is killed.
func (f *Future) Wait(ctx context.Context) (string, error) {
	if f.err != nil {
		return "", f.dead()
	}
	select {
	case answer, ok := <-f.answer:
		switch {
		case !ok:
			return "", f.dead()
		case answer.status == statusError:
			return "", &EvalError{Node: f.node.Name, Expr: f.expr, Text: answer.text}
		}
		return answer.text, nil
	case <-ctx.Done():
		f.node.control.giveUp(f.id)
		return "", fmt.Errorf("%s: %s: %w", f.node.Name, abbreviated(f.expr), context.Cause(ctx))
	}
}

// dead waits for the end of a BEAM whose control channel is closed, to say how
// it ended.
func (f *Future) dead() error {
	select {
	case <-f.node.exited:
		return fmt.Errorf("%s: %s: the node has ended: %s", f.node.Name, abbreviated(f.expr), f.node.epitaph())
	case <-time.After(startLimit):
		return fmt.Errorf("%s: %s: the node has closed its control channel; it printed:\n%s", f.node.Name, abbreviated(f.expr), f.node.Output())
	}
}

// MustWait is Wait for tests: an error is fatal, and so is taking over 30 s.
func (f *Future) MustWait(t testing.TB) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), evalLimit)
	defer cancel()
	value, err := f.Wait(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return value
}
