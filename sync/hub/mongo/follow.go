package mongo

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

const (
	maxAge    = 30 * time.Second // of a loss: beyond, what was missed is not told any more
	mostNodes = 1000             // whose numbers are remembered; each start of a node is another one
	await     = 2 * time.Second  // for the server to wait with an answer
	overdue   = 5 * time.Second  // an answer that it should have given
	pollEvery = 50 * time.Millisecond
	retryMin  = 20 * time.Millisecond
	retryMax  = time.Second
)

// follower is the reading goroutine's own.
type follower struct {
	*Broker
	last   map[int64]int64 // the last number of each node; nil: to begin at the end
	seen   time.Time       // when it last knew all
	heard  time.Time       // when a document last came
	polled bool            // there are no tailable cursors
}

// tend follows until Close.
func (b *Broker) tend() {
	f := follower{Broker: b, polled: b.polls}
	wait := retryMin
	for {
		begun := time.Now()
		_ = f.follow() // what is wrong is seen again by who publishes
		if b.ctx.Err() != nil {
			return
		}
		b.up.Store(false)
		if wait *= 2; time.Since(begun) > retryMax {
			wait = retryMin
		}
		wait = min(wait, retryMax)
		select {
		case <-time.After(wait/2 + rand.N(wait)):
		case <-b.ctx.Done():
			return
		}
	}
}

// follow reads until something goes wrong.
func (f *follower) follow() error {
	f.rejoin()
	if f.last == nil || len(f.last) > mostNodes || time.Since(f.seen) > maxAge {
		if err := f.prime(); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(f.ctx, overdue)
	defer cancel()
	if err := f.send(ctx, item{}); err != nil { // a cursor at the end of nothing would be closed
		return err
	}
	f.up.Store(true)
	f.heard = time.Now()
	if !f.polled {
		err := f.tail()
		if code := (mongo.CommandError{}); !errors.As(err, &code) || code.HasErrorLabel("NetworkError") {
			return err
		}
		f.polled = refused(err)
		return err
	}
	return f.poll()
}

// refused tells whether the server has no tailable cursors, or the collection
// is not capped, rather than that it closed this one.
func refused(err error) bool {
	const badValue, notImplemented = 2, 238
	var code mongo.CommandError
	return errors.As(err, &code) && (code.Code == badValue || code.Code == notImplemented)
}

// prime learns all numbers that there are.
func (f *follower) prime() error {
	ctx, cancel := context.WithTimeout(f.ctx, maxAge)
	defer cancel()
	last := make(map[int64]int64)
	all, err := f.said.Find(ctx, bson.D{}, options.Find().SetProjection(bson.D{{Key: "n", Value: 1}, {Key: "s", Value: 1}}))
	if err != nil {
		return err
	}
	defer all.Close(ctx)
	for all.Next(ctx) {
		node, number := place(all.Current)
		last[node] = max(last[node], number)
	}
	if all.Err() != nil {
		return all.Err()
	}
	f.last, f.seen = last, time.Now()
	return nil
}

// news is a filter for what has not been seen.
func (f *follower) news() bson.D {
	known := make(bson.A, 0, len(f.last))
	ways := make(bson.A, 0, len(f.last)+1)
	for node, number := range f.last {
		known = append(known, node)
		ways = append(ways, bson.D{{Key: "n", Value: node}, {Key: "s", Value: bson.D{{Key: "$gt", Value: number}}}})
	}
	ways = append(ways, bson.D{{Key: "n", Value: bson.D{{Key: "$nin", Value: known}}}})
	return bson.D{{Key: "$or", Value: ways}}
}

func (f *follower) tail() error {
	opts := options.Find().SetCursorType(options.TailableAwait).SetMaxAwaitTime(await).SetBatchSize(1)
	cursor, err := f.said.Find(f.ctx, f.news(), opts)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(f.ctx), await)
		defer cancel()
		_ = cursor.Close(ctx) // the server may be gone, and forgets it by itself
	}()
	cursor.SetBatchSize(batchLen) // one at first: FerretDB closes a cursor whose first batch is not full
	for {
		if err := f.next(cursor); err != nil {
			return err
		}
	}
}

// next takes one document, or none within a second: a server that does not
// even say that there is none is gone.
func (f *follower) next(cursor *mongo.Cursor) error {
	ctx, cancel := context.WithTimeout(f.ctx, overdue)
	defer cancel()
	if cursor.TryNext(ctx) {
		return f.take(cursor.Current)
	}
	if cursor.Err() != nil {
		return cursor.Err()
	}
	if cursor.ID() == 0 {
		return io.ErrUnexpectedEOF // the server has closed it
	}
	return f.rest()
}

func (f *follower) poll() error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		if err := f.ask(); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-f.ctx.Done():
			return f.ctx.Err()
		}
	}
}

func (f *follower) ask() error {
	ctx, cancel := context.WithTimeout(f.ctx, overdue)
	defer cancel()
	cursor, err := f.said.Find(ctx, f.news(), options.Find().SetSort(bson.D{{Key: "$natural", Value: 1}}))
	if err != nil {
		return err
	}
	defer cursor.Close(ctx)
	for cursor.Next(ctx) {
		if err := f.take(cursor.Current); err != nil {
			return err
		}
	}
	if cursor.Err() != nil {
		return cursor.Err()
	}
	return f.rest()
}

// errStalled: FerretDB's cursors give nothing any more when the server is too
// busy to look through the collection in the time that it may wait.
var errStalled = errors.New("the cursor does not give what was written")

// rest is when there is nothing new. If that lasts, a marker shows whether
// there is not.
func (f *follower) rest() error {
	silence := time.Since(f.heard)
	if silence > 2*overdue && f.written.Load() > f.last[f.node] {
		return errStalled
	}
	f.seen = time.Now()
	f.up.Store(true)
	if silence > overdue || f.waiting() {
		f.mark() // one may have been lost
	}
	return nil
}
