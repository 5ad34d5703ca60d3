package proxyproto

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"net/netip"
	"strings"
	"testing"
)

// said is a header in one line, or the error.
func said(b string) string {
	var h Header
	n, err := h.Parse([]byte(b))
	if err == ErrMore {
		return fmt.Sprintf("%d more", n)
	}
	if err != nil {
		return err.Error()
	}
	s := fmt.Sprintf("v%d %v > %v", h.Version, h.Src, h.Dst)
	if h.Local {
		s = "local"
	}
	if !h.Src.IsValid() {
		s = strings.Replace(s, "invalid AddrPort > invalid AddrPort", "unnamed", 1)
	}
	if rest := b[n:]; rest != "" {
		s += " | " + rest
	}
	return s
}

func TestVersion1(t *testing.T) {
	f := func(b, want string) {
		t.Helper()
		if got := said(b); got != want {
			t.Errorf("%q: %s, want %s", b, got, want)
		}
	}
	f("PROXY TCP4 192.0.2.1 198.51.100.1 4711 443\r\n", "v1 192.0.2.1:4711 > 198.51.100.1:443")
	f("PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\nGET /", "v1 0.0.0.0:0 > 255.255.255.255:65535 | GET /")
	f("PROXY TCP6 2001:db8::1 ::1 1 2\r\n\x16\x03", "v1 [2001:db8::1]:1 > [::1]:2 | \x16\x03")
	f("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
		"v1 [ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535 > [ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535")
	f("PROXY TCP6 ::ffff:192.0.2.1 ::ffff:192.0.2.2 1 2\r\n", "v1 192.0.2.1:1 > 192.0.2.2:2")
	f("PROXY UNKNOWN\r\nGET", "v1 unnamed | GET")
	f("PROXY UNKNOWN a \n b\r\n", "v1 unnamed")
	f("PROXY UNKNOWN "+strings.Repeat("x", 91)+"\r\n", "v1 unnamed")
	f("PROXY UNKNOWN "+strings.Repeat("x", 92)+"\r\n", ErrLong.Error())

	// How much more there is to come for certain, and no more than that.
	f("", "15 more")
	f("P", "14 more")
	f("PROXY UNKNOWN\r", "1 more")
	f("PROXY UNKNOWN a b c", "2 more")
	f("PROXY TCP4 1.1.1", "8 more")
	f("PROXY TCP4 1.1.1.1 ", "7 more")
	f("PROXY TCP4 1.1.1.1 1.1.1.1 1 1", "2 more")
	f("PROXY TCP4 1.1.1.1 1.1.1.1 1 1\r", "1 more")
	f("PROXY UNKNOWN "+strings.Repeat("x", 91), "2 more")
	f("PROXY UNKNOWN "+strings.Repeat("x", 92), "1 more")
	f("PROXY UNKNOWN "+strings.Repeat("x", 93), ErrLong.Error())

	for _, b := range []string{"G", "GET / HTTP/1.1\r\n", "PROXz", "proxy TCP4 ", "\x16\x03\x01\x02", " PROXY", "PRI * HTTP/2.0"} {
		f(b, ErrNone.Error())
	}
	for _, line := range []string{
		"PROXY UNKNOWNA a", "PROXY TCP5 1.1.1.1 1.1.1.1 1 1", "PROXY tcp4 1.1.1.1 1.1.1.1 1 1", "PROXY  TCP4 1.1.1.1 1.1.1.1 1 1",
		"PROXY TCP4 ::1 ::1 1 1", "PROXY TCP4 ::ffff:1.1.1.1 1.1.1.1 1 1", "PROXY TCP6 1.1.1.1 1.1.1.1 1 1", "PROXY TCP6 ::1 1.1.1.1 1 1",
		"PROXY TCP6 fe80::1%eth0 ::1 1 1", "PROXY TCP4 1.1.1 1.1.1.1 1 1", "PROXY TCP4 01.1.1.1 1.1.1.1 1 1", "PROXY TCP4 a 1.1.1.1 1 1",
		"PROXY TCP4 1.1.1.1  1.1.1.1 1 1", "PROXY TCP4 1.1.1.1 1.1.1.1 1", "PROXY TCP4 1.1.1.1 1.1.1.1 1 1 ", "PROXY TCP4 1.1.1.1 1.1.1.1 1 1 1",
		"PROXY TCP4 1.1.1.1 1.1.1.1 65536 1", "PROXY TCP4 1.1.1.1 1.1.1.1 -1 1", "PROXY TCP4 1.1.1.1 1.1.1.1 01 1", "PROXY TCP4 1.1.1.1 1.1.1.1  1",
		"PROXY TCP4 1.1.1.1 1.1.1.1 1 1\nX: y", "PROXY TCP4 1.1.1.1 1.1.1.1 1 1\r", "PROXY TCP4 1.1.1.1\t1.1.1.1 1 1", "PROXY TCP4 1.1.1.1 1.1.1.1 1 +1",
		"PROXY TCP4 1.1.1.1 1.1.1.1 1 99999999999999999999", "PROXY TCP4 1.1.1.1\x00 1.1.1.1 1 1",
	} {
		f(line+"\r\n", ErrMalformed.Error())
	}
}

