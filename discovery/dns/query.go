package dns

import (
	"fmt"
	"os"
	"strings"

	mdns "github.com/miekg/dns"

	"github.com/truss-beam/truss/discovery"
)

// query is a name to ask for and the base name of the nodes it stands for.
type query struct {
	base  string
	name  string
	fixed bool // the base name was given with the query, and is not merely ours
}

// queries parses Query. None means that discovery is off.
func (s Strategy) queries(self discovery.Self) ([]query, error) {
	list := s.Query
	if list == "" {
		list = os.Getenv("DNS_CLUSTER_QUERY")
	}
	if list == Ignore {
		return nil, nil
	}
	own, _, _ := strings.Cut(self.Name, "@")
	var qs []query
	for item := range strings.SplitSeq(list, ",") {
		item = strings.TrimSpace(item)
		if item == "" {
			continue
		}
		q := query{base: own, name: item}
		if base, name, ok := strings.Cut(item, "@"); ok {
			q = query{base: base, name: name, fixed: true}
		}
		if err := q.validate(); err != nil {
			return nil, err
		}
		qs = append(qs, q)
	}
	return qs, nil
}

func (q query) validate() error {
	switch _, ok := mdns.IsDomainName(q.name); {
	case q.base == "" && q.fixed:
		return fmt.Errorf("%w: dns: query %q has nothing before the @", discovery.ErrConfig, "@"+q.name)
	case q.base == "":
		return fmt.Errorf("%w: dns: query %q needs a base name (basename@%s), this node has no name to take it from",
			discovery.ErrConfig, q.name, q.name)
	case !ok || q.name == "" || strings.ContainsAny(q.name, "@ \t\r\n"):
		return fmt.Errorf("%w: dns: %q is not a name that DNS could know", discovery.ErrConfig, q.name)
	}
	return nil
}
