package play

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// cell is a text and how it is painted, nil for plainly.
type cell struct {
	text  string
	paint func(string) string
}

// table lays cells out in columns. Widths are those of the texts alone, which
// text/tabwriter cannot do with colours in them.
func table(rows [][]cell) string {
	var widths []int
	for _, row := range rows {
		for i, c := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(c.text))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		var line strings.Builder
		for i, c := range row {
			text := c.text
			if c.paint != nil && text != "" {
				text = c.paint(text)
			}
			line.WriteString("  " + text)
			if i < len(row)-1 {
				line.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c.text)))
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}

// machineObject is a machine as JSON.
type machineObject struct {
	ID    string   `json:"id"`
	Node  string   `json:"node"`
	State state    `json:"state"`
	Runs  string   `json:"runs"`
	PID   int      `json:"pid,omitempty"`
	Port  int      `json:"port,omitempty"`
	Sees  []string `json:"sees"`
	End   string   `json:"end,omitempty"`

	Region string `json:"region,omitempty"`
}

func (m machine) object(list []machine) machineObject {
	o := machineObject{ID: m.ID, Node: m.Node, State: m.state, Runs: m.runs(), Port: m.port, Sees: m.seen(list), End: m.end, Region: m.Region}
	if !m.state.over() {
		o.PID = m.process.pid()
	}
	return o
}

func (m machine) runs() string {
	switch {
	case m.Kind == goMachine:
		return "Go"
	case m.otp != "":
		return "OTP " + m.otp
	}
	return "BEAM"
}

// seen lists whom a machine sees: machines by their number, then the names of
// nodes that are no machines of ours.
func (m machine) seen(list []machine) []string {
	rest := map[string]bool{}
	for node := range m.sees {
		rest[node] = true
	}
	seen := []string{}
	for _, peer := range list {
		if rest[peer.Node] {
			seen = append(seen, peer.ID)
			delete(rest, peer.Node)
		}
	}
	var strangers []string
	for node := range rest {
		strangers = append(strangers, node)
	}
	slices.Sort(strangers)
	return append(seen, strangers...)
}

// showMachines is the table of all machines, with whom each sees by its own lines.
func (s *screen) showMachines(list []machine) {
	heads := []string{"MACHINE", "NODE", "RUNS", "STATE", "PROCESS", "SEES"}
	several := severalRegions(list)
	if several {
		heads = slices.Insert(heads, 2, "REGION")
	}
	rows := [][]cell{s.heads(heads...)}
	objects := []machineObject{}
	for _, m := range list {
		o := m.object(list)
		objects = append(objects, o)
		row := []cell{{o.ID, s.bold}, {text: o.Node}, {text: o.Runs}, {string(o.State), s.stateColor(o.State)}}
		if several {
			row = slices.Insert(row, 2, cell{text: cmp.Or(o.Region, "-")})
		}
		switch {
		case m.state.over():
			row = append(row, cell{text: "-"}, cell{o.End, s.dim})
		default:
			row = append(row, cell{text: strconv.Itoa(o.PID)}, cell{text: cmp.Or(strings.Join(o.Sees, " "), "nobody")})
			if missing := missingPeers(m, list); m.state == running && len(missing) > 0 {
				row = append(row, cell{"but not " + strings.Join(missing, " "), s.red})
			}
		}
		rows = append(rows, row)
	}
	s.say(table(rows), struct {
		Machines []machineObject `json:"machines"`
	}{objects})
}

// severalRegions tells whether there is anything to say about regions.
func severalRegions(list []machine) bool {
	return slices.ContainsFunc(list, func(m machine) bool { return m.Region != "" && m.Region != primaryRegion })
}

func missingPeers(m machine, list []machine) []string {
	var missing []string
	for _, peer := range list {
		if peer.ID != m.ID && peer.state == running && !m.sees[peer.Node] {
			missing = append(missing, peer.ID)
		}
	}
	return missing
}

func (s *screen) heads(names ...string) []cell {
	var row []cell
	for _, name := range names {
		row = append(row, cell{name, s.dim})
	}
	return row
}

func (s *screen) stateColor(st state) func(string) string {
	switch st {
	case running:
		return s.green
	case killed, failed:
		return s.red
	}
	return nil
}

// showNodes is the matrix of who lists whom, by what the nodes answered.
func (s *screen) showNodes(list []machine, answers map[string]answer) {
	rows, objects := s.matrix("lists", list, answers, func(m machine, given answer, up []machine) ([]cell, any) {
		var row []cell
		for _, peer := range up {
			switch {
			case peer.ID == m.ID:
				row = append(row, cell{".", s.dim})
			case slices.Contains(given.nodes, peer.Node):
				row = append(row, cell{"yes", s.green})
			default:
				row = append(row, cell{"NO", s.red})
			}
		}
		return append(row, strangers(given.nodes, list)...), given.nodes
	})
	s.say(table(rows), struct {
		Nodes map[string]any `json:"nodes"`
	}{objects})
}

// showRegions is the matrix of who has whom in which region, likewise. BEAMs have no
// region and know of none.
func (s *screen) showRegions(list []machine, answers map[string]answer) {
	citizens := slices.DeleteFunc(slices.Clone(list), func(m machine) bool { return m.Kind != goMachine })
	rows, objects := s.matrix("has", citizens, answers, func(_ machine, given answer, up []machine) ([]cell, any) {
		var row []cell
		for _, peer := range up {
			region, paint := given.regions[peer.Node], s.green
			if region != peer.Region {
				paint = s.red
			}
			row = append(row, cell{cmp.Or(region, "?"), paint})
		}
		for _, node := range strangers(slices.Sorted(maps.Keys(given.regions)), list) {
			row = append(row, cell{text: node.text + " in " + given.regions[node.text]})
		}
		return row, given.regions
	})
	s.say(table(rows), struct {
		Regions map[string]any `json:"regions"`
	}{objects})
}

// matrix has a row and an object for each machine that runs, made of its answer.
func (s *screen) matrix(title string, list []machine, answers map[string]answer, each func(m machine, given answer, up []machine) ([]cell, any)) ([][]cell, map[string]any) {
	up := slices.DeleteFunc(slices.Clone(list), func(m machine) bool { return m.state != running })
	head := s.heads(title)
	for _, m := range up {
		head = append(head, cell{m.ID, s.bold})
	}
	rows := [][]cell{head}
	objects := map[string]any{}
	for _, m := range up {
		given := answers[m.ID]
		row := []cell{{m.ID, s.bold}}
		if given.err != nil {
			rows = append(rows, append(row, cell{"does not answer: " + given.err.Error(), s.red}))
			objects[m.ID] = struct {
				Error string `json:"error"`
			}{given.err.Error()}
			continue
		}
		cells, object := each(m, given, up)
		rows = append(rows, append(row, cells...))
		objects[m.ID] = object
	}
	return rows, objects
}

// strangers are cells for the nodes that are no machines of ours.
func strangers(nodes []string, list []machine) []cell {
	var cells []cell
	for _, node := range nodes {
		if !slices.ContainsFunc(list, func(m machine) bool { return m.Node == node }) {
			cells = append(cells, cell{text: node})
		}
	}
	return cells
}