// v2 is a header whose block has a length that is right.
func v2(command, family byte, block string) string {
	b := append(append([]byte{}, signV2...), command, family)
	b = binary.BigEndian.AppendUint16(b, uint16(len(block)))
	return string(b) + block
}

const (
	block4 = "\xc0\x00\x02\x01" + "\xc6\x33\x64\x01" + "\x12\x67" + "\x01\xbb"
	block6 = "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01" + "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01" + "\x00\x01" + "\x00\x02"
	mapped = "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xc0\x00\x02\x01"
)

func field(kind byte, value string) string {
	return string([]byte{kind, byte(len(value) >> 8), byte(len(value))}) + value
}

// summed is a header with a checksum behind block and before tail, off by wrong.
func summed(block, tail string, wrong uint32) string {
	b := []byte(v2(cmdProxy, famTCP4, block+field(typeCRC32C, "\x00\x00\x00\x00")+tail))
	at := fixedV2 + len(block) + 3
	binary.BigEndian.PutUint32(b[at:], crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))+wrong)
	return string(b)
}

func TestVersion2(t *testing.T) {
	f := func(b, want string) {
		t.Helper()
		if got := said(b); got != want {
			t.Errorf("%q: %s, want %s", b, got, want)
		}
	}
	f(v2(cmdProxy, famTCP4, block4)+"GET /", "v2 192.0.2.1:4711 > 198.51.100.1:443 | GET /")
	f(v2(cmdProxy, famTCP6, block6), "v2 [2001:db8::1]:1 > [::1]:2")
	f(v2(cmdProxy, famTCP6, mapped+mapped+"\x00\x01\x00\x02"), "v2 192.0.2.1:1 > 192.0.2.1:2")
	f(v2(cmdProxy, famUnix, strings.Repeat("\x00", 216))+"GET", "v2 unnamed | GET")
	f(v2(cmdProxy, famNone, ""), "v2 unnamed")
	f(v2(cmdProxy, famNone, "whatever"), "v2 unnamed")
	f(v2(cmdLocal, famNone, "")+"GET", "local | GET")
	f(v2(cmdLocal, 0xff, "whatever"), "local")
	f(v2(cmdLocal, famTCP4, block4+field(typeCRC32C, "????")), "local")

	f(v2(cmdProxy, famTCP4, block4+field(0x20, "\x01\x00\x00\x00\x00"+field(0x21, "TLSv1.3"))+field(0xea, "\x01vpce-1")+field(4, "")), "v2 192.0.2.1:4711 > 198.51.100.1:443")
	f(v2(cmdProxy, famTCP4, block4+field(0xee, strings.Repeat("x", MaxV2-len(block4)-3))), "v2 192.0.2.1:4711 > 198.51.100.1:443")
	f(summed(block4, "", 0), "v2 192.0.2.1:4711 > 198.51.100.1:443")
	f(summed(block4+field(typeALPN, "h2"), field(4, "xyz"), 0)+"GET", "v2 192.0.2.1:4711 > 198.51.100.1:443 | GET")
	f(summed(block4, "", 1), ErrChecksum.Error())
	f(v2(cmdProxy, famTCP4, block4+field(typeCRC32C, "???")), ErrMalformed.Error())

	whole := v2(cmdProxy, famTCP4, block4)
	f(whole[:1], "14 more")
	f(whole[:15], "1 more")
	f(whole[:16], "12 more")
	f(whole[:27], "1 more")
	f(v2(cmdProxy, famTCP4, strings.Repeat("x", MaxV2+1))[:16], ErrLong.Error())
	f("\r\n\r\n\x00\r\nQUIT \x21\x11", ErrNone.Error())
	f("\r\nGET / HTTP/1.1\r\n", ErrNone.Error())
	for _, command := range []byte{0x00, 0x11, 0x22, 0x2f, 0x31, 0xff} {
		f(v2(command, famTCP4, block4), ErrMalformed.Error())
	}
	for _, family := range []byte{0x01, 0x10, 0x12, 0x13, 0x22, 0x32, 0x41, 0xff} {
		f(v2(cmdProxy, family, block4), ErrFamily.Error())
	}
	for _, short := range []string{
		v2(cmdProxy, famTCP4, ""), v2(cmdProxy, famTCP4, block4[1:]), v2(cmdProxy, famTCP6, block4), v2(cmdProxy, famUnix, block6),
		v2(cmdProxy, famTCP4, block4+"\x04"), v2(cmdProxy, famTCP4, block4+"\x04\x00"), v2(cmdProxy, famTCP4, block4+"\x04\x00\x01"),
		v2(cmdProxy, famTCP4, block4+"\x04\xff\xffxx"), v2(cmdProxy, famTCP4, block4+field(4, "x")+"y"),
	} {
		f(short, ErrMalformed.Error())
	}
}

