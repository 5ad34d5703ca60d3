package config

import (
	"slices"
	"strings"
	"testing"
)

func TestCommandLines(t *testing.T) {
	f := func(line string, want ...string) {
		t.Helper()
		got, err := splitLine(line)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v, want %q", line, got, err, want)
		}
		if again, err := splitLine(Line(want)); err != nil || !slices.Equal(again, want) {
			t.Errorf("%q is written %s, which is %q, %v", want, Line(want), again, err)
		}
	}
	f(`node app.js`, "node", "app.js")
	f(`  node   app.js --port={port} `, "node", "app.js", "--port={port}")
	f(`sh -c 'echo $HOME; exec "$@"'`, "sh", "-c", `echo $HOME; exec "$@"`)
	f(`a "b c" d\ e ''`, "a", "b c", "d e", "")
	f(`'it'\''s'`, "it's")
	f(`"say \"so\" \n \$x"`, `say "so" \n $x`)
	f(`$'a\nb\t\x07\'\\'`, "a\nb\t\a'\\")
	f(`ä`, "ä")

	wrong := func(line, want string) {
		t.Helper()
		if _, err := splitLine(line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", line, err, want)
		}
	}
	wrong(`node 'app.js`, "a quote is not closed")
	wrong(`node "app.js`, "a quote is not closed")
	wrong(`node $'app.js`, "a quote is not closed")
	wrong(`node \`, "a quote is not closed")
	wrong(`node app.js | tee log`, `"|" is for a shell, want it in quotes, or sh -c`)
	wrong(`node app.js & `, `"&" is for a shell`)
}

func FuzzCommandLine(f *testing.F) {
	f.Add(`node 'a b' "c\"" $'\x00\n' d\ e`)
	f.Fuzz(func(t *testing.T, line string) {
		words, err := splitLine(line)
		if err != nil {
			return
		}
		if again, err := splitLine(Line(words)); err != nil || !slices.Equal(words, again) {
			t.Errorf("%q: %q, then %q, %v", line, words, again, err)
		}
	})
}
