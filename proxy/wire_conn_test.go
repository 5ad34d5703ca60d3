package proxy_test

import (
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// wireConn is one TCP connection as a script sees it: all that has arrived so
// far and how much of that the script has looked at. It always reads and never
// makes the script wait for a write, so neither side of a case can deadlock
// the other.
type wireConn struct {
	conn *net.TCPConn
	news chan<- struct{} // told, without waiting, that something happened here
	jobs chan job        // writes and closes, in order
	done sync.WaitGroup

	unsent atomic.Int64 // bytes given to the writer and not taken by the kernel

	mu   sync.Mutex
	in   []byte // all that arrived
	off  int    // what the script has looked at
	end  error  // why nothing more will arrive: io.EOF or a broken connection
	hush bool   // the script asked to stop reading
	wake *sync.Cond
}

type job struct {
	data []byte
	drip time.Duration // 0, or write single bytes and wait this long after each
	do   func()
}

func newWireConn(conn net.Conn, news chan<- struct{}) *wireConn {
	c := &wireConn{conn: conn.(*net.TCPConn), news: news, jobs: make(chan job, 256)}
	c.wake = sync.NewCond(&c.mu)
	c.done.Add(2)
	go c.reader()
	go c.writer()
	return c
}

func (c *wireConn) reader() {
	defer c.done.Done()
	buf := make([]byte, 64<<10)
	for {
		c.mu.Lock()
		for c.hush {
			c.wake.Wait()
		}
		c.mu.Unlock()
		n, err := c.conn.Read(buf)
		c.mu.Lock()
		if n > cap(c.in)-len(c.in) {
			c.in = slices.Grow(c.in, max(n, len(c.in))) // append would copy 100 MB ever again
		}
		c.in = append(c.in, buf[:n]...)
		c.end = err
		c.mu.Unlock()
		select {
		case c.news <- struct{}{}:
		default: // it has been told and has not looked yet
		}
		if err != nil {
			return
		}
	}
}

// writer goes on after an error: that the other side has gone is for the
// script to find out by reading.
func (c *wireConn) writer() {
	defer c.done.Done()
	for j := range c.jobs {
		if j.do != nil {
			j.do()
			continue
		}
		piece := 64 << 10
		if j.drip > 0 {
			piece = 1
		}
		for part := range slices.Chunk(j.data, piece) {
			if _, err := c.conn.Write(part); err != nil {
				break
			}
			c.unsent.Add(-int64(len(part)))
			time.Sleep(j.drip)
		}
	}
}

func (c *wireConn) send(data []byte, drip time.Duration) {
	c.unsent.Add(int64(len(data)))
	c.jobs <- job{data: data, drip: drip}
}

func (c *wireConn) closeSoon() { c.jobs <- job{do: func() { c.conn.Close() }} }
func (c *wireConn) halfClose() { c.jobs <- job{do: func() { c.conn.CloseWrite() }} }

// reset makes the kernel send RST instead of FIN.
func (c *wireConn) reset() {
	c.jobs <- job{do: func() { c.conn.SetLinger(0); c.conn.Close() }}
}

// listen says whether what arrives is read at all; the kernel's buffers fill
// up when it is not.
func (c *wireConn) listen(on bool) {
	c.mu.Lock()
	c.hush = !on
	c.mu.Unlock()
	c.wake.Broadcast()
}

// shut ends the connection and waits for its goroutines.
func (c *wireConn) shut() {
	c.conn.Close()
	c.listen(true)
	close(c.jobs)
	c.done.Wait()
}

// unread is what the script has not looked at yet.
func (c *wireConn) unread() (data []byte, end error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.in[c.off:], c.end
}

func (c *wireConn) skip(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.off += n
}

func (c *wireConn) all() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.in
}

// cleanEnd tells FIN from a broken connection.
func cleanEnd(err error) bool { return err == io.EOF }
