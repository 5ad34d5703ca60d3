package server

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"multiserver/proxy/admin"
	"multiserver/proxy/proxyproto"
)

// headers takes the PROXY header off connections that begin with one.
//
// There each must: who is trusted and sends none is wrongly set up, and would
// else pass all its clients off as itself; who is not trusted could put any
// address into one, and without one has gone around the proxy that was to be
// passed. Both are shown the door, without a word that could tell a stranger
// what is here.
type headers struct {
	from   []netip.Prefix // who is believed; who comes by a Unix socket always is
	within time.Duration
	log    *slog.Logger
	waits  waits       // those under way
	wanted atomic.Bool // somewhere

	taken  [2]atomic.Uint64 // by version
	failed [headless]atomic.Uint64

	mu        sync.Mutex
	spoke     time.Time // guarded by mu; when there was a line last
	swallowed int       // guarded by mu; those that there were not, since
}

// headFault is why a connection was not taken; it is the label of the metric.
type headFault uint8

const (
	headStranger  headFault = iota // not one of --trusted-proxies
	headNone                       // what it began with is no header
	headMalformed                  // nor is this
	headLong                       // it is longer than any
	headFamily                     // it is for datagrams, or of a family that we do not know
	headChecksum                   // its checksum is wrong
	headLate                       // it was not there in time
	headLeft                       // the peer went before, most often to see whether we listen
	headStopped                    // we are going
	headless                       // how many there are
)

var headFaultNames = [headless]string{
	"untrusted", "no-header", "malformed", "too-long", "family", "checksum", "timeout", "peer-left", "stopped",
}

func (f headFault) String() string { return headFaultNames[f] }

// take returns nc between the ends that its header says, or nil, and then
// there is nothing more to be done with it. It is called by the worker, for a
// peer that says nothing must not hold up others.
func (h *headers) take(nc net.Conn) net.Conn {
	if !h.trusts(nc.RemoteAddr()) {
		h.fail(nc, errStranger)
		return nil
	}
	if !h.waits.enter(nc, h.within) {
		h.fail(nc, errStopped)
		return nil
	}
	as, said, err := proxyproto.Accept(nc)
	if !h.waits.leave(nc) {
		err = errStopped
	}
	if err != nil {
		h.fail(nc, err)
		return nil
	}
	h.taken[said.Version-1].Add(1)
	return as
}

var errStranger = errors.New("not one of --trusted-proxies")

// endWithin ends those that are still waited for after d, and those to come.
func (h *headers) endWithin(d time.Duration) (now func()) {
	return h.waits.endWithin(d)
}

// trusts tells whether a may say for whom it comes. Behind a Unix socket that
// is whoever can open it.
func (h *headers) trusts(a net.Addr) bool {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return true
	}
	addr := t.AddrPort().Addr().Unmap().WithZone("") // which no prefix contains
	for _, from := range h.from {
		if from.Contains(addr) {
			return true
		}
	}
	return false
}

func (h *headers) fail(nc net.Conn, err error) {
	why := headFaultOf(err)
	h.failed[why].Add(1)
	peer := nc.RemoteAddr().String()
	if why >= headLate { // load balancers look in like that, several times a second
		h.log.Debug("no PROXY header", "peer", peer, "reason", why.String(), "cause", err)
	} else if swallowed, ok := h.speak(time.Now()); ok {
		h.log.Warn("connection refused for its PROXY header", "peer", peer, "reason", why.String(), "cause", err, "swallowed", swallowed)
	}
}

func headFaultOf(err error) headFault {
	switch {
	case err == errStranger:
		return headStranger
	case err == errStopped:
		return headStopped
	case err == proxyproto.ErrNone:
		return headNone
	case err == proxyproto.ErrLong:
		return headLong
	case err == proxyproto.ErrFamily:
		return headFamily
	case err == proxyproto.ErrChecksum:
		return headChecksum
	case err == proxyproto.ErrMalformed:
		return headMalformed
	case errors.Is(err, os.ErrDeadlineExceeded):
		return headLate
	}
	return headLeft
}

// speakEvery is between two lines: whoever is refused comes again and again.
const speakEvery = time.Second

// speak tells whether there may be a line now, and how many there were not
// since the last.
func (h *headers) speak(now time.Time) (swallowed int, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now.Sub(h.spoke) < speakEvery {
		h.swallowed++
		return 0, false
	}
	swallowed, h.swallowed, h.spoke = h.swallowed, 0, now
	return swallowed, true
}

func (h *headers) metrics(m *admin.Metrics) {
	if !h.wanted.Load() {
		return
	}
	for i, version := range []string{"1", "2"} {
		m.Counter("multiserver_proxy_headers_total", "Connections that began with a PROXY header, by its version.",
			h.taken[i].Load(), "version", version)
	}
	for r := range h.failed {
		m.Counter("multiserver_proxy_headers_refused_total", "Connections refused where a PROXY header is expected, by reason.",
			h.failed[r].Load(), "reason", headFault(r).String())
	}
}
