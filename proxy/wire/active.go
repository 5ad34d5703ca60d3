package wire

import "sync"

// What a connection needs only while it is read or written would be half of
// what a parked one costs. So it is pooled; a connection has it from the first
// read or write on until it is parked.

// reads is for one that is read. Its functions are bound once, so that handing
// them to the RawConn allocates nothing.
type reads struct {
	c *Conn
	reading
	asking
	on struct{ read, more, await, each, ask func(fd uintptr) bool }
}

var allReads = sync.Pool{New: func() any {
	r := &reads{}
	r.on.read = func(fd uintptr) bool { return r.c.read(fd) }
	r.on.more = func(fd uintptr) bool { return r.c.more(fd) }
	r.on.await = func(fd uintptr) bool { return r.c.await(fd) }
	r.on.each = func(fd uintptr) bool { return r.c.each(fd) }
	r.on.ask = func(fd uintptr) bool { return r.c.ask(fd) }
	return r
}}

// forReading is called before anything is read.
func (c *Conn) forReading() {
	if c.reads == nil {
		c.reads = allReads.Get().(*reads)
		c.reads.c = c
	}
}

func (c *Conn) doneReading() {
	if r := c.reads; r != nil {
		c.reads = nil
		r.c, r.reading, r.asking = nil, reading{}, asking{}
		allReads.Put(r)
	}
}

// writes is for one that is written.
type writes struct {
	c *Conn
	writing
	write func(fd uintptr) bool
}

var allWrites = sync.Pool{New: func() any {
	w := &writes{}
	w.write = func(fd uintptr) bool { return w.c.write(fd) }
	return w
}}

// forWriting is called before anything is written, but for what Own makes
// cheap.
func (c *Conn) forWriting() {
	if c.writes == nil {
		c.writes = allWrites.Get().(*writes)
		c.writes.c = c
	}
}

func (c *Conn) doneWriting() {
	if w := c.writes; w != nil {
		c.writes = nil
		w.c, w.writing = nil, writing{}
		allWrites.Put(w)
	}
}
