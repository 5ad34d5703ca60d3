package rule

// target reads one line of a targeted field (RFC 9213), a dictionary of
// structured values (RFC 9651), and tells whether it is valid. If not, the
// whole field counts as absent, since others that parse it the same way will
// not see it either; then what d and t hold is of no use.
func (d *directives) target(line []byte, t *Terms) bool {
	s := structured{line}
	for {
		key, ok := s.key()
		if !ok {
			return false
		}
		v := value{kind: boolean, n: 1}
		if s.eat('=') {
			if v, ok = s.value(); !ok {
				return false
			}
		}
		if !s.parameters() || !d.assign(directiveOf(key), v, t) {
			return false
		}
		s.rest = skipBlank(s.rest)
		if len(s.rest) == 0 {
			return true
		}
		if !s.eat(',') {
			return false
		}
		s.rest = skipBlank(s.rest) // a comma at the end leaves no key
	}
}

// assign takes in one member. The last of several counts, as in every
// dictionary, but for names, where all do. A value of the wrong type must not
// be used (RFC 9213 §2.1).
func (d *directives) assign(k directive, v value, t *Terms) bool {
	switch {
	case k == unknown:
	case k < numbers:
		if v.kind != integer {
			return false
		}
		d.said |= 1 << k
		d.seconds[k] = min(max(v.n, 0), never)
	case v.kind == boolean:
		d.said = d.said&^(1<<k) | uint16(v.n)<<k
	case k < listed && (v.kind == text || v.kind == token):
		d.list(k, &member{arg: v.text, form: quoted}, t)
	default:
		return false
	}
	return true
}
