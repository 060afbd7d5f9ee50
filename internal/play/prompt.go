package play

import (
	"bufio"
	"io"
	"sync/atomic"

	"golang.org/x/term"
)

// promptText is what is shown where a command is expected.
const promptText = "play> "

// prompt is where commands come from.
type prompt interface {
	readLine() (string, error) // io.EOF at the end
	close()
}

// newPrompt edits lines if both ends are a terminal, and then changes the
// screen's output to one that keeps clear of the line that is being edited.
func newPrompt(in io.Reader, out *screen) prompt {
	input, isInput := terminalOf(in)
	_, isOutput := terminalOf(out.out)
	if !isInput || !isOutput || out.json {
		return &pipedPrompt{lines: bufio.NewScanner(in), out: out}
	}
	cooked, err := term.GetState(input)
	if err != nil {
		return &pipedPrompt{lines: bufio.NewScanner(in), out: out}
	}
	type both struct {
		io.Reader
		io.Writer
	}
	p := &terminalPrompt{fd: input, cooked: cooked, screen: out, terminal: term.NewTerminal(both{in, out.out}, promptText)}
	p.plain = out.writeTo(p.terminal)
	return p
}

// pipedPrompt reads lines, and prints them as if they had been typed, so that the
// output can be read.
type pipedPrompt struct {
	lines *bufio.Scanner
	out   *screen
}

func (p *pipedPrompt) readLine() (string, error) {
	if !p.lines.Scan() {
		if err := p.lines.Err(); err != nil {
			return "", err
		}
		return "", io.EOF
	}
	p.out.say(promptText+p.lines.Text(), nil)
	return p.lines.Text(), nil
}

func (p *pipedPrompt) close() {}

// terminalPrompt edits lines, with history. The terminal is in raw mode only while
// it does: while a command runs, Ctrl-C is a signal as usual.
type terminalPrompt struct {
	fd       int
	cooked   *term.State
	screen   *screen
	plain    io.Writer // where the screen wrote before
	terminal *term.Terminal
	editing  atomic.Bool // the prompt is shown, and the cursor behind it
}

func (p *terminalPrompt) readLine() (string, error) {
	if _, err := term.MakeRaw(p.fd); err != nil {
		return "", err
	}
	defer p.restore()
	// A terminal that does not know its width says 0: then it is taken to be 80.
	if width, height, err := term.GetSize(p.fd); err == nil && width > 0 {
		_ = p.terminal.SetSize(width, height) // fails only where it cannot write
	}
	p.editing.Store(true)
	line, err := p.terminal.ReadLine()
	p.editing.Store(err != nil)
	return line, err
}

func (p *terminalPrompt) restore() {
	_ = term.Restore(p.fd, p.cooked) // it worked for MakeRaw
}

func (p *terminalPrompt) close() {
	p.restore()
	p.screen.writeTo(p.plain)
	if p.editing.Load() {
		p.screen.say("", nil)
	}
}
