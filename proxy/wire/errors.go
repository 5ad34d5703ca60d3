package wire

import "errors"

// Bad is a message that breaks the rules. All values are made once, so that
// refusing costs nothing; compare by identity.
type Bad struct {
	Status int    // what a client that sent it is answered: 400, 408, 413, …
	What   string // for the operator's log, and the client's answer
}

func (b *Bad) Error() string { return b.What }

var (
	badMethod   = &Bad{400, "malformed method"}
	badTarget   = &Bad{400, "malformed request target"}
	badVersion  = &Bad{505, "unsupported HTTP version"}
	badLine     = &Bad{400, "malformed request line"}
	badStart    = &Bad{400, "malformed status line"}
	badName     = &Bad{400, "malformed header name"}
	badValue    = &Bad{400, "control character in a header value"}
	badFold     = &Bad{400, "folded header line"}
	badNewline  = &Bad{400, "line not ended by CRLF"}
	badLength   = &Bad{400, "invalid Content-Length"}
	badLengths  = &Bad{400, "several Content-Lengths"}
	badCoding   = &Bad{400, "unsupported Transfer-Encoding"}
	badFraming  = &Bad{400, "both Content-Length and Transfer-Encoding"}
	badHost     = &Bad{400, "missing, repeated or invalid Host"}
	badChunk    = &Bad{400, "malformed chunk"}
	badTrailer  = &Bad{400, "malformed trailer"}
	badOverhead = &Bad{400, "more chunk framing than data"}

	longLine   = &Bad{414, "request line too long"}
	longHead   = &Bad{431, "header fields too large"}
	longBody   = &Bad{413, "body too large"}
	badExpect  = &Bad{417, "unknown expectation"}
	manyFields = &Bad{431, "too many header fields"}
)

var (
	// ErrMore: the bytes so far are fine, but it takes more of them.
	ErrMore = errors.New("wire: incomplete")
	// ErrTime: a wait reached its limit.
	ErrTime = errors.New("timed out")
	// ErrGone: the client left while its upstream was waited for.
	ErrGone = errors.New("client left")
	// ErrStale: a kept connection was closed, or had bytes nobody asked for,
	// before anything was sent on it.
	ErrStale = errors.New("kept connection is no longer usable")
	// ErrNoPipe: bytes cannot go through the kernel just now, for want of
	// descriptors or of the pages that a user may have in pipes.
	ErrNoPipe = errors.New("no pipe to be had")
)
