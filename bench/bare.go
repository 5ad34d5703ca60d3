//go:build linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// bareWrites is a program that writes a frame to each of its connections and does nothing else:
// the floor of what a delivery costs. It is one of its own, as a server is, for a write is cheaper
// where its reader waits for the same scheduler. It is told how many connections and how long a
// frame, then to write, once for each line; it answers with what all writes took, in ns.
func bareWrites() error {
	ln, err := net.Listen("tcp", loopback+":0")
	if err != nil {
		return err
	}
	fmt.Println(ln.Addr().(*net.TCPAddr).Port)
	in := bufio.NewReader(os.Stdin)
	var n, size int
	if _, err := fmt.Fscan(in, &n, &size); err != nil {
		return err
	}
	var fds []int
	for range n {
		c, err := ln.Accept()
		if err != nil {
			return err
		}
		raw, err := c.(*net.TCPConn).SyscallConn()
		if err != nil {
			return err
		}
		_ = raw.Control(func(fd uintptr) { fds = append(fds, int(fd)) })
		defer c.Close()
	}
	fmt.Println(n)
	runtime.LockOSThread()
	frame := wsFrame(false, size)
	for turn := 0; ; {
		if _, err := fmt.Fscan(in, &turn); err != nil {
			return nil // we are done
		}
		before := threadCPU()
		for _, fd := range fds {
			if _, err := syscall.Write(fd, frame); err != nil {
				return err
			}
		}
		fmt.Println((threadCPU() - before).Nanoseconds())
	}
}

// threadCPU is up to date, which getrusage is not: that counts up to the last tick of the kernel's
// clock, and takes a twentieth off a turn of 7 ms.
func threadCPU() time.Duration {
	const thread = 3 // CLOCK_THREAD_CPUTIME_ID
	var t syscall.Timespec
	_, _, _ = syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, thread, uintptr(unsafe.Pointer(&t)), 0)
	return time.Duration(t.Nano())
}

// bare is bareWrites, running, and its connections' other ends, which are read.
type bare struct {
	cmd   *exec.Cmd
	tell  io.WriteCloser
	said  *bufio.Reader
	conns []net.Conn
	frame int
	got   atomic.Int64
}

func newBare(n, size int, cpu string) (b *bare, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	b = &bare{cmd: exec.Command("taskset", "-c", cpu, self, "bare"), frame: len(wsFrame(false, size))}
	if b.tell, err = b.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := b.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	b.cmd.Stderr = os.Stderr
	if err := b.cmd.Start(); err != nil {
		return nil, err
	}
	b.said = bufio.NewReader(out)
	if err := b.connect(n, size); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

func (b *bare) connect(n, size int) error {
	var port, ready int
	if _, err := fmt.Fscan(b.said, &port); err != nil {
		return err
	}
	fmt.Fprintln(b.tell, n, size)
	for range n {
		c, err := net.Dial("tcp", loopback+":"+strconv.Itoa(port))
		if err != nil {
			return err
		}
		b.conns = append(b.conns, c)
		go drainInto(c, &b.got)
	}
	_, err := fmt.Fscan(b.said, &ready)
	return err
}

// write is what a write takes in ns, over that many turns.
func (b *bare) write(turns int) (float64, error) {
	b.got.Store(0)
	sum := 0
	for i := range turns {
		fmt.Fprintln(b.tell, i)
		ns := 0
		if _, err := fmt.Fscan(b.said, &ns); err != nil {
			return 0, err
		}
		sum += ns
		if err := settles(context.Background(), &b.got, int64((i+1)*len(b.conns)*b.frame)); err != nil {
			return 0, err
		}
	}
	return float64(sum) / float64(turns*len(b.conns)), nil
}

func (b *bare) close() {
	_ = b.tell.Close()
	for _, c := range b.conns {
		_ = c.Close()
	}
	_ = b.cmd.Process.Kill()
	_ = b.cmd.Wait()
}
