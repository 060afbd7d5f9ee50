package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/truss-beam/truss/etf"
)

// termAlone is the part about TERM in the help of the commands that take one.
const termAlone = `TERM is one term in Erlang's syntax: {ok, [1, 2.5]}, #{key => <<"text">>},
'an atom', "a charlist". Expressions are no terms: self(), X and 1 + 2 are not
understood. An Elixir string is a binary: <<"text">>, <<"Zoë"/utf8>> or ~"text".
Quote it for the shell. A TERM of - is read from standard input; one that begins
with a minus goes after --.`

// termHelp is termAlone for commands that take the NAME of a process as well.
const termHelp = termAlone + `

NAME is a registered name, taken as it is. That of an Elixir module is written
in full: Elixir.MyApp.Calc.`

// maxTerm is how much text a term may have: one that is larger does not come
// from a person.
const maxTerm = 64 << 20

// readTerm reads the argument TERM.
func (t *terminal) readTerm(text string) (etf.Term, error) {
	if text == "-" {
		content, err := io.ReadAll(io.LimitReader(t.in, maxTerm+1))
		if err != nil {
			return nil, fmt.Errorf("cannot read TERM from standard input: %w", err)
		}
		if len(content) > maxTerm {
			return nil, usage("TERM on standard input has more than %d bytes", maxTerm)
		}
		text = string(content)
	}
	term, err := etf.Parse(text)
	var wrong *etf.ParseError
	if errors.As(err, &wrong) {
		place := fmt.Sprintf("column %d", wrong.Column)
		if strings.Contains(strings.TrimSpace(text), "\n") {
			place = fmt.Sprintf("line %d, %s", wrong.Line, place)
		}
		why := fmt.Sprintf("TERM is wrong at %s: %s: %s", place, wrong.Msg, marked(text, wrong.Line, wrong.Column))
		return nil, usage("%w", explained{why, err})
	}
	return term, err
}

// marked shows the place in a text, line and column counted from 1: the line with
// an arrow before the character in question.
func marked(text string, line, column int) string {
	const around = 40 // characters shown on either side
	lines := strings.Split(text, "\n")
	if line < 1 || line > len(lines) {
		return text
	}
	chars := []rune(lines[line-1])
	at := min(max(column-1, 0), len(chars))
	before, after := chars[:at], chars[at:]
	if len(before) > around {
		before = append([]rune("…"), before[len(before)-around:]...)
	}
	if len(after) > around {
		after = append(append([]rune(nil), after[:around]...), '…')
	}
	return string(before) + " ⟶ " + string(after)
}
