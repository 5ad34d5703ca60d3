package hub

import (
	"context"
	"fmt"
	"net"
	"syscall"
	"testing"
	"time"
)

// wire is a member that writes to a socket at once, as a tunnel between two
// messages does.
type wire struct {
	fd   int
	done chan struct{} // nil: others come behind it
}

func (w *wire) Post(m *Message) Verdict {
	n, err := syscall.Write(w.fd, m.Frame())
	if w.done != nil {
		w.done <- struct{}{}
	}
	switch {
	case err == nil && n == len(m.Frame()):
		return Written
	case err == syscall.EAGAIN || n > 0:
		return Full
	}
	return Closed
}

func (w *wire) Close(uint16, string) {}

// sockets are n TCP connections over loopback; what comes out at their far ends
// is thrown away by drop.
func sockets(b *testing.B, n int) (near []int, drop func()) {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	var far []int
	for range n {
		from, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		to, err := l.Accept()
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { from.Close(); to.Close() })
		near, far = append(near, descriptor(from)), append(far, descriptor(to))
	}
	buf := make([]byte, 1<<16)
	return near, func() {
		for _, fd := range far {
			for n := len(buf); n == len(buf); {
				n, _ = syscall.Read(fd, buf)
			}
		}
	}
}

func descriptor(c net.Conn) (fd int) {
	raw, _ := c.(*net.TCPConn).SyscallConn()
	_ = raw.Control(func(n uintptr) { fd = int(n) })
	return fd
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkFanOut is CPU for each delivery, by the hub and by a bare write of the
// same frame to the same sockets, in turns.
func BenchmarkFanOut(b *testing.B) {
	for _, n := range []int{1000, 5000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			near, drop := sockets(b, n)
			h, err := New(Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer h.Close()
			done := make(chan struct{})
			for i, fd := range near {
				w := &wire{fd: fd}
				if i == n-1 {
					w.done = done
				}
				c, _ := h.Enter(w, Who{ID: fmt.Sprint(i)})
				c.Subscribe("room")
				defer c.Leave()
			}
			data := make([]byte, 512)
			frame := AppendFrame(nil, Binary, data)
			byHub := func() {
				if _, err := h.Publish(context.Background(), Post{Channel: "room", Kind: Binary, Data: data}); err != nil {
					b.Fatal(err)
				}
				<-done
			}
			byHand := func() {
				for _, fd := range near {
					if _, err := syscall.Write(fd, frame); err != nil {
						b.Fatal(err)
					}
				}
			}
			var hub, bare time.Duration
			spent := func(f func()) time.Duration { begin := cpu(); f(); return cpu() - begin }
			b.ResetTimer()
			for i := range b.N {
				if i%2 == 0 { // who comes first pays for cold caches
					hub += spent(byHub)
					bare += spent(byHand)
				} else {
					bare += spent(byHand)
					hub += spent(byHub)
				}
				if i%16 == 15 {
					drop()
				}
			}
			b.ReportMetric(float64(hub)/float64(b.N*n), "cpu-ns/delivery")
			b.ReportMetric(float64(bare)/float64(b.N*n), "cpu-ns/write")
			b.ReportMetric(float64(hub)/float64(bare), "x-bare")
		})
	}
}
