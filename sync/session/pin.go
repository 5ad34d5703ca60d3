package session

// Sticky sessions: which upstream has served a session lies in it, so that all
// proxies agree, under a key that no backend sees or sets.

// own is the first byte of such keys.
const own = 0

var pinKey = []byte{own, 'u', 'p'}

// Pinned is the upstream that the session was pinned to, or 0.
func (v *Visit) Pinned() (upstream uint64) {
	upstream, _ = parseUint(v.Record.Find(pinKey))
	return upstream
}

// Pin lets Finish keep which upstream has served the request, if there is a
// session or one begins, and it is another than before.
func (v *Visit) Pin(upstream uint64) { v.request.pin = upstream }

// pin makes it one change more.
func (v *Visit) pin() {
	c := &v.request
	if c.pin == 0 || c.pin == v.Pinned() || c.destroy || v.Record.Version == 0 && !c.sets() {
		return
	}
	value := appendUint(c.digits[:0], c.pin)
	c.list = append(c.list, Change{Key: pinKey, Value: value})
	c.set = true
}
