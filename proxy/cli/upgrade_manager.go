package cli

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// manager is the service manager that began us and wants to hear how we are
// (sd_notify(3)). nil wants nothing.
type manager struct {
	at    *net.UnixAddr
	every time.Duration // a sign of life is wanted, twice in that; 0: none
	mute  atomic.Bool   // another process speaks for the service
}

// newManager reads what the manager has told us. WATCHDOG_PID is not for those
// that we begin, and not for the one that replaces us, which has another.
func newManager() *manager {
	where := os.Getenv("NOTIFY_SOCKET")
	if !strings.HasPrefix(where, "/") && !strings.HasPrefix(where, "@") {
		return nil
	}
	m := &manager{at: &net.UnixAddr{Name: where, Net: "unixgram"}}
	usec, err := strconv.ParseInt(os.Getenv("WATCHDOG_USEC"), 10, 64)
	pid, meant := os.LookupEnv("WATCHDOG_PID")
	if err == nil && usec > 0 && (!meant || pid == strconv.Itoa(os.Getpid())) {
		m.every = time.Duration(usec) * time.Microsecond
	}
	_ = os.Unsetenv("WATCHDOG_PID")
	return m
}

// tell sends lines. Whether anybody reads them is not known.
func (m *manager) tell(lines ...string) {
	if m == nil || m.mute.Load() {
		return
	}
	c, err := net.DialUnix("unixgram", nil, m.at)
	if err != nil {
		return
	}
	defer c.Close()
	_ = c.SetWriteDeadline(time.Now().Add(time.Second))
	_, _ = c.Write([]byte(strings.Join(lines, "\n")))
}

// close is the end of what we tell.
func (m *manager) close() {
	if m != nil {
		m.mute.Store(true)
	}
}

func (m *manager) ready()    { m.tell("READY=1", "STATUS=serving") }
func (m *manager) stopping() { m.tell("STOPPING=1", "STATUS=draining") }

// reloading has the time by which the manager tells this reload from another.
func (m *manager) reloading() {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
	m.tell("RELOADING=1", fmt.Sprintf("MONOTONIC_USEC=%d", now.Nano()/1000))
}

// live gives signs of life, as long as the time of pulse goes on, until ctx is
// done: a process that hangs is to be found out.
func (m *manager) live(ctx context.Context, pulse func() int64) {
	if m == nil || m.every == 0 {
		return
	}
	t := time.NewTicker(m.every / 2)
	defer t.Stop()
	for last := int64(-1); ; {
		if now := pulse(); now != last {
			last = now
			m.tell("WATCHDOG=1")
		}
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
	}
}
