package truss

import (
	"strings"
	"unicode"
)

// snakeCase is a Go name as Erlang and Elixir write it. A word begins with an
// upper-case letter that follows another kind of character, or that is followed by
// a lower-case one: GetURL is get_url, HTTPGet http_get, V2Ray v2_ray.
func snakeCase(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if !unicode.IsUpper(r) {
			b.WriteRune(r)
			continue
		}
		if i > 0 && runes[i-1] != '_' && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
