package admin

import (
	"bytes"
	"os"
	"runtime"
	rtm "runtime/metrics"
	"strconv"
	"time"
)

// started is the start of the process, near enough: packages are initialised
// within its first milliseconds.
var started = time.Now()

// process adds what is true of any Go process, under the names that the
// Prometheus client library gave them, so that ready-made dashboards fit.
func process(m *Metrics) {
	m.Gauge("go_info", "Version of Go this was built with.", 1, "version", runtime.Version())
	m.Gauge("process_start_time_seconds", "Start of the process, in seconds since 1970.", float64(started.UnixMilli())/1000)
	goRuntime(m)
	kernel(m)
}

// goRuntime reads runtime/metrics and not runtime.MemStats, which stops the
// world: a scrape must not be seen in anyone's latency.
func goRuntime(m *Metrics) {
	samples := []rtm.Sample{
		{Name: "/sched/goroutines:goroutines"},
		{Name: "/sched/gomaxprocs:threads"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/total:bytes"},
		{Name: "/gc/heap/allocs:bytes"},
		{Name: "/gc/cycles/total:gc-cycles"},
	}
	rtm.Read(samples)
	v := func(i int) uint64 {
		if samples[i].Value.Kind() != rtm.KindUint64 {
			return 0 // gone from a later runtime
		}
		return samples[i].Value.Uint64()
	}
	m.Gauge("go_goroutines", "Goroutines that exist.", float64(v(0)))
	m.Gauge("go_sched_gomaxprocs_threads", "Threads that run Go code at once, at most.", float64(v(1)))
	m.Gauge("go_memstats_heap_alloc_bytes", "Bytes of heap objects, live or not yet swept.", float64(v(2)))
	m.Gauge("go_memstats_sys_bytes", "Bytes the runtime has from the operating system.", float64(v(3)))
	m.Counter("go_memstats_alloc_bytes_total", "Bytes allocated on the heap since the start.", v(4))
	m.Counter("go_gc_cycles_total", "Garbage collections since the start.", v(5))
}

// kernel reads /proc; on a system without one these families are absent.
func kernel(m *Metrics) {
	if n, ok := openFiles(); ok {
		m.Gauge("process_open_fds", "Open file descriptors.", float64(n))
	}
	// proc(5): after the name in parentheses, which may hold anything, the
	// fields from the 3rd on. utime and stime are the 14th and 15th, in ticks
	// of 1/100 s whatever the kernel; rss is the 24th, in pages.
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return
	}
	f := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(f) < 22 {
		return
	}
	n := func(field int) float64 {
		v, _ := strconv.ParseUint(string(f[field-3]), 10, 64)
		return float64(v)
	}
	m.Seconds("process_cpu_seconds_total", "CPU time spent, user and system, in seconds.", (n(14)+n(15))/100)
	m.Gauge("process_resident_memory_bytes", "Bytes of memory in use.", n(24)*float64(os.Getpagesize()))
}

func openFiles() (int, bool) {
	d, err := os.Open("/proc/self/fd")
	if err != nil {
		return 0, false
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	return len(names) - 1, err == nil // without the one that looks
}
