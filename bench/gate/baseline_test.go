//go:build linux

package main

import (
	"strings"
	"testing"
)

func TestBaselineIsWrittenAsItIsRead(t *testing.T) {
	b := kept(t)
	again, err := parseBaseline(b.text())
	if err != nil || string(again.text()) != string(b.text()) {
		t.Errorf("%v:\n%s\nwas\n%s", err, again.text(), b.text())
	}
	for _, sc := range scenes {
		for _, f := range figures {
			if f.name == size {
				continue
			}
			if _, ok := b.by[sc.name][f.name]; !ok {
				t.Errorf("%s: no %s in the baseline", sc.name, f.name)
			}
		}
	}
}

func TestABadBaselineIsRefused(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		_, err := parseBaseline([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	f("a allocations\n", `line 1: "a allocations": want SCENE FIGURE VALUE`)
	f("# one\n\na allocations few\n", `line 3: "few" is no number`)
}
