package interop

import "testing"

// TestExcuses: what TestCitizens excuses, and what not.
func TestExcuses(t *testing.T) {
	const beam1, beam2, ours1, ours2 = "b1", "b2", "o1", "o2"
	for name, test := range map[string]struct {
		testimony
		want bool
	}{
		"a BEAM forgot it by another": {testimony{
			map[string]string{beam1: "n=p a=q", beam2: "a=q", ours1: "a=q n=p"},
			map[string]string{beam1: "", beam2: "n=p=forgotten=b1"}, nil}, true},
		"by ours": {testimony{
			map[string]string{beam1: "n=p", beam2: "", ours1: "n=p"},
			map[string]string{beam1: "", beam2: "n=p=dropped=o1"}, nil}, false},
		"another did not tell it what it has": {testimony{
			map[string]string{beam1: "n=p", beam2: "", ours1: "n=p"},
			map[string]string{beam1: "", beam2: "n=p=untold=b1"}, nil}, true},
		"another did not tell it what it lacks": {testimony{
			map[string]string{beam1: "", beam2: "", ours1: "n=p"},
			map[string]string{beam1: "n=p=forgotten=b2", beam2: "n=p=untold=b1"}, nil}, false},
		"ours did not tell it": {testimony{
			map[string]string{beam1: "n=p", beam2: "", ours1: "n=p"},
			map[string]string{beam1: "", beam2: "n=p=untold=o1"}, nil}, false},
		"another process": {testimony{
			map[string]string{beam1: "n=p", beam2: ""},
			map[string]string{beam1: "", beam2: "n=q=dropped=b1"}, nil}, false},
		"another name is not": {testimony{
			map[string]string{beam1: "n=p m=r", beam2: ""},
			map[string]string{beam1: "", beam2: "n=p=dropped=b1"}, nil}, false},
		"only we lack it": {testimony{
			map[string]string{beam1: "n=p", beam2: "n=p", ours1: "", ours2: ""},
			map[string]string{beam1: "", beam2: ""},
			map[string]string{beam1: "", beam2: "n=b1"}}, false},
		"one of ours lacks it too": {testimony{
			map[string]string{beam1: "n=p", beam2: "", ours1: "", ours2: "n=p"},
			map[string]string{beam1: "", beam2: "n=p=dropped=b1"},
			map[string]string{beam1: "", beam2: "n=b1"}}, false},
		"BEAMs took it unlocked": {testimony{
			map[string]string{beam1: "n=p", beam2: "n=q", ours1: "n=p", ours2: "n=p"},
			map[string]string{beam1: "", beam2: ""},
			map[string]string{beam1: "n=b2", beam2: ""}}, true},
		"unlocked by ours": {testimony{
			map[string]string{beam1: "n=p", beam2: "n=q", ours1: "n=p", ours2: "n=p"},
			map[string]string{beam1: "", beam2: ""},
			map[string]string{beam1: "n=o1", beam2: ""}}, false},
		"nobody saw anything": {testimony{
			map[string]string{beam1: "n=p", beam2: "", ours1: "n=p"},
			map[string]string{beam1: "", beam2: ""}, nil}, false},
	} {
		excuses, err := test.excused()
		if got := err == nil && len(excuses) > 0; got != test.want {
			t.Errorf("%s: excused %v, %v", name, excuses, err)
		}
	}
}
