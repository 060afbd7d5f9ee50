package launch

import "testing"

func TestLastResult(t *testing.T) {
	out := []byte("a library says hello\n{\"level\":\"info\"}\n{\"figures\":{\"rate\":12.5}}\n")
	r, found := lastResult(out)
	if !found || r.Figures["rate"] != 12.5 {
		t.Errorf("got %+v, %v", r, found)
	}
	if r, found := lastResult([]byte("{\"error\":\"lost 3 of 10 messages\"}")); !found || r.Error != "lost 3 of 10 messages" {
		t.Errorf("got %+v, %v", r, found)
	}
	if _, found := lastResult([]byte("no\n{broken\n")); found {
		t.Error("found a result where there is none")
	}
}
