package memory

import (
	"fmt"
	"testing"
)

func TestAllAreAdmittedWhileThereIsRoom(t *testing.T) {
	m := least(t)
	for i := range 1000 {
		if !m.Admit(fmt.Append(nil, i)) {
			t.Fatalf("the %dth key was refused by an empty tier", i)
		}
	}
}

func TestWhenFullTheSecondTimeIsAdmitted(t *testing.T) {
	m := least(t)
	keys := inRing(5, 1000)
	full, rest := keys[:600], keys[600:]
	for _, key := range full {
		m.Put(key, make([]byte, 300), 0)
	}
	f := func(what string, key []byte, want bool) {
		t.Helper()
		if got := m.Admit(key); got != want {
			t.Errorf("%s: %v", what, got)
		}
	}
	f("the first time", rest[0], false)
	f("the second", rest[0], true)
	f("what is there", full[599], true)

	f("the first time", rest[1], false)
	for _, key := range rest[300:] { // more than a quarter of the ring
		m.Put(key, make([]byte, 300), 0)
	}
	f("long after the first", rest[1], false)
	f("soon after", rest[1], true)
	if n := m.Stats().Refused; n != 3 {
		t.Errorf("%d refused", n)
	}
}

// An empty ring after Reset is not judged by what was before.
func TestResetMakesRoom(t *testing.T) {
	m := least(t)
	keys := inRing(5, 400)
	for _, key := range keys {
		m.Put(key, make([]byte, 300), 0)
	}
	m.Reset()
	if !m.Admit([]byte("new")) || !m.Admit(keys[0]) {
		t.Error("refused by an empty tier")
	}
}
