package admin

import (
	"io"
	"runtime/debug"

	"github.com/VictoriaMetrics/metrics"
)

// Of the library this is the last one that does not tell at every start, that of
// a help page included, which of the figures it knows the kernel lacks.
func init() { metrics.ExposeMetadata(true) } // TYPE lines, which all of ours have

// built tells what runs.
func built(m *Metrics) {
	version, revision := build()
	m.Gauge("multiserver_build_info", "What this was built from.", 1, "version", version, "revision", revision)
}

// writeProcess writes what is true of any Go process, under the names that
// ready-made dashboards know. For the heap's figures the world stands still for
// some 30 µs, as it does in a collection.
//
// Requests are not counted by the library's histograms: those take a lock for
// each value, and ours may not.
func writeProcess(w io.Writer) {
	metrics.WriteProcessMetrics(w)
	metrics.WriteFDMetrics(w)
}

// build names the module's version and the commit, as far as Go has noted them.
func build() (version, revision string) {
	b, ok := debug.ReadBuildInfo()
	if !ok {
		return "", ""
	}
	for _, s := range b.Settings {
		if s.Key == "vcs.revision" {
			revision = s.Value
		}
	}
	return b.Main.Version, revision
}
