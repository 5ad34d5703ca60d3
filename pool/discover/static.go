package discover

import (
	"context"
	"net/netip"
	"strings"

	"multiserver/pool"
)

// static is an upstream that is where it is: an IP address, a Unix socket, or
// localhost.
type static []pool.Target

func openStatic(s *Spec, _ *asker) (source, error) { return static{s.fixed()}, nil }

func (s static) members(context.Context) ([]pool.Target, error) { return s, nil }

func isStatic(s *Spec) bool {
	if isSRV(s) {
		return false
	}
	_, err := netip.ParseAddr(s.Host)
	return s.Scheme == "unix" || err == nil || strings.EqualFold(strings.TrimSuffix(s.Host, "."), "localhost")
}
