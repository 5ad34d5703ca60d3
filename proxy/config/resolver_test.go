package config

import "testing"

func TestResolver(t *testing.T) {
	for w, want := range map[string]string{
		"none": "none", "10.0.0.53": "10.0.0.53:53", "127.0.0.1:5353": "127.0.0.1:5353",
		"::1": "[::1]:53", "[::1]:5353": "[::1]:5353",
		"": "", "dns.test": "", "dns.test:53": "", "10.0.0.53:": "", "10.0.0.53:0": "", "10.0.0.53:65536": "", "udp://10.0.0.53": "",
	} {
		var c Config
		err := resolver.read(&c, w)
		if want == "" {
			if err == nil {
				t.Errorf("%q is taken for %s", w, c.Resolver)
			}
			continue
		}
		if got := resolver.show(&c); err != nil || got[0] != want {
			t.Errorf("%q is %q, %v, want %q", w, got, err, want)
		}
	}
}
