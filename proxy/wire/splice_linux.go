package wire

import (
	"io"
	"sync"
	"syscall"
)

// Splice moves n bytes from src to dst inside the kernel, through a pipe,
// without ever mapping them. Nothing may be buffered in src.

// pipe is a pair of descriptors. Pipes are pooled empty; making one costs
// three system calls.
type pipe struct{ r, w int }

const pipeSize = 1 << 20 // as large as an unprivileged process may have it

var pipes = struct {
	sync.Mutex
	free []pipe
}{}

func acquirePipe() (pipe, error) {
	pipes.Lock()
	if n := len(pipes.free); n > 0 {
		p := pipes.free[n-1]
		pipes.free = pipes.free[:n-1]
		pipes.Unlock()
		return p, nil
	}
	pipes.Unlock()
	var fds [2]int
	if err := syscall.Pipe2(fds[:], syscall.O_CLOEXEC|syscall.O_NONBLOCK); err != nil {
		return pipe{}, err
	}
	const setSize = 1031 // F_SETPIPE_SZ
	_, _, _ = syscall.Syscall(syscall.SYS_FCNTL, uintptr(fds[1]), setSize, pipeSize)
	return pipe{fds[0], fds[1]}, nil
}

const maxPipes = 64

// release takes a pipe back; one that still holds bytes must not meet another
// body.
func (p pipe) release(empty bool) {
	if empty {
		pipes.Lock()
		if len(pipes.free) < maxPipes {
			pipes.free = append(pipes.free, p)
			pipes.Unlock()
			return
		}
		pipes.Unlock()
	}
	syscall.Close(p.r)
	syscall.Close(p.w)
}

// CanSplice tells whether both ends are plain sockets.
func CanSplice(dst, src *Conn) bool { return dst.raw != nil && src.raw != nil }

// Splice moves up to n bytes and calls moved after each piece that has arrived
// at dst. fromSrc tells which side an error came from.
func Splice(dst, src *Conn, n int64, moved func(int64)) (fromSrc bool, err error) {
	p, err := acquirePipe()
	if err != nil {
		return true, err
	}
	held := 0
	defer func() { p.release(held == 0) }()
	for n > 0 {
		if held, err = src.spliceIn(p, n); err != nil {
			return true, err
		}
		piece := int64(held)
		for held > 0 {
			k, err := dst.spliceOut(p, held, n > piece)
			if err != nil {
				return false, err
			}
			held -= k
		}
		n -= piece
		moved(piece)
	}
	return false, nil
}

const (
	spliceMove     = 1
	spliceNonblock = 2
	spliceMore     = 4
)

// spliceIn waits until src has bytes and moves them into the pipe.
func (c *Conn) spliceIn(p pipe, n int64) (held int, err error) {
	var failed error
	err = c.raw.Read(func(fd uintptr) bool {
		k, err := splice(int(fd), p.w, int(min(n, pipeSize)), spliceMove|spliceNonblock)
		if err == syscall.EAGAIN {
			c.rd.begin(0)
			return false
		}
		if held, failed = int(k), err; k == 0 && err == nil {
			failed = io.ErrUnexpectedEOF
		}
		return true
	})
	if err == nil {
		err = failed
	}
	return held, c.readErr(err)
}

// spliceOut moves what the pipe holds to dst.
func (c *Conn) spliceOut(p pipe, held int, more bool) (n int, err error) {
	var failed error
	flags := spliceMove | spliceNonblock
	if more {
		flags |= spliceMore
	}
	err = c.raw.Write(func(fd uintptr) bool {
		k, err := splice(p.r, int(fd), held, flags)
		if err == syscall.EAGAIN {
			c.wr.renew(c.guard.Now())
			c.wr.begin(0)
			return false
		}
		n, failed = int(k), err
		return true
	})
	if err == nil {
		err = failed
	}
	return n, c.writeErr(err)
}

func splice(r, w, n, flags int) (int64, error) {
	for {
		k, err := sysSplice(r, w, n, flags)
		if err != syscall.EINTR {
			return int64(k), err
		}
	}
}
