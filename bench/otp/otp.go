// Package otp is the contender in Erlang: its source, and how to start a BEAM of
// any installed release that runs it.
package otp

import (
	_ "embed"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/truss-beam/truss/bench/internal/contender"
)

//go:embed bench.erl
var source string

// Cookie is that of every Erlang node in the comparison, of whatever system.
const Cookie = "truss_bench"

// compile prints the source's code in base64, on a line by itself.
const compile = `Parse = fun Parse(Start, Forms) ->
  case erl_scan:tokens([], Start, 1) of
    {done, {ok, Tokens, _}, Rest} -> {ok, Form} = erl_parse:parse_form(Tokens), Parse(Rest, [Form | Forms]);
    _ -> lists:reverse(Forms)
  end end,
{ok, bench, Code} = compile:forms(Parse(os:getenv("BENCH_SOURCE") ++ "\n", []), []),
io:format("code ~s~n", [base64:encode(Code)]), halt().`

// boot loads the code and runs it.
const boot = `{module, bench} = code:load_binary(bench, "bench", base64:decode(os:getenv("BENCH_CODE"))), bench:main().`

// Release is one installed release: its number, and the root it lives in.
type Release struct {
	Number, Root string
	code         string // what Compile made of the source
}

// Releases lists what scripts/peers.sh finds. Those in a chroot need root.
func Releases(repository string) ([]Release, error) {
	out, err := exec.Command(filepath.Join(repository, "scripts", "peers.sh"), "list").Output()
	if err != nil {
		return nil, fmt.Errorf("scripts/peers.sh list: %w", err)
	}
	var found []Release
	for line := range strings.Lines(string(out)) {
		number, root, ok := strings.Cut(strings.TrimSpace(line), "\t")
		if ok && (root == "/" || os.Geteuid() == 0) {
			found = append(found, Release{Number: number, Root: root})
		}
	}
	return found, nil
}

// Compile compiles the contender, once for all BEAMs of the release: doing it in
// each would take them longer than to start.
func (r *Release) Compile() error {
	cmd := r.erl("-noshell", "-eval", compile)
	cmd.Env = append(cmd.Env, "BENCH_SOURCE="+source)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("OTP %s: %w: %s", r.Number, err, out)
	}
	for line := range strings.Lines(string(out)) {
		if code, ok := strings.CutPrefix(line, "code "); ok {
			r.code = strings.TrimSpace(code)
			return nil
		}
	}
	return fmt.Errorf("OTP %s did not compile the contender: %s", r.Number, out)
}

// Command prepares a BEAM that runs job. term, if not nil, is what codec
// scenarios work on.
func (r Release) Command(job contender.Job, term []byte) *exec.Cmd {
	cmd := r.erl(append([]string{"-noshell", "-start_epmd", "false",
		"-name", job.Name, "-setcookie", Cookie, "-kernel", "inet_dist_use_interface", "{127,0,0,1}",
		"-eval", boot, "-extra"}, job.Args()...)...)
	cmd.Env = append(cmd.Env, fmt.Sprintf("ERL_EPMD_PORT=%d", job.EPMD), "BENCH_CODE="+r.code)
	if term != nil {
		cmd.Env = append(cmd.Env, "BENCH_TERM="+base64.StdEncoding.EncodeToString(term))
	}
	return cmd
}

// erl prepares a BEAM in the release's root.
func (r Release) erl(args ...string) *exec.Cmd {
	program, path := "/usr/bin/erl", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	cmd := &exec.Cmd{Path: program}
	if r.Root == "/" {
		path = os.Getenv("PATH")
		cmd = exec.Command("erl")
	} else {
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: r.Root}
	}
	cmd.Args = append([]string{"erl"}, args...)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=" + path, "HOME=/tmp", "LANG=C.UTF-8", "ERL_CRASH_DUMP=/dev/null"}
	return cmd
}
