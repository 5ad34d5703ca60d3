package discover

import (
	"context"
	"fmt"

	"multiserver/pool"
)

// source is where one upstream's members come from. It is asked by one
// goroutine at a time and may remember what it was told.
type source interface {
	// members asks once. They come in an order that depends on nothing but
	// the answer. With an error they are what can still be told; none with an
	// error: nothing can, and the last ones stay.
	members(ctx context.Context) ([]pool.Target, error)
}

// row is one kind of source.
type row struct {
	name  string
	takes func(s *Spec) bool
	open  func(s *Spec, a *asker) (source, error)
	fixed bool // never changes: is asked at start only
}

// table holds all sources; the first that takes a Spec has it.
var table = []row{
	{name: "static", takes: isStatic, open: openStatic, fixed: true},
	{name: "srv", takes: isSRV, open: openSRV},
	{name: "dns", takes: isDNS, open: openDNS},
}

func rowFor(s *Spec) (*row, error) {
	for i := range table {
		if table[i].takes(s) {
			return &table[i], nil
		}
	}
	return nil, fmt.Errorf("BUG: scheme %q has no source", s.Scheme)
}
