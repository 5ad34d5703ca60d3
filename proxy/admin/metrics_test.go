package admin

import (
	"strings"
	"testing"
)

func TestMetricsText(t *testing.T) {
	f := func(fill func(m *Metrics), want ...string) {
		t.Helper()
		var m Metrics
		fill(&m)
		if got := string(m.Append(nil)); got != strings.Join(want, "\n")+"\n" {
			t.Errorf("got\n%swant\n%s", got, strings.Join(want, "\n"))
		}
	}
	f(func(m *Metrics) { m.Counter("a_total", "All of a.", 18446744073709551615) },
		"# HELP a_total All of a.", "# TYPE a_total counter", "a_total 18446744073709551615")
	f(func(m *Metrics) { m.Gauge("g", "A gauge.", -1.5) },
		"# HELP g A gauge.", "# TYPE g gauge", "g -1.5")
	f(func(m *Metrics) { m.Seconds("s_seconds_total", "Time.", 0.25) },
		"# HELP s_seconds_total Time.", "# TYPE s_seconds_total counter", "s_seconds_total 0.25")
	// One family's samples stay together, whatever comes between.
	f(func(m *Metrics) {
		m.Counter("a_total", "A.", 1, "code", "200", "side", "client")
		m.Gauge("g", "G.", 0)
		m.Counter("a_total", "A.", 2, "code", "502", "side", "upstream")
	},
		"# HELP a_total A.", "# TYPE a_total counter",
		`a_total{code="200",side="client"} 1`,
		`a_total{code="502",side="upstream"} 2`,
		"# HELP g G.", "# TYPE g gauge", "g 0")
	f(func(m *Metrics) { m.Gauge("g", "back\\slash\nnewline", 1, "v", "a\"b\\c\nd\xffé") },
		`# HELP g back\\slash\nnewline`, "# TYPE g gauge", `g{v="a\"b\\c\nd`+"\uFFFD"+`é"} 1`)
	f(func(m *Metrics) {
		m.Histogram("h_seconds", "H.", []float64{0.1, 1}, []uint64{3, 2, 1}, 4.5, "route", "/")
	},
		"# HELP h_seconds H.", "# TYPE h_seconds histogram",
		`h_seconds_bucket{route="/",le="0.1"} 3`,
		`h_seconds_bucket{route="/",le="1"} 5`,
		`h_seconds_bucket{route="/",le="+Inf"} 6`,
		`h_seconds_sum{route="/"} 4.5`,
		`h_seconds_count{route="/"} 6`)
}

func TestMetricsRefusesOurOwnMistakes(t *testing.T) {
	f := func(name string, fill func(m *Metrics)) {
		t.Helper()
		defer func() {
			if p, _ := recover().(string); !strings.HasPrefix(p, "BUG: ") {
				t.Errorf("%s: passed", name)
			}
		}()
		fill(new(Metrics))
	}
	f("label without value", func(m *Metrics) { m.Counter("a_total", "A.", 1, "code") })
	f("two kinds", func(m *Metrics) { m.Counter("a", "A.", 1); m.Gauge("a", "A.", 1) })
	f("a count short", func(m *Metrics) { m.Histogram("h", "H.", []float64{1}, []uint64{1}, 1) })
}
