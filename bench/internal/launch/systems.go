package launch

import (
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/truss-beam/truss/bench/internal/contender"
	"github.com/truss-beam/truss/bench/internal/realistic"
	"github.com/truss-beam/truss/bench/internal/table"
	"github.com/truss-beam/truss/bench/otp"
	"github.com/truss-beam/truss/etf"
)

// Systems are the contenders' programs, by the names of package table.
type Systems struct {
	bin  string // folder of the programs in Go
	otps map[string]otp.Release
	term []byte
}

// Build compiles the programs in Go below bench, the module's folder, into its
// folder bin.
func Build(bench string, releases []otp.Release) (*Systems, error) {
	s := &Systems{bin: filepath.Join(bench, "bin"), otps: make(map[string]otp.Release)}
	for _, r := range releases {
		if err := r.Compile(); err != nil {
			return nil, err
		}
		s.otps[OTPName(r)] = r
	}
	var err error
	if s.term, err = etf.Marshal(realistic.New()); err != nil {
		return nil, err
	}
	for _, b := range []struct {
		module string
		args   []string
	}{
		{".", []string{"build", "-o", s.bin + "/", "./truss", "./nats", "./tcp", "./least"}},
		{"ergo2", []string{"build", "-o", s.bin + "/", "."}},
		{"ergo3", []string{"build", "-o", s.bin + "/", "."}},
		{".", []string{"test", "-c", "-o", filepath.Join(s.bin, "simnet"), "./simmesh"}},
	} {
		cmd := exec.Command("go", b.args...)
		cmd.Dir = filepath.Join(bench, b.module)
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("building %s: %w\n%s", b.args[len(b.args)-1], err, out)
		}
	}
	return s, nil
}

// OTPName is what a release is called in the table.
func OTPName(r otp.Release) string { return "otp" + r.Number }

// Release returns the release of that name.
func (s *Systems) Release(name string) (otp.Release, bool) {
	r, ok := s.otps[name]
	return r, ok
}

// Command prepares a process of a system.
func (s *Systems) Command(system string, job contender.Job) *exec.Cmd {
	if r, ok := s.otps[system]; ok {
		return r.Command(job, s.term)
	}
	if system == "simnet" {
		cmd := exec.Command(filepath.Join(s.bin, "simnet"), "-test.run", "^TestSimulatedMesh$", "-test.timeout", "0", "-test.v=false")
		cmd.Env = append(os.Environ(), fmt.Sprintf("BENCH_NODES=%d", job.Count))
		return cmd
	}
	program := system
	switch system {
	case table.Dynamic:
		program, job.Dynamic = table.Truss, true
	case table.Procs:
		program, job.Payload = table.Truss, "processes"
	}
	cmd := exec.Command(filepath.Join(s.bin, program), job.Args()...)
	cmd.Env = append(os.Environ(), "BENCH_TERM="+base64.StdEncoding.EncodeToString(s.term))
	return cmd
}
