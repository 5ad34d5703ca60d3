package config

import (
	"slices"
	"time"
)

// Setting is a row of the table: one thing an operator can decide.
type Setting struct {
	Name    string   // as in --name, without the dashes
	Group   string   // the heading it stands under in the help
	Arg     string   // what stands for its value in the help; "": a switch
	Default string   // as the operator would write it; "": none
	Many    bool     // may be given several times, or once with commas
	Secret  bool     // its value is never printed
	Choices []string // the words it takes, when it takes only those; a name follows where one ends in a colon
	Usage   string

	value
}

// value is how a setting's words come into a Config and out of it again.
type value struct {
	read func(c *Config, word string) error // once for each word
	show func(c *Config) []string           // words that read takes
	veil func(c *Config) string             // with Secret: what may be seen of it; nil: nothing
}

// Switch says whether the setting stands alone, without a value.
func (s *Setting) Switch() bool { return s.Arg == "" }

// Env is the environment variable that gives the setting when its flag does
// not: MULTISERVER_IDLE_TIMEOUT for --idle-timeout.
func (s *Setting) Env() string { return envName(s.Name) }

// The groups, in the order of the help.
const (
	groupTraffic = "Traffic"
	groupSpawn   = "The app's processes"
	groupTLS     = "TLS"
	groupBalance = "Balancing"
	groupTime    = "Timeouts"
	groupLimits  = "Limits"
	groupHealth  = "Health of upstreams"
	groupConns   = "Connections to upstreams"
	groupCache   = "Cache"
	groupHub     = "Hub"
	groupSession = "Sessions"
	groupHeaders = "Headers"
	groupOperate = "Operation"
)

const (
	day      = 24 * time.Hour
	longest  = 366 * day // beyond, a typing error; and deadlines would overflow
	shortest = time.Millisecond

	checkEvery = 5 * time.Second // with a path, unless --health-interval says otherwise
	mostChecks = 1000            // in a row; beyond, a typing error

	mostRetries = 3 // package pool remembers as many upstreams as a request has met
)

// Settings is the table, in the order of the help. The rows of a group stand
// together, in the file of what they are about.
var Settings = slices.Concat(
	trafficRows,
	spawnRows,
	tlsRows,
	balanceRows,
	timeRows,
	limitRows,
	healthRows,
	connRows,
	cacheRows,
	hubRows,
	sessionRows,
	headerRows,
	operateRows,
)

// The words for "nothing", which beat a value from the environment.
const (
	off  = "off"
	none = "none"
)
