package session

import (
	"bytes"
	"slices"
	"time"
)

// Record is a session as it is in a store, or a pointer that rotation left. The
// zero Record is empty. It may be filled again and again: it keeps its buffers.
type Record struct {
	Version uint64
	Values  []Value // by key, upwards

	Created int64 // unix ms
	Idle    int64 // unix ms: it ends then, unless it is used before
	End     int64 // unix ms: it ends then

	Moved ID // where it went; a Record with it has no values
}

// Value is one top-level key and what is under it. Both are the Record's, until
// it is filled again.
type Value struct {
	Key []byte
	Raw []byte // JSON
}

// Reset empties the Record, and keeps its buffers.
func (r *Record) Reset() { *r = Record{Values: r.Values[:0]} }

// Copy makes r what from is, in r's own buffers.
func (r *Record) Copy(from *Record) {
	values := r.Values[:0]
	*r = *from
	for i := range from.Values {
		if i < cap(values) {
			values = values[:i+1]
		} else {
			values = append(values, Value{})
		}
		values[i].Key = append(values[i].Key[:0], from.Values[i].Key...)
		values[i].Raw = append(values[i].Raw[:0], from.Values[i].Raw...)
	}
	r.Values = values
}

// Alive tells whether neither end has come, at now in unix ms.
func (r *Record) Alive(now int64) bool { return now < r.End && (now < r.Idle || !r.Moved.Zero()) }

// Size is what MaxBytes limits.
func (r *Record) Size() (n int) {
	for _, v := range r.Values {
		n += len(v.Key) + len(v.Raw)
	}
	return n
}

// Find gives what is under key, or nil.
func (r *Record) Find(key []byte) []byte {
	if i, found := r.search(key); found {
		return r.Values[i].Raw
	}
	return nil
}

func (r *Record) search(key []byte) (int, bool) {
	return slices.BinarySearchFunc(r.Values, key, func(v Value, key []byte) int { return bytes.Compare(v.Key, key) })
}

// Put sets a key; both are copied.
func (r *Record) Put(key, raw []byte) {
	i, found := r.search(key)
	if !found {
		r.room(i)
		r.Values[i].Key = append(r.Values[i].Key[:0], key...)
	}
	r.Values[i].Raw = append(r.Values[i].Raw[:0], raw...)
}

// room makes a place at i, of the buffers of a value that was there once.
func (r *Record) room(i int) {
	n := len(r.Values)
	if n < cap(r.Values) {
		r.Values = r.Values[:n+1]
	} else {
		r.Values = append(r.Values, Value{})
	}
	spare := r.Values[n]
	copy(r.Values[i+1:], r.Values[i:n])
	r.Values[i] = spare
}

// Remove takes a key out, if it is there.
func (r *Record) Remove(key []byte) {
	i, found := r.search(key)
	if !found {
		return
	}
	spare, n := r.Values[i], len(r.Values)-1
	copy(r.Values[i:], r.Values[i+1:])
	r.Values[n] = spare
	r.Values = r.Values[:n]
}

// Apply does what Store.Patch says to a Record that was loaded, or is empty if
// nothing was there; now is unix ms. With an error the Record is as it was. For
// stores that write a session as a whole.
func (r *Record) Apply(p *Patch, now int64) error {
	there := r.Version != 0 && r.Alive(now)
	switch {
	case !r.Moved.Zero() && r.Alive(now):
		return ErrMoved
	case p.IfVersion != 0 && (!there || r.Version != p.IfVersion):
		return ErrConflict
	case !there && !p.Create:
		return ErrNone
	case !there:
		r.Reset()
	}
	if !r.fits(p.Changes) {
		return ErrLimit
	}
	if !there {
		r.Created, r.End = now, now+p.Life.Milliseconds()
		if p.Idle == 0 {
			r.Idle = r.End
		}
	}
	for _, c := range p.Changes {
		if c.Value == nil {
			r.Remove(c.Key)
		} else {
			r.Put(c.Key, c.Value)
		}
	}
	r.Version++
	r.Extend(p.Idle, now)
	if p.MaxAge > 0 {
		r.End = now + p.MaxAge.Milliseconds()
		r.Idle = r.End
	}
	return nil
}

// Extend does what Store.Touch says.
func (r *Record) Extend(idle time.Duration, now int64) {
	r.Idle = max(r.Idle, min(now+idle.Milliseconds(), r.End))
}

// fits tells whether the limits still hold after changes.
func (r *Record) fits(changes []Change) bool {
	keys, size := len(r.Values), r.Size()
	for _, c := range changes {
		if len(c.Key) > MaxKey {
			return false
		}
		if i, found := r.search(c.Key); found {
			keys--
			size -= len(c.Key) + len(r.Values[i].Raw)
		}
		if c.Value != nil {
			keys++
			size += len(c.Key) + len(c.Value)
		}
	}
	return keys <= MaxKeys && size <= MaxBytes
}
