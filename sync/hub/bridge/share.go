package bridge

import (
	"encoding/binary"
	"sync"
	"time"

	"multiserver/sync/hub"
)

// share is a room's part on other nodes. What they hear comes over a channel in
// which only bridges are.
type share struct {
	room    *room
	channel string
	conn    *hub.Conn

	mu   sync.Mutex
	from map[string]source // guarded by mu; by instance
}

// source is the one node that is believed about an instance: each that listens
// to it hears the same.
type source struct {
	node uint64
	last time.Time
}

// stale is how long a source that lives may say nothing, when another does.
const stale = 30 * time.Second

// newShare enters the channel; nil if that cannot be.
func newShare(r *room) *share {
	s := &share{room: r, channel: r.b.name("bridge-share:", r.path), from: make(map[string]source)}
	c, why := r.b.opt.Hub.Enter(s, hub.Who{ID: hub.NewID(), Path: r.path})
	if why == hub.OK {
		why = c.Subscribe(s.channel)
	}
	if why != hub.OK {
		r.b.opt.Log.Warn("bridge: other nodes are not heard", "path", r.path, "why", why.String())
		if c != nil {
			c.Leave()
		}
		return nil
	}
	s.conn = c
	return s
}

func (s *share) leave() {
	if s != nil {
		s.conn.Leave()
	}
}

// What nodes tell each other: node, op, length of the instance's name, the
// name, the message.
const (
	opText   = byte(hub.Text)
	opBinary = byte(hub.Binary)
	opSilent = 0 // this node hears nothing from it any more
	headSize = 8 + 1 + 1
)

func (s *share) tell(instance string, kind hub.Kind, data []byte) { s.send(instance, byte(kind), data) }
func (s *share) silent(instance string)                           { s.send(instance, opSilent, nil) }

func (s *share) send(instance string, op byte, data []byte) {
	if s == nil || len(instance) > 255 {
		return
	}
	b := binary.BigEndian.AppendUint64(make([]byte, 0, headSize+len(instance)+len(data)), s.room.b.opt.Hub.Node())
	b = append(b, op, byte(len(instance)))
	b = append(append(b, instance...), data...)
	s.room.b.opt.Hub.Offer(hub.Post{Channel: s.channel, Kind: hub.Binary, Exclude: s.conn.ID, Data: b})
}

// Post is what another node has heard.
func (s *share) Post(m *hub.Message) hub.Verdict {
	b := m.Data
	if len(b) < headSize || len(b) < headSize+int(b[headSize-1]) {
		return hub.Written
	}
	node, op := binary.BigEndian.Uint64(b), b[8]
	b = b[headSize:]
	instance, data := string(b[:m.Data[headSize-1]]), b[m.Data[headSize-1]:]
	if op == opSilent {
		s.forget(instance, node)
		return hub.Written
	}
	h := s.room.b.opt.Hub
	if op != opText && op != opBinary || s.room.has(instance) || !s.believes(instance, node, time.Now(), h.Alive) {
		s.room.b.Stats.Passed.Add(1)
		return hub.Written
	}
	s.room.b.Stats.Shared.Add(1)
	h.Show(hub.Post{Channel: s.room.channel, Kind: hub.Kind(op), Origin: instance, Data: data})
	return hub.Written
}

// Close is the hub's, at its end.
func (s *share) Close(uint16, string) {}

// believes tells whether node is the one to hear about instance from.
func (s *share) believes(instance string, node uint64, now time.Time, alive func(node uint64) bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ok := s.from[instance]
	if ok && at.node != node && alive(at.node) && now.Sub(at.last) < stale {
		return false
	}
	s.from[instance] = source{node, now}
	return true
}

func (s *share) forget(instance string, node uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.from[instance].node == node {
		delete(s.from, instance)
	}
}
