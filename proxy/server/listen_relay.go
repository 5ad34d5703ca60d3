package server

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
)

// relay carries packets of QUIC between two processes: the one that reads a
// socket, and one that goes. What is too much for the other is dropped, as the
// network would.
type relay struct {
	nc   *net.UnixConn
	raw  syscall.RawConn
	tags [][]byte // of the processes behind it
	buf  []byte   // of who sends, or of who receives: each end does one of both
}

// relayFor is the setting that stands in the names of sockets for relays.
const relayFor = "--http3 relay "

var errGarbled = errors.New("no packet")

// pair makes a relay: our end, and the socket that another process makes its
// end of. tags are of ours and those before us.
func pair(at net.Addr, tags [][]byte) (*relay, Socket, error) {
	fds, err := socketPair(syscall.SOCK_SEQPACKET)
	if err != nil {
		return nil, Socket{}, err
	}
	l, err := newRelay(fds[0], nil)
	if err != nil {
		_ = syscall.Close(fds[1])
		return nil, Socket{}, err
	}
	name := relayFor + at.String()
	for _, tag := range tags {
		name += " " + hex.EncodeToString(tag)
	}
	return l, Socket{Name: name, FD: fds[1]}, nil
}

// SocketPair is two connected sockets that no other process gets by accident.
func SocketPair() ([2]int, error) { return socketPair(syscall.SOCK_STREAM) }

func socketPair(kind int) (fds [2]int, err error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if fds, err = syscall.Socketpair(syscall.AF_UNIX, kind, 0); err == nil {
		syscall.CloseOnExec(fds[0])
		syscall.CloseOnExec(fds[1])
	}
	return fds, os.NewSyscallError("socketpair", err)
}

func newRelay(fd int, tags [][]byte) (*relay, error) {
	f := os.NewFile(uintptr(fd), "relay")
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	nc := c.(*net.UnixConn)
	raw, err := nc.SyscallConn()
	return &relay{nc: nc, raw: raw, tags: tags, buf: make([]byte, 1<<12)}, err
}

// takeRelay takes out the relay that was handed over with the socket at an
// address; nil: there is none.
func (h *Handed) takeRelay(at net.Addr) *relay {
	one, ok := h.pick(func(one Socket) bool {
		return h.Heir && strings.HasPrefix(one.Name, relayFor+at.String()+" ")
	})
	if !ok {
		return nil
	}
	var tags [][]byte
	for _, word := range strings.Fields(strings.TrimPrefix(one.Name, relayFor+at.String())) {
		if tag, err := hex.DecodeString(word); err == nil && len(tag) == tagSize {
			tags = append(tags, tag)
		}
	}
	l, err := newRelay(one.FD, tags)
	if err != nil {
		return nil
	}
	return l
}

func (h *Handed) pick(suits func(Socket) bool) (one Socket, ok bool) {
	i := slices.IndexFunc(h.Sockets, suits)
	if i < 0 {
		return Socket{}, false
	}
	one = h.Sockets[i]
	h.Sockets = slices.Delete(h.Sockets, i, i+1)
	return one, true
}

// send sends a packet with what the kernel said of it. false: nobody is there
// any more.
func (l *relay) send(from net.Addr, oob, b []byte) bool {
	u, ok := from.(*net.UDPAddr)
	if !ok {
		return true
	}
	addr, _ := u.AddrPort().MarshalBinary()
	out := append(l.buf[:0], byte(len(addr)))
	out = append(out, addr...)
	out = binary.BigEndian.AppendUint16(out, uint16(len(oob)))
	out = append(append(out, oob...), b...)
	l.buf = out[:0]
	var err error
	failed := l.raw.Control(func(fd uintptr) {
		err = syscall.Sendto(int(fd), out, syscall.MSG_DONTWAIT, nil)
	})
	return failed == nil && (err == nil || errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.ENOBUFS) || errors.Is(err, syscall.EINTR))
}

// receive waits for a packet; it is good until the next.
func (l *relay) receive() (from *net.UDPAddr, oob, b []byte, err error) {
	l.buf = l.buf[:cap(l.buf)]
	n, err := l.nc.Read(l.buf)
	if err != nil {
		return nil, nil, nil, err
	}
	b = l.buf[:n]
	if len(b) < 1 || len(b) < 1+int(b[0])+2 {
		return nil, nil, nil, errGarbled
	}
	var at netip.AddrPort
	addr, rest := b[1:1+b[0]], b[1+b[0]:]
	size := int(binary.BigEndian.Uint16(rest))
	if at.UnmarshalBinary(addr) != nil || len(rest) < 2+size {
		return nil, nil, nil, errGarbled
	}
	return net.UDPAddrFromAddrPort(at), rest[2 : 2+size], rest[2+size:], nil
}
