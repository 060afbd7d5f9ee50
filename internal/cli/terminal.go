package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// terminal is where a command reads and prints.
type terminal struct {
	in     io.Reader
	out    io.Writer
	errors io.Writer

	// Flags of every command.
	json    bool
	verbose int
}

// print prints one result, as a line of text or as an object. It is one write, so
// that whoever reads a pipe gets whole lines at once.
func (t *terminal) print(text string, object any) error {
	line := []byte(text + "\n")
	if t.json {
		var err error
		if line, err = jsonLine(object); err != nil {
			return fmt.Errorf("cannot print the result as JSON: %w", err)
		}
	}
	if _, err := t.out.Write(line); err != nil {
		return fmt.Errorf("cannot print the result: %w", err)
	}
	return nil
}

// jsonLine leaves <, > and & as they are: terms are full of them.
func jsonLine(object any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(object)
	return b.Bytes(), err
}

// report prints the error a command ended with, and returns the exit code for it.
// What is no failure comes from cobra, which found fault with the command line.
func (t *terminal) report(command string, err error) int {
	if err == nil {
		return exitOK
	}
	var f *failure
	if !errors.As(err, &f) {
		f = &failure{code: exitUsage, err: err}
	}
	if f.code == exitUsage && f.hint == "" {
		f.hint = "see " + command + " --help"
	}
	line := []byte("truss: " + f.Error() + "\n")
	if t.json {
		if encoded, err := jsonLine(f.object()); err == nil {
			line = encoded
		}
	}
	_, _ = t.errors.Write(line) // nobody is left to tell, and the exit code says it as well
	return f.code
}

// logger logs to standard error: warnings, and more the more often -v was given.
func (t *terminal) logger() *slog.Logger {
	options := &slog.HandlerOptions{Level: slog.LevelWarn}
	switch {
	case t.verbose == 1:
		options.Level = slog.LevelInfo
	case t.verbose > 1:
		options.Level = slog.LevelDebug
	}
	if t.json {
		return slog.New(slog.NewJSONHandler(t.errors, options))
	}
	return slog.New(slog.NewTextHandler(t.errors, options))
}
