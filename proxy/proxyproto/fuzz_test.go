package proxyproto

import "testing"

// FuzzParse: what is read by what Parse asks for is a header and nothing
// behind it; the same comes out in any pieces; and what was understood is
// understood again when it is said.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"PROXY TCP4 192.0.2.1 198.51.100.1 4711 443\r\nGET /", "PROXY TCP6 2001:db8::1 ::1 1 2\r\n", "PROXY UNKNOWN a\r\n", "GET / HTTP/1.1\r\n",
		v2(cmdProxy, famTCP4, block4) + "GET", v2(cmdProxy, famTCP6, block6), v2(cmdLocal, 0, ""), summed(block4+field(typeALPN, "h2"), field(4, "x"), 0),
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var whole, h Header
		length, verdict := whole.Parse(b)
		n, most := 0, 0
		for {
			more, err := h.Parse(b[:n])
			if err != ErrMore {
				if err != verdict || err == nil && (more != length || n != length) {
					t.Fatalf("read %d bytes: %d, %v; at once %d, %v", n, more, err, length, verdict)
				}
				break
			}
			if more < 1 || n+more > fixedV2+MaxV2 {
				t.Fatalf("at %d wants %d", n, more)
			}
			if most = n + more; most > len(b) {
				if verdict == nil {
					t.Fatalf("wants %d bytes of a header of %d", most, length)
				}
				return
			}
			n = most
		}
		if verdict != nil {
			return
		}
		again := Header{Version: whole.Version, Local: whole.Local, Src: whole.Src, Dst: whole.Dst}
		var back Header
		said := again.Append(nil)
		if n, err := back.Parse(said); err != nil || n != len(said) {
			t.Fatalf("%+v says %q: %d, %v", again, said, n, err)
		}
		if back.Src != whole.Src || back.Dst != whole.Dst || back.Local != whole.Local {
			t.Fatalf("%+v comes back as %+v", whole, back)
		}
	})
}
