package server

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/quic-go/quic-go"
	"golang.org/x/net/ipv4"
)

// packets is a UDP socket that one process after the other reads. TCP has a
// descriptor for each connection; here they all share one, so the process that
// has come reads for the one that goes as well, and hands on what is meant for
// that. Whose a packet is stands in its connection id (RFC 8999 §5), which we
// choose. Both send by themselves.
type packets struct {
	*net.UDPConn
	batch *ipv4.PacketConn
	tag   []byte // connection ids of this process begin so
	made  bool

	enter <-chan struct{}       // nil, or closed when we read; before, another process does
	older atomic.Pointer[relay] // to the process before us; nil: there is none
	newer atomic.Pointer[relay] // to the one that reads; nil: we do
	ended chan struct{}         // closed: nothing is read any more
	once  sync.Once
}

// A connection id is a process's tag and as much beside. Ids that clients make
// up have a tag by accident only once in 4 billion.
const (
	tagSize = 4
	idSize  = 8
)

func newPackets(pc *net.UDPConn, enter <-chan struct{}) *packets {
	p := &packets{UDPConn: pc, batch: ipv4.NewPacketConn(pc), tag: make([]byte, tagSize), enter: enter, ended: make(chan struct{})}
	_, _ = rand.Read(p.tag) // it cannot fail
	return p
}

// listenUDP gives a UDP socket at an address, handed over or opened.
func (s *sockets) listenUDP(at *net.UDPAddr) (*packets, error) {
	older := s.handed.takeRelay(at)
	one, ok := s.handed.takeUDP(at)
	if !ok {
		pc, err := net.ListenUDP("udp", at)
		if err != nil {
			return nil, err
		}
		p := newPackets(pc, s.enter)
		p.made = true
		return p, nil
	}
	f := os.NewFile(uintptr(one.FD), one.Name)
	defer f.Close()
	pc, err := net.FilePacketConn(f)
	if err != nil {
		return nil, fmt.Errorf("descriptor %d (%s), handed over at the start: %w", one.FD, one.Name, err)
	}
	p := newPackets(pc.(*net.UDPConn), s.enter)
	p.older.Store(older)
	return p, nil
}

// tags are ours and those of the processes before us that still serve.
func (p *packets) tags() [][]byte {
	tags := [][]byte{p.tag}
	if l := p.older.Load(); l != nil {
		tags = append(tags, l.tags...)
	}
	return tags
}

// GenerateConnectionID makes packets a quic.ConnectionIDGenerator.
func (p *packets) GenerateConnectionID() (quic.ConnectionID, error) {
	var id [idSize]byte
	_, _ = rand.Read(id[copy(id[:], p.tag):])
	return quic.ConnectionIDFromBytes(id[:]), nil
}

func (p *packets) ConnectionIDLen() int { return idSize }

// ReadBatch is what quic-go reads by.
func (p *packets) ReadBatch(ms []ipv4.Message, flags int) (int, error) {
	if p.enter != nil {
		select {
		case <-p.enter:
		case <-p.ended:
			return 0, net.ErrClosed
		}
	}
	for {
		if l := p.newer.Load(); l != nil {
			return p.readHanded(l, ms)
		}
		n, err := p.batch.ReadBatch(ms, flags)
		if err != nil {
			if p.newer.Load() != nil {
				continue // woken to read there
			}
			return n, err
		}
		l := p.older.Load()
		if l == nil {
			return n, nil // fast path
		}
		if n = p.sort(l, ms[:n]); n > 0 {
			return n, nil
		}
	}
}

// sort hands on what is for older processes, and moves the rest to the front.
// Bytes are moved and not buffers, of which quic-go knows which was where.
func (p *packets) sort(l *relay, ms []ipv4.Message) (n int) {
	for i := range ms {
		m := &ms[i]
		b := m.Buffers[0][:m.N]
		if l.knows(b) {
			if !l.send(m.Addr, m.OOB[:m.NN], b) {
				p.older.CompareAndSwap(l, nil)
			}
			continue
		}
		if to := &ms[n]; n != i {
			to.N, to.Addr = copy(to.Buffers[0], b), m.Addr
			to.NN = copy(to.OOB, m.OOB[:m.NN])
		}
		n++
	}
	return n
}

// readHanded reads one of those that the process behind us hands on.
func (p *packets) readHanded(l *relay, ms []ipv4.Message) (int, error) {
	for {
		from, oob, b, err := l.receive()
		if err != nil {
			select {
			case <-p.ended:
				return 0, net.ErrClosed
			default:
			}
			if errors.Is(err, errGarbled) {
				continue
			}
			<-p.ended // the other process is gone: nothing comes any more
			return 0, net.ErrClosed
		}
		if older := p.older.Load(); older != nil && older.knows(b) {
			older.send(from, oob, b)
			continue
		}
		m := &ms[0]
		m.N, m.NN, m.Addr = copy(m.Buffers[0], b), copy(m.OOB, oob), from
		return 1, nil
	}
}

// handOn is for when another process reads from here on, and hands on by l
// what is ours.
func (p *packets) handOn(l *relay) {
	p.newer.Store(l)
	_ = p.UDPConn.SetReadDeadline(time.Unix(1, 0)) // wakes who reads; nobody does again
}

// SetReadDeadline is how quic-go ends its reading.
func (p *packets) SetReadDeadline(t time.Time) error {
	p.once.Do(func() { close(p.ended) })
	if l := p.newer.Load(); l != nil {
		_ = l.nc.SetReadDeadline(t)
	}
	return p.UDPConn.SetReadDeadline(t)
}

// Close closes the relays as well.
func (p *packets) Close() error {
	p.once.Do(func() { close(p.ended) })
	for _, l := range []*relay{p.older.Load(), p.newer.Load()} {
		if l != nil {
			_ = l.nc.Close()
		}
	}
	return p.UDPConn.Close()
}

// takeUDP takes out the datagram socket that is bound to at.
func (h *Handed) takeUDP(at *net.UDPAddr) (one Socket, ok bool) {
	return h.pick(func(one Socket) bool {
		kind, err := syscall.GetsockoptInt(one.FD, syscall.SOL_SOCKET, syscall.SO_TYPE)
		bound, failed := syscall.Getsockname(one.FD)
		if err != nil || failed != nil || kind != syscall.SOCK_DGRAM {
			return false
		}
		ip, port := endOf(bound)
		return port == at.Port && ip.Equal(at.IP)
	})
}

// id is the connection id that a packet is for, as much of it as is said
// whatever the version; nil: none.
func id(b []byte) []byte {
	if len(b) > 6 && b[0]&0x80 != 0 { // a long header
		return b[6:min(len(b), 6+int(b[5]))]
	}
	if len(b) > 1 && b[0]&0x80 == 0 {
		return b[1:min(len(b), 1+idSize)]
	}
	return nil
}

// knows tells whether a packet is for a process behind l.
func (l *relay) knows(b []byte) bool {
	to := id(b)
	if len(to) < idSize {
		return false
	}
	for _, tag := range l.tags {
		if bytes.HasPrefix(to, tag) {
			return true
		}
	}
	return false
}
