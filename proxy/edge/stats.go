package edge

import "sync/atomic"

// Stats are an Edge's counters of HTTP/2.
type Stats struct {
	Resets  [Resets]atomic.Uint64  // streams that did not end as streams should, by why
	Endings [Endings]atomic.Uint64 // connections that ended, by why
}

// Reset is why a stream was ended by RST_STREAM; it is the label of the
// metric.
type Reset uint8

// The resets.
const (
	ByClient   Reset = iota // the client did it
	Refused                 // as many streams as allowed are at work
	Malformed               // no request of HTTP (RFC 9113 §8.1.1), or not as long as it said
	Closed                  // more came where the client had ended
	Overrun                 // more came than the window allowed, or a window grew too large
	WrongSize               // a PRIORITY frame was not as long as all are
	Unfinished              // the answer broke off, or the client did not read on
	Early                   // the answer was complete before the request
	Resets                  // how many there are
)

func (r Reset) String() string {
	return [Resets]string{"client", "refused", "malformed", "closed", "window", "frame-size", "unfinished", "early"}[r]
}

func (r Reset) code() uint32 {
	return [Resets]uint32{codeCancel, codeRefused, codeProtocol, codeClosed, codeFlow, codeSize, codeInternal, codeNone}[r]
}

// Ending is why a connection ended; it is the label of the metric. All but the
// first are told to the client by GOAWAY.
type Ending uint8

// The endings.
const (
	Left        Ending = iota // the client closed it, or it broke
	Quiet                     // no streams for too long
	Drained                   // it was to end, and had no streams any more
	Silent                    // nothing came in the middle of something, or behind a PING
	Preface                   // what came first was not the preface with SETTINGS
	Protocol                  // a frame that may not stand where it stood
	ClosedAgain               // HEADERS on a stream that the client had ended
	FrameSize                 // a frame longer than allowed, or not as long as it must be
	Compression               // header compression out of step
	Window                    // more came than the window allowed, or it grew too large
	Flood                     // too much of what costs a client nothing
	Insecure                  // TLS with a cipher that RFC 9113 §9.2.2 forbids
	Endings                   // how many there are
)

func (e Ending) String() string {
	return [Endings]string{"left", "quiet", "drained", "silent", "preface", "protocol", "closed",
		"frame-size", "compression", "window", "flood", "insecure"}[e]
}

// Error makes an Ending what ends the loop that reads.
func (e Ending) Error() string { return "edge: HTTP/2 connection ends: " + e.String() }

func (e Ending) code() uint32 {
	return [Endings]uint32{codeNone, codeNone, codeNone, codeNone, codeProtocol, codeProtocol, codeClosed,
		codeSize, codeCompression, codeFlow, codeCalm, codeInsecure}[e]
}
