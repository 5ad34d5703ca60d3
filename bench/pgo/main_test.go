package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/pprof/profile"
)

// taken writes a profile in which f was met n times.
func taken(t *testing.T, name string, n int64, kinds ...string) string {
	f := &profile.Function{ID: 1, Name: name, SystemName: name, Filename: "/home/someone/" + name + ".go", StartLine: 7}
	l := &profile.Location{ID: 1, Line: []profile.Line{{Function: f, Line: 9}}}
	p := &profile.Profile{
		Sample:     []*profile.Sample{{Location: []*profile.Location{l}, Value: []int64{n, n * 10}, Label: map[string][]string{"a": {"b"}}}},
		Location:   []*profile.Location{l},
		Function:   []*profile.Function{f},
		SampleType: []*profile.ValueType{{Type: "samples", Unit: "count"}, {Type: "cpu", Unit: "nanoseconds"}},
		TimeNanos:  1,
	}
	for i, k := range kinds {
		p.SampleType[i].Type = k
	}
	path := filepath.Join(t.TempDir(), name)
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if err := p.Write(out); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestEachProfileCountsTheSame(t *testing.T) {
	out := filepath.Join(t.TempDir(), "merged")
	if err := run(out, []string{taken(t, "often", 90), taken(t, "seldom", 3)}); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	p, err := profile.ParseData(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range p.Sample {
		if len(s.Value) != 1 || s.Value[0] != share || len(s.Label) > 0 {
			t.Errorf("%v %v, want %d", s.Value, s.Label, share)
		}
		if l := s.Location[0].Line[0]; l.Line != 9 || l.Function.StartLine != 7 || l.Function.Filename != "" {
			t.Errorf("%+v of %+v", l, l.Function)
		}
	}
	if len(p.Sample) != 2 || p.TimeNanos != 0 {
		t.Errorf("%v", p)
	}
}

func TestWhatIsNoProfileOfTime(t *testing.T) {
	f := func(want string, paths ...string) {
		t.Helper()
		if err := run(filepath.Join(t.TempDir(), "out"), paths); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	f("no profiles")
	f("no such file", "/none")
	f("not a profile of CPU time", taken(t, "a", 1, "alloc_objects"))
	f("the server was idle", taken(t, "a", 0))
}
