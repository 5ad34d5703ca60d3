package session

import "time"

// Take looks at a field of the backend's answer, and tells whether it is one of
// ours, which no client is to see. The value is borrowed until Finish.
func (s *Sessions) Take(v *Visit, name, value []byte) (ours bool) {
	f := fieldOf(name)
	if f == fieldNone { // fast path
		return false
	}
	if why, ok := v.request.take(f, value); !ok {
		v.request.bad = true
		s.refuse(why)
	}
	return true
}

// take notes what one field asks for.
func (c *change) take(f field, value []byte) (why Reason, ok bool) {
	switch f {
	case fieldSet:
		if c.size += len(value); c.size > MaxPatch {
			return LargePatch, false
		}
		c.set = true
		c.list, c.keys, ok = Changes(c.list, c.keys, value)
		return BadPatch, ok && !c.takesOurs()
	case fieldRotate:
		c.rotate, ok = isOne(value)
	case fieldDestroy:
		c.destroy, ok = isOne(value)
	case fieldIfVersion:
		c.checks = true
		c.ifVersion, ok = parseUint(value)
	case fieldMaxAge:
		var seconds uint64
		seconds, ok = parseUint(value)
		ok = ok && seconds > 0 && seconds <= maxSeconds
		c.maxAge = time.Duration(seconds) * time.Second
	default: // one of ours that is not for us
		ok = true
	}
	return BadField, ok
}

// takesOurs tells whether a key of our own is to be changed.
func (c *change) takesOurs() bool {
	for i := range c.list {
		if key := c.list[i].Key; len(key) > 0 && key[0] == own {
			return true
		}
	}
	return false
}

// maxSeconds is ten years.
const maxSeconds = 10 * 365 * 24 * 3600

// isOne reads a flag: 1 or 0.
func isOne(value []byte) (on, ok bool) {
	on = string(value) == "1"
	return on, on || string(value) == "0"
}

// asks tells whether anything is to be done.
func (c *change) asks() bool {
	return c.set || c.rotate || c.destroy || c.checks || c.maxAge != 0
}

// sets tells whether any key is to get a value.
func (c *change) sets() bool {
	for i := range c.list {
		if c.list[i].Value != nil {
			return true
		}
	}
	return false
}

// changes tells whether the record would be another.
func (c *change) changes(r *Record) bool {
	for i := range c.list {
		was := r.Find(c.list[i].Key)
		if (was == nil) != (c.list[i].Value == nil) || string(was) != string(c.list[i].Value) {
			return true
		}
	}
	return c.checks || c.maxAge != 0
}
