package mongo

import (
	"context"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"multiserver/sync/hub"
)

const (
	queueLen   = 1024
	batchLen   = 128     // messages written together
	batchBytes = 4 << 20 // and their bytes; a message of MongoDB's has 48 MB

	namespaceExists = 48
)

// item is one message on its way to the server.
type item struct {
	ctx     context.Context // of who waits
	channel string          // "": a marker
	msg     []byte
	id      hub.ID
	done    chan error // takes one without waiting
}

// Publish is hub.Broker's.
func (b *Broker) Publish(ctx context.Context, channel string, msg []byte, keep hub.History) (id hub.ID, err error) {
	ctx, cancel := b.within(ctx)
	defer cancel()
	if keep.Kept() {
		if id, err = b.keep(ctx, channel, msg, keep); err != nil {
			return hub.ID{}, err
		}
	}
	copied := append([]byte(nil), msg...) // the writer may be at it when we have given up
	return id, b.send(ctx, item{channel: channel, msg: copied, id: id})
}

func (b *Broker) send(ctx context.Context, it item) error {
	it.ctx, it.done = ctx, make(chan error, 1)
	select {
	case b.queue <- it:
	case <-ctx.Done():
		return fmt.Errorf("mongodb: the queue is full: %w", ctx.Err())
	case <-b.ctx.Done():
		return errClosed
	}
	select {
	case err := <-it.done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("mongodb: %w", ctx.Err())
	case <-b.ctx.Done():
		return errClosed
	}
}

// write is the only goroutine that inserts, so that numbers come in order.
func (b *Broker) write() {
	w := writer{Broker: b}
	for {
		select {
		case <-b.ctx.Done():
			return
		case <-b.kick:
			w.batch = append(w.batch, item{ctx: b.ctx})
		case it := <-b.queue:
			w.batch = append(w.batch, it)
		}
		w.gather()
		w.flush()
	}
}

// writer is the writing goroutine's own.
type writer struct {
	*Broker
	number  int64 // of the last document
	created bool
	batch   []item
}

// gather adds what waits already.
func (w *writer) gather() {
	bytes := 0
	for len(w.batch) < batchLen && bytes < batchBytes {
		select {
		case it := <-w.queue:
			w.batch = append(w.batch, it)
			bytes += len(it.msg)
		default:
			return
		}
	}
}

func (w *writer) flush() {
	docs := make([]any, 0, len(w.batch))
	for _, it := range w.batch {
		if it.ctx.Err() == nil { // else nobody waits for it
			w.number++
			docs = append(docs, w.document(it))
		}
	}
	var err error
	if len(docs) > 0 {
		err = w.insert(docs)
	}
	for i, it := range w.batch {
		if it.done != nil {
			it.done <- err
		}
		w.batch[i] = item{}
	}
	w.batch = w.batch[:0]
}

func (w *writer) insert(docs []any) error {
	ctx, cancel := context.WithTimeout(w.ctx, w.timeout)
	defer cancel()
	err := w.create(ctx)
	if err == nil {
		_, err = w.said.InsertMany(ctx, docs)
	}
	if err != nil {
		w.created = false // the next server may know nothing of it
		w.up.Store(false)
		w.Stats.Failed.Add(1)
		return fmt.Errorf("mongodb: %w", err)
	}
	w.written.Store(w.number)
	return nil
}

// create makes sure that the collection is capped: an insert would make one
// that is not.
func (w *writer) create(ctx context.Context) error {
	if w.created {
		return nil
	}
	err := w.said.Database().CreateCollection(ctx, w.said.Name(), options.CreateCollection().SetCapped(true).SetSizeInBytes(w.size))
	if code := (mongo.CommandError{}); errors.As(err, &code) && code.Code == namespaceExists {
		err = nil
	}
	w.created = err == nil
	return err
}

// document is
//
//	{n: node, s: number, g: marker} or {n, s, c: channel, m: message, e: epoch, o: offset}
func (w *writer) document(it item) bson.D {
	doc := bson.D{{Key: "n", Value: w.node}, {Key: "s", Value: w.number}}
	if it.channel == "" {
		w.mu.Lock()
		w.marker++
		doc = append(doc, bson.E{Key: "g", Value: w.marker})
		w.mu.Unlock()
		return doc
	}
	doc = append(doc, bson.E{Key: "c", Value: binary(it.channel)}, bson.E{Key: "m", Value: bson.Binary{Data: it.msg}})
	if it.id != (hub.ID{}) {
		doc = append(doc, bson.E{Key: "e", Value: int64(it.id.Epoch)}, bson.E{Key: "o", Value: int64(it.id.Offset)})
	}
	return doc
}

// binary: names of channels need not be UTF-8, as a string must.
func binary(name string) bson.Binary { return bson.Binary{Data: []byte(name)} }
