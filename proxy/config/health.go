package config

import (
	"errors"
	"fmt"
	"strings"
)

var healthPath = value{
	read: func(c *Config, w string) error {
		if w == none {
			return nil
		}
		c.Health.Path = w
		return checkPath(w)
	},
	show: func(c *Config) []string { return []string{orNothing(c.Health.Path, none)} },
}

// checkPath takes what can stand in a request's first line as it is.
func checkPath(w string) error {
	if strings.Contains(w, "://") {
		return errors.New("a path only, each upstream is asked for it, want one such as /healthz")
	}
	if w[0] != '/' {
		return fmt.Errorf("missing slash, want /%s", w)
	}
	for _, b := range []byte(w) {
		if b <= ' ' || b >= 0x7f || b == '#' {
			return errors.New("has a byte that no path can have, want it percent-encoded")
		}
	}
	return nil
}

// healthInterval has no default of its own: together looks for a path.
var healthInterval = value{
	read: func(c *Config, w string) (err error) {
		if w == off || w == "0s" || w == "0" {
			return nil
		}
		c.Health.Interval, err = durationIn(10*shortest, longest, w)
		return err
	},
	show: func(c *Config) []string {
		if c.Health.Interval == 0 {
			return []string{off}
		}
		return []string{showDuration(c.Health.Interval)}
	},
}
