package session

import (
	"encoding/binary"
	"errors"
)

// form is the first byte of a Record's bytes; another one is another form.
const form = 1

// AppendBinary appends the Record as bytes, for stores that keep it as one
// value. The error is always nil.
func (r *Record) AppendBinary(dst []byte) ([]byte, error) {
	dst = append(dst, form)
	dst = binary.AppendUvarint(dst, r.Version)
	dst = binary.AppendVarint(dst, r.Created)
	dst = binary.AppendVarint(dst, r.Idle)
	dst = binary.AppendVarint(dst, r.End)
	dst = append(dst, r.Moved[:]...)
	dst = binary.AppendUvarint(dst, uint64(len(r.Values)))
	for _, v := range r.Values {
		dst = binary.AppendUvarint(dst, uint64(len(v.Key)))
		dst = append(dst, v.Key...)
		dst = binary.AppendUvarint(dst, uint64(len(v.Raw)))
		dst = append(dst, v.Raw...)
	}
	return dst, nil
}

var errForm = errors.New("session: the store holds something that is no session")

// UnmarshalBinary reads what AppendBinary wrote; src is copied. After an error
// the Record is empty.
func (r *Record) UnmarshalBinary(src []byte) error {
	r.Reset()
	d := decoder{src: src}
	if d.byte() != form {
		return errForm
	}
	r.Version = d.uvarint()
	r.Created, r.Idle, r.End = d.varint(), d.varint(), d.varint()
	copy(r.Moved[:], d.take(len(r.Moved)))
	for n := d.uvarint(); n > 0 && !d.bad; n-- {
		key := d.take(int(min(d.uvarint(), MaxBytes)))
		raw := d.take(int(min(d.uvarint(), MaxBytes)))
		if !d.bad {
			r.Put(key, raw)
		}
	}
	if d.bad || len(d.src) != 0 {
		r.Reset()
		return errForm
	}
	return nil
}

// decoder reads from the front of src; once bad, it gives nothing any more.
type decoder struct {
	src []byte
	bad bool
}

func (d *decoder) take(n int) []byte {
	if d.bad || n > len(d.src) {
		d.bad = true
		return nil
	}
	b := d.src[:n]
	d.src = d.src[n:]
	return b
}

func (d *decoder) byte() byte {
	if b := d.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.src)
	if n <= 0 {
		d.bad = true
		return 0
	}
	d.src = d.src[n:]
	return v
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.src)
	if n <= 0 {
		d.bad = true
		return 0
	}
	d.src = d.src[n:]
	return v
}
