package certs

import (
	"crypto/tls"
	"fmt"
	"time"
)

// source is where a certificate comes from.
type source interface {
	// name is what messages and metrics call it.
	name() string
	// load returns the certificate, its Leaf filled in; nil if the one it
	// gave last is still the right one, and forced does not want it anew.
	load(forced bool) (*tls.Certificate, error)
}

// kept is a source and the last good certificate that came from it.
type kept struct {
	source
	cert    *tls.Certificate
	trouble trouble
	expired bool // and that has been told
}

// look asks the source, and tells of what is new: a certificate, or a reason
// why there is none.
func (k *kept) look(s *Store, forced bool) (fresh bool, err error) {
	c, err := k.load(forced)
	switch {
	case err != nil && !k.trouble.repeats(err):
		s.Stats.Failed.Add(1)
		if k.cert != nil {
			s.opt.Log.Warn("certificate cannot be used, the one before is kept", "file", k.name(), "cause", err)
		}
	case c != nil:
		_ = k.trouble.repeats(nil)
		s.Stats.Loaded.Add(1)
		k.cert, k.expired, fresh = c, false, true
		s.opt.Log.Info("certificate loaded", "file", k.name(), "names", names(c.Leaf), "expires", c.Leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	k.lookAtClock(s)
	if err != nil {
		err = fmt.Errorf("certificate %s: %w", k.name(), err)
	}
	return fresh, err
}

// lookAtClock tells once of a certificate that clients will not take.
func (k *kept) lookAtClock(s *Store) {
	if k.cert == nil || k.expired {
		return
	}
	now, leaf := time.Now(), k.cert.Leaf
	switch {
	case now.After(leaf.NotAfter):
		s.opt.Log.Error("certificate has expired", "file", k.name(), "expired", leaf.NotAfter.UTC().Format(time.RFC3339))
	case now.Before(leaf.NotBefore):
		s.opt.Log.Error("certificate is not valid yet", "file", k.name(), "from", leaf.NotBefore.UTC().Format(time.RFC3339))
	default:
		return
	}
	k.expired = true
}

// trouble is the last failure of something that is tried again and again.
type trouble string

// repeats notes err, and tells whether it is one that was noted before.
func (t *trouble) repeats(err error) bool {
	before := *t
	if *t = ""; err != nil {
		*t = trouble(err.Error())
	}
	return err != nil && *t == before
}
