package filter

import (
	"fmt"
	"log/slog"
	"strings"

	"multiserver/proxy"
)

// Row is a filter as operators know it.
type Row struct {
	Name  string // as in the file
	Usage string // its options, in a line
	New   func(o Options) (proxy.Filter, error)
}

// Options are what a filter is made from.
type Options struct {
	// Decode reads what the operator wrote into a struct with yaml tags. Keys
	// that it does not have are errors.
	Decode func(into any) error
	// Secret is an error where everybody can read that option. nil: nobody looks.
	Secret func(option string) error
	// Key tells this filter from all others, the same on all nodes.
	Key string
	Log *slog.Logger
	// Shared is where filters of all nodes meet. nil: nowhere. It may return nil
	// where the filter is made only to see whether it can be.
	Shared func() (*Shared, error)
}

// Rows is the table.
var Rows = []Row{
	{"request-headers", "set: {Name: value}, add: {Name: value}, remove: [Name, X-Internal-*]", newAskHeaders},
	{"response-headers", "set: {Name: value}, add: {Name: value}, remove: [Name, X-Internal-*]", newTellHeaders},
	{"strip-prefix", "prefix: /api", newStripPrefix},
	{"add-prefix", "prefix: /v2", newAddPrefix},
	{"rewrite", "match: ^/old/(.*)$, to: /new/$1", newRewrite},
	{"redirect", "to: https://example.org{uri}, status: 308", newRedirect},
	{"access", "allow: [10.0.0.0/8], deny: [10.0.0.13]", newAccess},
	{"basic-auth", "users: {name: bcrypt hash}, file: htpasswd, realm: text", newBasic},
	{"cors", "origins: [https://app.example.org], methods, headers, expose, credentials, max-age", newCORS},
	{"compress", "types: [text/*, application/json], min-size: 1KiB, codings: [zstd, br, gzip]", newCompress},
	{"buffer-request", "size: 1MiB", newHold},
	{"rate-limit", "rate: 10/s, burst: 20, by: client, shared: true, on-error: local, timeout: 100ms", newRate},
}

// Find is the row of that name; nil: there is none.
func Find(name string) *Row {
	for i := range Rows {
		if Rows[i].Name == name {
			return &Rows[i]
		}
	}
	return nil
}

// New makes the filter of that name. The error says what is wrong, and how it
// would be right.
func New(name string, o Options) (proxy.Filter, error) {
	r := Find(name)
	if r == nil {
		return nil, fmt.Errorf("no filter %q, want one of %s", name, strings.Join(Names(), ", "))
	}
	f, err := r.New(o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

// Names are those of the table, in its order.
func Names() (names []string) {
	for i := range Rows {
		names = append(names, Rows[i].Name)
	}
	return names
}
