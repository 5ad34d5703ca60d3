//go:build linux

package app

import (
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Mode is how an App fails.
type Mode int32

// The modes.
const (
	Well  Mode = iota
	Fail       // answers 500, health checks too
	Sour       // answers 500, but says it is well
	Reset      // counts, sends half of the answer and resets the connection
	Deaf       // closes what it has and accepts no more: connecting takes forever
	modes
)

var modeNames = [modes]string{"well", "fail", "sour", "reset", "deaf"}

func (m Mode) String() string { return modeNames[m] }

// control obeys GET /MODE.
func (a *App) control(w http.ResponseWriter, r *http.Request) {
	for m, name := range modeNames {
		if strings.TrimPrefix(r.URL.Path, "/") == name {
			if err := a.ln.hear(Mode(m) != Deaf); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			a.mode.Store(int32(m))
			return
		}
	}
	http.NotFound(w, r)
}

// cut sends half of the answer, lets it arrive, and resets.
func cut(w http.ResponseWriter, body string) {
	c, b, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer c.Close()
	b.WriteString("HTTP/1.1 200 OK\r\nContent-Length: ")
	b.WriteString(strconv.Itoa(len(body)))
	b.WriteString("\r\n\r\n")
	b.WriteString(body[:len(body)/2])
	b.Flush()
	time.Sleep(2 * time.Millisecond) // a reset takes back what was not read yet
	c.(*net.TCPConn).SetLinger(0)
}

// listener can stop accepting, with a backlog so small that it is soon full.
type listener struct {
	*net.TCPListener
	gate chan struct{} // full while somebody may accept
}

func newListener(l *net.TCPListener) *listener {
	g := &listener{l, make(chan struct{}, 1)}
	g.gate <- struct{}{}
	return g
}

// hear lets it accept, or not.
func (l *listener) hear(yes bool) error {
	if yes {
		select {
		case l.gate <- struct{}{}:
		default:
		}
		return l.backlog(4096)
	}
	select {
	case <-l.gate: // who waits in Accept gets one more: it is asked to close
	default:
	}
	return l.backlog(0) // which the kernel makes 1
}

// backlog changes how many connections wait: listening once more does that.
func (l *listener) backlog(n int) error {
	c, err := l.SyscallConn()
	if err != nil {
		return err
	}
	if e := c.Control(func(fd uintptr) { err = syscall.Listen(int(fd), n) }); e != nil {
		return e
	}
	return err
}

// Accept waits until it may.
func (l *listener) Accept() (net.Conn, error) {
	<-l.gate
	l.gate <- struct{}{}
	return l.TCPListener.Accept()
}
