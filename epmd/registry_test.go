package epmd

import (
	"fmt"
	"strings"
	"testing"
)

func request(name string) aliveRequest {
	return aliveRequest{name: name, port: 1, nodeType: nodeNormal, high: 6, low: 5}
}

func TestCreations(t *testing.T) {
	r := newRegistry(10)
	const fresh = 1001
	first := r.register(request("a"), 1, fresh)
	if first.creation != fresh {
		t.Errorf("first creation %d, want the fresh one", first.creation)
	}
	r.unregister(first)
	second := r.register(request("a"), 2, 5000)
	if second.creation != 1002 {
		t.Errorf("second creation %d, want the first plus one", second.creation)
	}
	r.unregister(first) // ended already: must not end the second
	if r.byName["a"] != second || len(r.past) != 0 {
		t.Error("the end of an old holding ended the new one")
	}
	r.unregister(second)
	if c := r.register(request("early"), 3, 0).creation; c != firstCreation {
		t.Errorf("creation %d for 0, want %d", c, firstCreation)
	}
	past := r.past[0]
	past.creation = 1<<32 - 1
	if c := r.register(request("a"), 4, fresh).creation; c != firstCreation {
		t.Errorf("creation %d behind the last there is, want %d", c, firstCreation)
	}
}

func TestRegistryRefuses(t *testing.T) {
	r := newRegistry(3)
	const fresh = 1000
	r.register(request("a"), 1, fresh)
	long := request("b")
	long.extra = strings.Repeat("x", maxExtra+1)
	for name, req := range map[string]aliveRequest{
		"taken": request("a"), "empty": request(""), "NUL": request("a\x00"), "not UTF-8": request("\xff"),
		"256 characters": request(strings.Repeat("é", 256)), "long extra": long,
	} {
		if r.register(req, 2, fresh) != nil {
			t.Errorf("%s: registered", name)
		}
	}
	for _, name := range []string{strings.Repeat("é", 255), "A"} { // case matters
		if r.register(request(name), 3, fresh) == nil {
			t.Errorf("%q: refused", name)
		}
	}
	if r.register(request("fourth"), 4, fresh) != nil {
		t.Error("registered beyond the limit")
	}
}

func TestPastIsBounded(t *testing.T) {
	r := newRegistry(10)
	for i := range maxPast + 5 {
		r.unregister(r.register(request(fmt.Sprint("n", i)), 1, 1000))
	}
	if len(r.past) != maxPast || r.past[0].name != "n5" || len(r.byName) != 0 {
		t.Errorf("%d past names beginning with %s, %d held", len(r.past), r.past[0].name, len(r.byName))
	}
}
