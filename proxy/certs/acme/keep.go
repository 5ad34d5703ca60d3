package acme

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"time"
)

const (
	firstWait = time.Second // before the second try of what failed on our side, or found nobody
	lastWait  = time.Minute // doubled until it is this
	askTime   = 10 * time.Second
	mostWords = 64 << 10 // of an authority's directory, which has ten lines
)

// keep sees to it that a name has a certificate; once it has, certmagic
// renews it.
func (a *Authority) keep(ctx context.Context, name string) {
	told := ""
	for wait := firstWait; ; wait = min(2*wait, lastWait) {
		err := a.have(ctx, name)
		if err == nil || ctx.Err() != nil {
			return
		}
		if cause := err.Error(); cause != told {
			told = cause
			a.opt.Log.Warn("certificate cannot be ordered yet, tried again and again", "name", name, "cause", cause)
		}
		t := time.NewTimer(wait*3/4 + rand.N(wait/2)) // many names, and many nodes
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
	}
}

// have loads the certificate, or orders it. One that expired while nobody ran
// is renewed by certmagic's next look.
func (a *Authority) have(ctx context.Context, name string) error {
	if a.Certificate(name) != nil {
		return nil
	}
	_, err := a.config.CacheManagedCertificate(ctx, name)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err = a.reach(ctx); err != nil {
		return err
	}
	// From here on it is certmagic that tries again, minutes to hours apart:
	// authorities count failures, and shut out whoever has many.
	if err = a.config.ObtainCertAsync(ctx, name); err != nil {
		return err
	}
	_, err = a.config.CacheManagedCertificate(ctx, name)
	return err
}

// reach asks for the authority's directory. That costs it nothing, so it can
// be asked often, and an order be made soon after it is back.
func (a *Authority) reach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	ask, err := http.NewRequestWithContext(ctx, http.MethodGet, a.opt.CA, nil)
	if err != nil {
		return err
	}
	res, err := a.client.Do(ask)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	var directory struct{ NewOrder string }
	err = json.NewDecoder(io.LimitReader(res.Body, mostWords)).Decode(&directory)
	if res.StatusCode != http.StatusOK || err != nil || directory.NewOrder == "" {
		return fmt.Errorf("%s: status %d, and not an ACME directory", a.opt.CA, res.StatusCode)
	}
	return nil
}
