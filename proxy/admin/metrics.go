package admin

import (
	"math"
	"strconv"
	"strings"
)

// Metrics collects one scrape in the Prometheus text format. The zero value
// is ready. Samples of one family may come in any order between others: they
// are kept together, as the format asks, with HELP and TYPE written once.
//
// Labels are pairs, name then value. Names (of metrics and labels) are ours
// and written as they are; values may be anything and are escaped.
type Metrics struct {
	order  []*family
	byName map[string]*family
}

type family struct {
	name, help, kind string
	samples          []byte
}

// Counter adds a sample of something that only grows; its name ends in _total.
func (m *Metrics) Counter(name, help string, value uint64, labels ...string) {
	f := m.family(name, help, "counter")
	f.samples = appendSample(f.samples, name, labels, strconv.FormatUint(value, 10))
}

// Seconds adds a counter of time, whose name ends in _seconds_total.
func (m *Metrics) Seconds(name, help string, value float64, labels ...string) {
	f := m.family(name, help, "counter")
	f.samples = appendSample(f.samples, name, labels, number(value))
}

// Gauge adds a sample of something that goes up and down.
func (m *Metrics) Gauge(name, help string, value float64, labels ...string) {
	f := m.family(name, help, "gauge")
	f.samples = appendSample(f.samples, name, labels, number(value))
}

// Histogram adds a distribution: counts[i] values were at most bounds[i] (and
// more than the bound before), and the last of counts, which has one more
// than bounds, counts those beyond them all. sum is of all values.
func (m *Metrics) Histogram(name, help string, bounds []float64, counts []uint64, sum float64, labels ...string) {
	if len(counts) != len(bounds)+1 {
		panic("BUG: histogram " + name + ": want one count more than bounds")
	}
	f := m.family(name, help, "histogram")
	var total uint64
	for i, n := range counts {
		le := math.Inf(1)
		if i < len(bounds) {
			le = bounds[i]
		}
		total += n // the format wants them cumulative
		pairs := append(append(make([]string, 0, len(labels)+2), labels...), "le", number(le))
		f.samples = appendSample(f.samples, name+"_bucket", pairs, strconv.FormatUint(total, 10))
	}
	f.samples = appendSample(f.samples, name+"_sum", labels, number(sum))
	f.samples = appendSample(f.samples, name+"_count", labels, strconv.FormatUint(total, 10))
}

// Append appends the scrape to dst.
func (m *Metrics) Append(dst []byte) []byte {
	for _, f := range m.order {
		dst = append(dst, "# HELP "+f.name+" "+escapeHelp.Replace(f.help)+"\n"...)
		dst = append(dst, "# TYPE "+f.name+" "+f.kind+"\n"...)
		dst = append(dst, f.samples...)
	}
	return dst
}

func (m *Metrics) family(name, help, kind string) *family {
	f := m.byName[name]
	if f == nil {
		f = &family{name: name, help: help, kind: kind}
		if m.byName == nil {
			m.byName = make(map[string]*family)
		}
		m.byName[name] = f
		m.order = append(m.order, f)
	}
	if f.kind != kind {
		panic("BUG: metric " + name + " is both " + f.kind + " and " + kind)
	}
	return f
}

func appendSample(dst []byte, name string, labels []string, value string) []byte {
	if len(labels)%2 != 0 {
		panic("BUG: metric " + name + ": a label without a value")
	}
	dst = append(dst, name...)
	for i := 0; i < len(labels); i += 2 {
		separator := byte(',')
		if i == 0 {
			separator = '{'
		}
		dst = append(dst, separator)
		dst = append(dst, labels[i]...)
		dst = append(dst, '=', '"')
		// One invalid byte would make Prometheus refuse the whole scrape.
		dst = append(dst, escapeLabel.Replace(strings.ToValidUTF8(labels[i+1], "\uFFFD"))...)
		dst = append(dst, '"')
	}
	if len(labels) > 0 {
		dst = append(dst, '}')
	}
	dst = append(dst, ' ')
	dst = append(dst, value...)
	return append(dst, '\n')
}

var (
	escapeHelp  = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	escapeLabel = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
)

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
