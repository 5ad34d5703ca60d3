package mongo

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"multiserver/sync/hub"
)

// said is a document of the capped collection.
type said struct {
	marker  int64
	channel string
	msg     []byte // borrowed
	id      hub.ID
}

// place is who wrote a document, and its number.
func place(raw bson.Raw) (node, number int64) {
	node, _ = raw.Lookup("n").AsInt64OK()
	number, _ = raw.Lookup("s").AsInt64OK()
	return node, number
}

func parse(raw bson.Raw) (d said) {
	d.marker, _ = raw.Lookup("g").AsInt64OK()
	_, name, _ := raw.Lookup("c").BinaryOK()
	d.channel = string(name)
	_, d.msg, _ = raw.Lookup("m").BinaryOK()
	epoch, _ := raw.Lookup("e").AsInt64OK()
	offset, _ := raw.Lookup("o").AsInt64OK()
	d.id = hub.ID{Epoch: uint64(epoch), Offset: uint64(offset)}
	return d
}

// take makes of a document what it means for this node.
func (f *follower) take(raw bson.Raw) error {
	node, number := place(raw)
	last, known := f.last[node]
	if number <= last && known {
		return nil
	}
	now := time.Now()
	f.last[node], f.seen, f.heard = number, now, now
	if known && number > last+1 { // failed there, or overwritten before it was read here
		f.rejoin()
		f.mark()
	}
	d := parse(raw)
	switch {
	case d.channel != "":
		f.deliver(&d)
	case node == f.node:
		return f.settle(d.marker)
	}
	return nil
}

// settle joins the channels that have waited for this marker. What histories
// hold by now is not delivered: Replay is for that.
func (f *follower) settle(marker int64) error {
	names := f.due(marker)
	if len(names) == 0 {
		return nil
	}
	newest, err := f.newest(names)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, name := range names {
		if c := f.channels[name]; c != nil && !c.joined && c.marker <= marker {
			c.joined, c.last = true, newest[name]
			f.sink.Joined(name)
		}
	}
	return nil
}

func (f *follower) due(marker int64) (names []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for name, c := range f.channels {
		if !c.joined && c.marker <= marker {
			names = append(names, name)
		}
	}
	return names
}

func (f *follower) deliver(d *said) {
	f.mu.Lock()
	c := f.channels[d.channel]
	if c == nil || !c.joined {
		f.mu.Unlock()
		return
	}
	last := c.last
	if d.id.Epoch != 0 && follows(d.id, last) == gap {
		f.mu.Unlock()
		f.fill(d.channel, last)
		f.mu.Lock()
	}
	defer f.mu.Unlock()
	f.tell(d.channel, d.id, d.msg)
}

// tell hands a message on, unless it came before. Called with mu held, which
// keeps Joined and Message apart.
func (f *follower) tell(name string, id hub.ID, msg []byte) {
	c := f.channels[name]
	if c == nil || !c.joined || f.ctx.Err() != nil {
		return
	}
	if id.Epoch != 0 {
		if follows(id, c.last) == before {
			return
		}
		c.last = id
	}
	f.sink.Message(name, id, msg)
}

// fill delivers what other publishers have kept and not said yet, or have said
// behind this one. If it cannot be read, Joined says that something is missing.
func (f *follower) fill(name string, last hub.ID) {
	ctx, cancel := context.WithTimeout(f.ctx, f.timeout)
	defer cancel()
	h, err := f.read(ctx, name)
	if err != nil {
		f.rejoin()
		f.mark()
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	h.each(last, func(id hub.ID, msg []byte) { f.tell(name, id, msg) })
}

// order is how an id comes after another.
type order int

const (
	next order = iota
	gap
	before
)

func follows(id, last hub.ID) order {
	switch {
	case id.Epoch != last.Epoch && id.Offset == 1, id.Epoch == last.Epoch && id.Offset == last.Offset+1:
		return next
	case id.Epoch == last.Epoch && id.Offset <= last.Offset:
		return before
	}
	return gap
}
