package config

import (
	"fmt"
	"strings"
)

// upgrades are the protocols that may be switched to. WebSocket always may, and
// is taken as well.
var upgrades = value{
	read: func(c *Config, w string) error {
		name := strings.ToLower(w)
		switch {
		case name == none, name == "websocket":
			return nil
		case name == "h2c" || strings.HasPrefix(name, "http/"):
			return fmt.Errorf("%s would be requests that nobody checks; HTTP/2 without TLS needs no Upgrade, it is spoken by prior knowledge", w)
		case strings.ContainsFunc(name, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("!#$%&'*+-.^_`|~/", r)
		}):
			return fmt.Errorf("%q is no name of a protocol, want one like tcp or chat/2", w)
		}
		c.Upgrade = append(c.Upgrade, name)
		return nil
	},
	show: func(c *Config) []string { return orWord(c.Upgrade, none) },
}
