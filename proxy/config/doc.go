// Package config turns what the operator wrote into a checked, immutable
// Config, or into the list of everything that is wrong with it.
//
// It hides how values are written: sizes, durations, addresses, upstream
// URLs, their defaults and their bounds. One table (Settings) has a row for
// each; the command line's flags, the environment's variables, the help, the
// effective configuration that `check` prints and the tests all come from it,
// so a new setting is one row and a field of Config.
//
// The command line calls it once at start. It is pure: it opens no socket and
// resolves no name; it only looks whether the files it is pointed to exist.
//
// It promises that a Config it returns has every default filled in and every
// bound kept; that all mistakes come at once, each on a line that names the
// place, the value and the way out; that no line ever shows a secret; and
// that what Lines prints, parsed again, gives the same Config but for them.
package config
