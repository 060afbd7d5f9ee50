package archtest

import (
	"path"
	"slices"
	"strings"
)

// layer says what one folder, and those below it that have no line of their own,
// may import of this module.
type layer struct {
	folder string   // from the module root; "." is the root package itself
	may    []string // folders, with what is below them; "..." is all that is
	std    bool     // nothing from other modules either
}

// layers is the design, bottom first. No arrow can point up: a folder may name
// only folders above its own line (a test sees to it).
var layers = []layer{
	{folder: "internal/archtest", std: true},
	{folder: "internal/simnet", std: true},
	{folder: "internal/beam", std: true},

	{folder: "etf", std: true},
	{folder: "epmd", std: true},
	{folder: "dist", std: true, may: []string{"etf"}},
	{folder: ".", std: true, may: []string{"etf", "epmd", "dist"}},

	// discovery does not know the node: it declares what it needs of one.
	{folder: "discovery", may: []string{"etf", "epmd", "dist"}},

	// Features are users of the node like any other.
	{folder: "supervisor", may: []string{"etf", "."}},
	{folder: "rpc", may: []string{"etf", "."}},
	{folder: "pg", may: []string{"etf", "."}},
	{folder: "global", may: []string{"etf", ".", "rpc"}},
	{folder: "pubsub", may: []string{"etf", ".", "pg"}},
	{folder: "presence", may: []string{"etf", ".", "pubsub"}},
	{folder: "region", may: []string{"etf", ".", "rpc"}},
	{folder: "tables", may: []string{"etf", ".", "rpc", "global"}},
	{folder: "mnesia", may: []string{"etf", ".", "rpc", "global", "tables"}},
	{folder: "dashboard", may: []string{"etf", "epmd", "dist", ".", "discovery", "rpc", "pg", "global", "pubsub", "presence", "region", "tables", "mnesia"}},

	{folder: "trusstest", may: []string{"etf", "epmd", "dist", ".", "internal/simnet"}},
	{folder: "internal/puppet", may: []string{"etf", "."}},
	{folder: "internal/play", may: []string{"etf", "epmd", "."}}, // its machines run the command line, which it is handed
	{folder: "internal/cli", may: []string{"..."}},
	{folder: "interop", may: []string{"..."}},
	{folder: "cmd", may: []string{"internal/cli"}},
}

// kits may be imported by any test, and by no code that users run.
var kits = []string{"internal/simnet", "internal/beam", "internal/puppet", "trusstest", "discovery/discoverytest"}

// badNames are names that say nothing, and so collect everything.
var badNames = []string{"base", "common", "helper", "helpers", "lib", "misc", "shared", "types", "util", "utils"}

// state lists package variables that may change although they belong to no value: FOLDER.NAME and why.
var state = map[string]string{
	"etf.plans":      "how to encode each Go type, found by reflection: a function of the type alone, so two nodes cannot differ about it",
	"..decoders":     "decoders between two uses: all that Reset leaves is which atoms were read lately, boxed",
	"..chunks":       "memory of mailboxes between two uses: all messages in it have been taken out",
	"etf.lately":     "some of etf.plans, found faster",
	"etf.decoders":   "decoders between two uses: all that Reset leaves is which atoms were read lately, boxed",
	"etf.marshalers": "encoders and buffers between two uses: no call sees what another left in one",
}

// layerOf returns the line of the table a folder falls under. The root has a
// line but no subfolders: each of those needs its own.
func layerOf(folder string) (layer, bool) {
	for dir := folder; ; dir = path.Dir(dir) {
		if i := slices.IndexFunc(layers, func(l layer) bool { return l.folder == dir }); i >= 0 && (dir != "." || folder == ".") {
			return layers[i], true
		}
		if dir == "." {
			return layer{}, false
		}
	}
}

// allows says whether code of this layer may import a folder.
func (l layer) allows(folder string) bool {
	if within(folder, l.folder) {
		return true
	}
	return slices.ContainsFunc(l.may, func(m string) bool { return m == "..." || within(folder, m) })
}

// within says whether a folder is another or below it; nothing is below the root package.
func within(folder, of string) bool {
	return folder == of || of != "." && strings.HasPrefix(folder, of+"/")
}
