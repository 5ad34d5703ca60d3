package proxyproto

import "testing"

func BenchmarkParse(b *testing.B) {
	for name, s := range map[string]string{"v1": line, "v2": v2(cmdProxy, famTCP4, block4), "v2-checksum": summed(block4, "", 0)} {
		in := []byte(s)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var h Header
			for b.Loop() {
				if _, err := h.Parse(in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
