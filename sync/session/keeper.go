package session

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"log/slog"
	mathrand "math/rand/v2"
	"slices"
	"sync/atomic"
	"time"
)

// Keeper is Keys that are made by whichever node is first, and kept in the
// store, so that all nodes have the same. Until the store has answered once
// there is no ring. If the store loses them, they are put back.
type Keeper struct {
	store Store
	log   *slog.Logger
	ring  atomic.Pointer[Ring]
	kept  []kept // what the ring is made of; for run, and for Rotate through turn
	waits int    // how often several new keys were found; as kept

	first  chan struct{} // closed when there is a ring
	turn   chan struct{} // holds one value, which whoever looks at the store takes
	cancel context.CancelFunc
	done   chan struct{}
}

// kept is one key as it lies in the store, under its number.
type kept struct {
	name   string
	Secret []byte `json:"secret"`
	Made   int64  `json:"made"` // unix ms
}

// ringID is that of the record with the keys. No session has it: an id is a
// hash of a random one.
var ringID = func() (id ID) {
	sum := sha256.Sum256([]byte("multiserver session keys"))
	copy(id[:], sum[:])
	return id
}()

const (
	// lookEvery is how soon a node sees a new key, settled when it may sign: by
	// then every node knows it, though clocks differ.
	lookEvery = 15 * time.Second
	settled   = 2 * time.Minute
	retry     = 100 * time.Millisecond
	// patience is how many looks fail before it is worth a word: at the start the
	// store's client is on its way, too.
	patience = 30
	// maxKept is how many old keys still verify.
	maxKept = 8
	forever = 10 * 365 * 24 * time.Hour
)

// Keep makes a Keeper of what is in the store, now or when it answers. Close it
// before the store. log: slog.Default if nil.
func Keep(store Store, log *slog.Logger) *Keeper {
	k := &Keeper{store: store, log: cmp.Or(log, slog.Default()), first: make(chan struct{}), turn: make(chan struct{}, 1), done: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	k.cancel = cancel
	k.turn <- struct{}{}
	go k.run(ctx)
	return k
}

// Ring is the ring in force, or nil.
func (k *Keeper) Ring() *Ring { return k.ring.Load() }

// Wait waits until there is a ring.
func (k *Keeper) Wait(ctx context.Context) error {
	select {
	case <-k.first:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close ends the looking.
func (k *Keeper) Close() {
	k.cancel()
	<-k.done
}

func (k *Keeper) run(ctx context.Context) {
	defer close(k.done)
	for failed := 0; ; {
		wait := lookEvery
		if err := k.alone(ctx, k.look); err == nil {
			failed = 0
		} else if wait, failed = retry, failed+1; failed == patience {
			k.log.Warn("session keys cannot be had from the store", "err", err)
		}
		select {
		case <-time.After(wait/2 + mathrand.N(wait/2)):
		case <-ctx.Done():
			return
		}
	}
}

// alone runs f while nobody else of this node does.
func (k *Keeper) alone(ctx context.Context, f func(context.Context) error) error {
	select {
	case <-k.turn:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { k.turn <- struct{}{} }()
	return f(ctx)
}

// look takes the keys from the store, or puts there what it has lost.
func (k *Keeper) look(ctx context.Context) error {
	var r Record
	err := k.store.Load(ctx, ringID, &r)
	if errors.Is(err, ErrNone) {
		if err = k.put(ctx); err == nil {
			err = k.store.Load(ctx, ringID, &r)
		}
	}
	if err != nil {
		return err
	}
	list, err := parseKept(&r)
	if err != nil {
		return err
	}
	if k.undecided(list) {
		return errUndecided
	}
	k.kept = list
	if k.ring.Swap(ringOf(list, time.Now().UnixMilli())) == nil {
		close(k.first)
	}
	return nil
}

// errUndecided: which of several new keys stays is known in a moment.
var errUndecided = errors.New("several nodes begin at once")

// undecided tells whether all keys of the first look are so new that one may be
// about to be taken back by put: what it signed would be nobody's a moment
// later. Who put it may have died before that, so the wait has an end.
func (k *Keeper) undecided(list []kept) bool {
	if k.ring.Load() != nil || len(list) < 2 || k.waits+1 >= patience {
		return false
	}
	k.waits++
	return time.Now().UnixMilli()-list[0].Made < settled.Milliseconds()
}

// put writes the keys of this node, or a new one. Of two nodes that come at the
// same time the second takes its own back: the first may have signed already.
func (k *Keeper) put(ctx context.Context) error {
	list := k.kept
	if list == nil {
		list = []kept{newKept()}
	}
	version, err := k.patch(ctx, list, nil)
	if err == nil && version > 1 && k.kept == nil {
		_, err = k.patch(ctx, nil, list)
	}
	return err
}

func newKept() kept {
	secret := make([]byte, 32)
	rand.Read(secret)
	return kept{rand.Text(), secret, time.Now().UnixMilli()}
}

func (k *Keeper) patch(ctx context.Context, add, remove []kept) (uint64, error) {
	p := Patch{Create: true, Life: forever, Idle: forever}
	for _, one := range add {
		value, err := json.Marshal(one)
		if err != nil {
			return 0, err
		}
		p.Changes = append(p.Changes, Change{[]byte(one.name), value})
	}
	for _, one := range remove {
		p.Changes = append(p.Changes, Change{Key: []byte(one.name)})
	}
	return k.store.Patch(ctx, ringID, &p)
}

// Rotate adds a key, which signs when all nodes have seen it; older ones go on
// to verify, so that nobody is logged out.
func (k *Keeper) Rotate(ctx context.Context) error {
	return k.alone(ctx, func(ctx context.Context) error {
		if err := k.look(ctx); err != nil {
			return err
		}
		_, err := k.patch(ctx, []kept{newKept()}, k.kept[:max(0, len(k.kept)+1-maxKept)])
		if err != nil {
			return err
		}
		return k.look(ctx)
	})
}

// parseKept gives the keys by age.
func parseKept(r *Record) (list []kept, err error) {
	for _, v := range r.Values {
		one := kept{name: string(v.Key)}
		if err := json.Unmarshal(v.Raw, &one); err != nil || len(one.Secret) < 16 {
			return nil, errForm
		}
		list = append(list, one)
	}
	if len(list) == 0 {
		return nil, errForm
	}
	slices.SortFunc(list, func(a, b kept) int { return cmp.Or(cmp.Compare(a.Made, b.Made), cmp.Compare(a.name, b.name)) })
	return list, nil
}

// ringOf puts the youngest key first that all nodes know, or the oldest.
func ringOf(list []kept, now int64) *Ring {
	first := 0
	for i, one := range list {
		if now-one.Made >= settled.Milliseconds() {
			first = i
		}
	}
	secrets := [][]byte{list[first].Secret}
	for i, one := range list {
		if i != first {
			secrets = append(secrets, one.Secret)
		}
	}
	return NewRing(secrets...)
}