func TestWhetherTheClientCameByTLS(t *testing.T) {
	var h Header
	for flags, want := range map[string]bool{"\x00": false, "\x01": true, "\x07": true, "\x06": false} {
		if _, err := h.Parse([]byte(v2(cmdProxy, famTCP4, block4+field(typeTLS, flags+"\x00\x00\x00\x00"+field(0x21, "TLSv1.3"))))); err != nil || h.TLS != want {
			t.Errorf("flags %q: TLS %v, %v", flags, h.TLS, err)
		}
	}
	if _, err := h.Parse([]byte(v2(cmdProxy, famTCP4, block4+field(typeTLS, "\x01\x00\x00\x00")))); err != ErrMalformed {
		t.Errorf("four bytes about TLS: %v", err)
	}
	if _, err := h.Parse([]byte(v2(cmdProxy, famTCP4, block4))); err != nil || h.TLS {
		t.Errorf("nothing about TLS: %v, %v", h.TLS, err)
	}
}

func TestFieldsOfUse(t *testing.T) {
	var h Header
	if _, err := h.Parse([]byte(v2(cmdProxy, famTCP4, block4+field(typeALPN, "h2")+field(4, "h3")+field(typeAuthority, "app.test")+field(typeUniqueID, "id")))); err != nil {
		t.Fatal(err)
	}
	if string(h.ALPN) != "h2" || string(h.Authority) != "app.test" || string(h.UniqueID) != "id" {
		t.Errorf("%q %q %q", h.ALPN, h.Authority, h.UniqueID)
	}
	if _, err := h.Parse([]byte(v2(cmdProxy, famTCP4, block4+field(typeUniqueID, strings.Repeat("x", 129))))); err != ErrMalformed {
		t.Errorf("an identifier of 129 bytes: %v", err)
	}
}

func TestAppend(t *testing.T) {
	f := func(src, dst, v1, v2 string) {
		t.Helper()
		h := Header{Version: 1, Local: src == "local"}
		if src != "" && !h.Local {
			h.Src = netip.MustParseAddrPort(src)
		}
		if dst != "" {
			h.Dst = netip.MustParseAddrPort(dst)
		}
		if got := string(h.Append([]byte("a"))); got != "a"+v1+"\r\n" {
			t.Errorf("%s: %q", src, got)
		}
		h.Version = 2
		if got := said(string(h.Append(nil))); got != v2 {
			t.Errorf("%s: %q", src, got)
		}
	}
	f("192.0.2.1:1", "192.0.2.2:2", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2", "v2 192.0.2.1:1 > 192.0.2.2:2")
	f("[2001:db8::1]:1", "[::1]:2", "PROXY TCP6 2001:db8::1 ::1 1 2", "v2 [2001:db8::1]:1 > [::1]:2")
	f("[fe80::1%eth0]:1", "[::1]:2", "PROXY TCP6 fe80::1 ::1 1 2", "v2 [fe80::1]:1 > [::1]:2")
	f("192.0.2.1:1", "[::1]:2", "PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2", "v2 192.0.2.1:1 > [::1]:2")
	f("[::ffff:192.0.2.1]:1", "192.0.2.2:2", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2", "v2 192.0.2.1:1 > 192.0.2.2:2")
	f("192.0.2.1:1", "", "PROXY TCP4 192.0.2.1 0.0.0.0 1 0", "v2 192.0.2.1:1 > 0.0.0.0:0")
	f("[::1]:1", "", "PROXY TCP6 ::1 :: 1 0", "v2 [::1]:1 > [::]:0")
	f("", "", "PROXY UNKNOWN", "v2 unnamed")
	f("local", "", "PROXY UNKNOWN", "local")
}
