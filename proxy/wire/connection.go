package wire

// note keeps what a field says about framing and the connection.
func (h *Head) note(b []byte, f *Field) error {
	v := b[f.From:f.To]
	switch f.Kind {
	case ContentLength:
		n, ok := parseLength(v)
		if !ok {
			return badLength
		}
		if h.lengths > 0 && n != h.Length {
			return badLengths
		}
		h.lengths = min(h.lengths+1, 2)
		h.Length = n
	case TransferEncoding:
		if h.codings > 0 || !EqualFold(v, "chunked") {
			return badCoding
		}
		h.codings++
		h.Chunked = true
	case Host:
		h.hosts = min(h.hosts+1, 2)
	case Date:
		h.HasDate = true
	case Connection:
		h.connection(v)
	case Upgrade:
		h.upgrades = min(h.upgrades+1, 2)
	case TE:
		Members(v, func(m []byte) { h.Trailers = h.Trailers || EqualFold(m, "trailers") })
	}
	h.Asserts = h.Asserts || f.Kind.Asserted()
	return nil
}

func (h *Head) connection(v []byte) {
	switch { // fast path: what nearly all clients and servers send
	case EqualFold(v, "keep-alive"):
		h.KeepAlive = true
		return
	case EqualFold(v, "close"):
		h.Close = true
		return
	}
	Members(v, func(m []byte) {
		switch {
		case EqualFold(m, "close"):
			h.Close = true
		case EqualFold(m, "keep-alive"):
			h.KeepAlive = true
		case EqualFold(m, "upgrade"):
			h.connUpgrade = true
		default:
			k := kindOf(m)
			h.Nominates = h.Nominates || k == Other || k == Trailer
		}
	})
}

// Nominated tells whether some Connection line names the field, which then
// goes no further (RFC 9110 §7.6.1). Only fields of kind Other and Trailer can
// be named away: the rest are dropped anyway or, like Host and Cookie, must
// not be.
func (h *Head) Nominated(name []byte) bool {
	if !h.Nominates {
		return false
	}
	found := false
	for i := range h.Fields {
		if h.Fields[i].Kind == Connection {
			Members(h.Value(&h.Fields[i]), func(m []byte) { found = found || equalNames(m, name) })
		}
	}
	return found
}

func equalNames(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i]|0x20 != b[i]|0x20 {
			return false
		}
	}
	return true
}
