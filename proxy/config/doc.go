// Package config turns what the operator wrote into a checked, immutable
// Config, or into the list of everything that is wrong with it.
//
// It hides how values are written: sizes, durations, addresses, upstream
// URLs, their defaults and their bounds. One table (Settings) has a row for
// each; the command line's flags, the environment's variables, the help, the
// effective configuration that `check` prints and the tests all come from it,
// so a new setting is one row and a field of Config.
//
// The same rows are the keys of a YAML file, which besides has pools and routes.
// Each has a Config of its own: the top's, read anew with its own words in front,
// of those rows whose Scope allows it. So whoever builds a pool or a route needs
// to know nothing of where its settings were said; and without a file there is
// one of each. What routes match is for package route to judge.
//
// The command line calls it once at start. It is pure: it opens no socket and
// resolves no name; it only looks whether the files it is pointed to exist.
//
// It promises that a Config it returns has every default filled in and every
// bound kept; that all mistakes come at once, each on a line that names the
// place, the value and the way out; that no line ever shows a secret; and
// that what Lines and YAML print, parsed again, gives the same Config but for
// them and the options of filters. A file of 10,000 routes takes 0.3 s.
//
//   - config.go, route.go: what comes of it
//   - settings.go, scope.go: the table, its rows in settings_….go; value.go and many
//     others: its kinds of value
//   - parse.go, together.go: words into values, and what they mean together
//   - session.go, session_check.go: sessions, and what is in vain without them
//   - file.go, node.go: the file, its nodes and their places
//   - section.go, read_route.go, split.go, filter.go: what stands in it
//   - group.go: pools and routes of that
//   - lines.go, yaml.go, explain.go, schema.go: out again, for people and editors
package config
