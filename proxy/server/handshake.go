package server

import (
	"cmp"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"multiserver/proxy/certs"
	"multiserver/proxy/certs/acme"
)

// handshakes agrees on TLS with clients, each within a time of its own.
type handshakes struct {
	certs  *certs.Store
	within time.Duration
	log    *slog.Logger

	waits // those under way

	done   [2][2]atomic.Uint64 // by version, from 1.2 on, and by whether a session was resumed
	failed [failures]atomic.Uint64
}

// failure is why there was no handshake; it is the label of the metric.
type failure uint8

const (
	left           failure = iota // the client said nothing, or went in the middle
	late                          // it was not through in time
	plainHTTP                     // it speaks HTTP without TLS
	notTLS                        // what it said is no TLS
	badVersion                    // it knows only what is too old
	badCipher                     // no cipher or curve in common
	badProtocol                   // no ALPN protocol in common
	noCertificate                 // it showed no certificate, and must
	badCertificate                // that of the client is not good
	refused                       // it does not like ours, and said so
	stopped                       // we are going
	unready                       // there is no certificate yet
	broken                        // it broke TLS's rules, or its connection
	failures                      // how many there are
)

var failureNames = [failures]string{
	"client-left", "timeout", "plain-http", "not-tls", "version", "cipher", "protocol",
	"no-client-certificate", "client-certificate", "refused-by-client", "stopped", "no-certificate-yet", "broken",
}

func (f failure) String() string { return failureNames[f] }

func newHandshakes(c *certs.Store, within time.Duration, log *slog.Logger) *handshakes {
	return &handshakes{certs: c, within: within, log: log}
}

// shake agrees on TLS over nc, and on a protocol. If that fails, all there was
// to say is said.
func (h *handshakes) shake(nc net.Conn) (net.Conn, string) {
	c := tls.Server(nc, h.certs.Config())
	err := h.agree(nc, c)
	if err != nil {
		h.fail(nc, err)
		return nc, nothing
	}
	s := c.ConnectionState()
	h.done[flagOf(s.Version >= tls.VersionTLS13)][flagOf(s.DidResume)].Add(1)
	if s.NegotiatedProtocol == acme.TLSALPN { // the handshake was the proof, RFC 8737 §3
		part(c)
		return c, nothing
	}
	return c, cmp.Or(s.NegotiatedProtocol, http1)
}

func (h *handshakes) agree(nc net.Conn, c *tls.Conn) error {
	if !h.waits.enter(nc, h.within) {
		return errStopped
	}
	err := c.Handshake()
	if !h.waits.leave(nc) {
		return errStopped
	}
	return err
}

var errStopped = errors.New("stopping")

func flagOf(b bool) int {
	if b {
		return 1
	}
	return 0
}

// endWithin ends the handshakes that are still under way after d, and those to
// come. nil has none.
func (h *handshakes) endWithin(d time.Duration) (now func()) {
	if h == nil {
		return func() {}
	}
	return h.waits.endWithin(d)
}

// fail counts the failure. Who speaks TLS has been told by an alert.
func (h *handshakes) fail(nc net.Conn, err error) {
	why := failureOf(err)
	h.failed[why].Add(1)
	h.log.Debug("no TLS handshake", "client", nc.RemoteAddr().String(), "reason", why.String(), "cause", err)
	switch why {
	case left, late, stopped:
		return
	case plainHTTP:
		_ = nc.SetDeadline(time.Now().Add(parting))
		_, _ = io.WriteString(nc, plainOnTLS)
	}
	part(nc)
}

// failureOf tells failures of a handshake apart. Package tls has types for few
// of them; a test holds its words against this.
func failureOf(err error) failure {
	var record tls.RecordHeaderError
	var client *tls.CertificateVerificationError
	var op *net.OpError
	switch {
	case err == errStopped:
		return stopped
	case errors.As(err, &record) && looksLikeHTTP(record.RecordHeader):
		return plainHTTP
	case errors.As(err, &record):
		return notTLS
	case errors.As(err, &client):
		return badCertificate
	case errors.Is(err, os.ErrDeadlineExceeded):
		return late
	case errors.As(err, &op) && op.Op == "remote error":
		return refused
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return left
	}
	for _, w := range failureWords {
		if strings.Contains(err.Error(), w.words) {
			return w.why
		}
	}
	return broken
}

var failureWords = []struct {
	words string
	why   failure
}{
	{"unsupported versions", badVersion},
	{"no cipher suite supported", badCipher},
	{"no key exchanges supported", badCipher},
	{"unsupported application protocols", badProtocol},
	{"client didn't provide a certificate", noCertificate},
	{"no certificates configured", unready},
	{"client certificate", badCertificate},
	{"local error: tls: bad record MAC", refused}, // OpenSSL says so in the clear where we expect it encrypted
	{"reset by peer", left},
}

// looksLikeHTTP takes a method, or the beginning of one, for a request; h2's
// preface has one, too.
func looksLikeHTTP(b [5]byte) bool {
	n := 0
	for n < len(b) && b[n] >= 'A' && b[n] <= 'Z' {
		n++
	}
	return n == len(b) || n >= 3 && b[n] == ' '
}

const plainOnTLS = "HTTP/1.1 400 Bad Request\r\n" +
	"Content-Type: text/plain; charset=utf-8\r\nContent-Length: 69\r\n" +
	"Cache-Control: no-store\r\nConnection: close\r\n\r\n" +
	"400 Bad Request: plain HTTP on a port for HTTPS, want https:// there\n"

// parting is how long a client that is still sending is listened to after our
// last word. Closing at once would answer its bytes with a reset, which may
// overtake that.
const parting = time.Second

func part(nc net.Conn) {
	if half, ok := nc.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		_ = nc.SetDeadline(time.Now().Add(parting))
		_, _ = io.CopyN(io.Discard, nc, 64<<10)
	}
}
