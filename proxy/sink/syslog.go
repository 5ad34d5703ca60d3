package sink

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const (
	syslogDial  = 3 * time.Second // to connect
	syslogWait  = 2 * time.Second // for a batch to be taken
	syslogAgain = time.Second     // between two tries to connect

	// mostMessage is how long a datagram may be: what UDP carries, with room
	// for its head. RFC 5424 §6.1 wants 2048 of every receiver; what one cuts off
	// is the end of a line, which has what matters least.
	mostMessage = 60 << 10

	info = 6 // RFC 5424 §6.2.1: its severity
)

// Facilities are those of RFC 5424 §6.2.1 that are left to programs like ours.
var Facilities = []string{"local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"}

// Syslog sends each line as a message of RFC 5424: by datagrams to a Unix
// socket (RFC 5424 leaves these to custom) or by UDP (RFC 5426), or by TCP with
// counted octets (RFC 6587 §3.4.1). While it is away lines are lost: whoever
// wants them kept runs a syslog on this machine.
type Syslog struct {
	network, addr string
	front, behind []byte // of a message's head: what is before its time, and behind it

	conn  net.Conn // nil: none
	away  *peer    // of conn
	again time.Time
	buf   []byte
}

// peer watches for the end of a TCP connection: else the first batch after it
// would be lost unnoticed.
type peer struct {
	gone atomic.Bool
	done sync.WaitGroup
}

// Dial returns a Syslog, which connects when it is to write. network is unix,
// udp or tcp; facility is one of Facilities.
func Dial(network, addr, facility string) *Syslog {
	if network == "unix" {
		network = "unixgram"
	}
	code := 16 // local0
	for i, name := range Facilities {
		if name == facility {
			code += i
		}
	}
	host, _ := os.Hostname()
	return &Syslog{
		network: network, addr: addr,
		front:  fmt.Appendf(nil, "<%d>1 ", code*8+info),
		behind: fmt.Appendf(nil, " %s multiserver %d access - ", cmp.Or(host, "-"), os.Getpid()),
	}
}

// Write sends lines. On an error it tells how much of them was sent, whole
// lines: the rest is lost.
func (s *Syslog) Write(lines []byte) (int, error) {
	if s.away != nil && s.away.gone.Load() {
		s.drop()
	}
	if err := s.connect(); err != nil {
		return 0, err
	}
	_ = s.conn.SetWriteDeadline(time.Now().Add(syslogWait))
	head := s.head(time.Now())
	if s.network == "tcp" {
		return s.stream(head, lines)
	}
	return s.datagrams(head, lines)
}

// head is the same for all messages of a batch: a line says itself when it is
// from.
func (s *Syslog) head(now time.Time) []byte {
	b := now.UTC().AppendFormat(bytes.Clone(s.front), "2006-01-02T15:04:05.000000Z")
	return append(b, s.behind...)
}

// stream sends a batch in one piece. How much of it had arrived when a
// connection breaks nobody knows.
func (s *Syslog) stream(head, lines []byte) (int, error) {
	s.buf = s.buf[:0]
	for line := range bytes.Lines(lines) {
		line = bytes.TrimSuffix(line, []byte("\n"))
		s.buf = strconv.AppendInt(s.buf, int64(len(head)+len(line)), 10)
		s.buf = append(append(append(s.buf, ' '), head...), line...)
	}
	if _, err := s.conn.Write(s.buf); err != nil {
		s.drop()
		return 0, err
	}
	return len(lines), nil
}

// datagrams sends each line by itself. A syslog that was started anew has
// another socket under the same name: it is looked for once.
func (s *Syslog) datagrams(head, lines []byte) (sent int, err error) {
	fresh := false
	for line := range bytes.Lines(lines) {
		s.buf = append(append(s.buf[:0], head...), bytes.TrimSuffix(line, []byte("\n"))...)
		s.buf = s.buf[:min(len(s.buf), mostMessage)]
		_, err = s.conn.Write(s.buf)
		if err != nil && !fresh && !errors.Is(err, os.ErrDeadlineExceeded) {
			fresh = true
			s.drop()
			s.again = time.Time{}
			if err = s.connect(); err == nil {
				_ = s.conn.SetWriteDeadline(time.Now().Add(syslogWait))
				_, err = s.conn.Write(s.buf)
			}
		}
		if err != nil {
			return sent, err
		}
		sent += len(line)
	}
	return sent, nil
}

var errAway = errors.New("syslog is away")

// connect connects unless that is done, or was tried a moment ago.
func (s *Syslog) connect() error {
	if s.conn != nil {
		return nil
	}
	if time.Now().Before(s.again) {
		return errAway
	}
	s.again = time.Now().Add(syslogAgain)
	conn, err := net.DialTimeout(s.network, s.addr, syslogDial)
	if err != nil {
		return err
	}
	s.conn = conn
	if s.network == "tcp" {
		p := new(peer)
		p.done.Go(func() {
			_, _ = io.Copy(io.Discard, conn) // nothing is ever said there
			p.gone.Store(true)
		})
		s.away = p
	}
	return nil
}

func (s *Syslog) drop() {
	if s.conn == nil {
		return
	}
	_ = s.conn.Close()
	if s.away != nil {
		s.away.done.Wait()
	}
	s.conn, s.away = nil, nil
}

// Reopen does nothing: there is no file to leave.
func (s *Syslog) Reopen() error { return nil }

// Close closes the connection.
func (s *Syslog) Close() error {
	s.drop()
	return nil
}
