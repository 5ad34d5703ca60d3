package cache

import (
	"reflect"
	"slices"
	"time"

	"multiserver/cache/key"
	"multiserver/cache/rule"
)

// Terms are what views of one Cache have of their own: what they keep, and for
// how long. What is kept lies in one store, with one bound on its size, and is
// purged and dropped for all of them.
type Terms struct {
	Rules  rule.Rules
	Keys   key.Rules
	Filter key.Filter
	Vary   []byte // names that every answer varies by, as rule.AppendNames gives them

	Object int64         // bytes of a body that are stored
	Wait   time.Duration // for another's fetch of the same
	Grace  time.Duration // see Options

	// Apart keeps answers from those that other views find for the same URL, but
	// for views with the same word. It begins with a space, which no key has.
	Apart string
	// Off: nothing is found or stored. What requests change is dropped all the
	// same, for the others.
	Off bool
}

// Terms are those of c.
func (c *Cache) Terms() Terms { return c.by }

// With is a view of c by other terms. Purges and changes speak of it once Know
// has it.
func (c *Cache) With(t Terms) *Cache { return &Cache{c.common, t} }

// spelling is one way in which views name targets, and what keeps some of them
// apart; the first one is "".
type spelling struct {
	keys  key.Rules
	apart []string
}

// Know names the views that are in use from here on, beside c. A request that
// changes something costs a drop for each pair of Keys and Apart that differ
// among them, a purge of a URL a mark for each of Keys.
func (c *Cache) Know(views []*Cache) {
	all := []spelling{{keys: c.by.Keys, apart: []string{""}}}
	for _, v := range views {
		i := slices.IndexFunc(all, func(s spelling) bool { return reflect.DeepEqual(s.keys, v.by.Keys) })
		if i < 0 {
			i, all = len(all), append(all, spelling{keys: v.by.Keys, apart: []string{""}})
		}
		if s := &all[i]; !slices.Contains(s.apart, v.by.Apart) {
			s.apart = append(s.apart, v.by.Apart)
		}
	}
	c.spellings.Store(&all)
}
