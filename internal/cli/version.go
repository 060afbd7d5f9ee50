package cli

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func versionCommand(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of this program",
		Long:  `Version prints the version of this program and of the Go it was built with.`,
		Example: `  truss version
  truss version --json`,
		Args: takes(),
		RunE: run(func(context.Context, []string) error {
			version, goVersion := moduleVersion(), runtime.Version()
			text := fmt.Sprintf("truss %s (%s, %s/%s)", version, goVersion, runtime.GOOS, runtime.GOARCH)
			return t.print(text, struct {
				Version string `json:"version"`
				Go      string `json:"go"`
				OS      string `json:"os"`
				Arch    string `json:"arch"`
			}{version, goVersion, runtime.GOOS, runtime.GOARCH})
		}),
	}
}

// moduleVersion is what go install or the version control said when the program
// was built.
func moduleVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
