package edge

import "encoding/binary"

// The settings of RFC 9113 §6.5.2 and RFC 8441 §3.
const (
	setTable    = 0x1
	setPush     = 0x2
	setStreams  = 0x3
	setWindow   = 0x4
	setFrame    = 0x5
	setHeadList = 0x6
	setConnect  = 0x8
)

// tableSize is that of the table by which the client compresses, as long as
// nothing else is said.
const tableSize = 4096

// greet says what the client may do.
func (c *conn) greet() {
	o := &c.edge.opt
	p := appendSetting(nil, setStreams, uint32(o.Streams))
	p = appendSetting(p, setWindow, laneWindow)
	p = appendSetting(p, setHeadList, uint32(o.MaxHead+mostFields*perField))
	p = appendSetting(p, setConnect, 1)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out.frame(settingsFrame, 0, 0, p)
	c.out.number(windowFrame, 0, connWindow-usualWindow)
	c.out.kick()
}

// settings takes the client's in their order, and says so.
func (c *conn) settings(f *frame, p []byte) error {
	switch {
	case f.id != 0:
		return Protocol
	case f.has(flagAck) && len(p) > 0, len(p)%6 != 0:
		return FrameSize
	case f.has(flagAck):
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for ; len(p) > 0; p = p[6:] {
		if err := c.set(binary.BigEndian.Uint16(p), binary.BigEndian.Uint32(p[2:])); err != nil {
			return err
		}
	}
	c.out.frame(settingsFrame, flagAck, 0, nil)
	c.out.kick()
	return nil
}

func (c *conn) set(id uint16, v uint32) error {
	switch id {
	case setPush, setConnect:
		if v > 1 {
			return Protocol
		}
	case setFrame: // ours are never larger than the least that this may say
		if v < mostFrame || v > 1<<24-1 {
			return Protocol
		}
	case setWindow:
		if v > mostID {
			return Window
		}
		return c.resize(int64(v))
	}
	return nil
}

// resize changes the windows of all streams (RFC 9113 §6.9.2).
func (c *conn) resize(initial int64) error {
	by := initial - c.initial
	c.initial = initial
	for _, s := range c.open {
		if s.window += by; s.window > mostID {
			return Window
		}
		s.turn.Signal()
	}
	return nil
}
