package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// AccessLog is what is written of each request, and where to.
type AccessLog struct {
	File    string   // a path, "-" for standard output; "": none
	Syslog  Address  // or there, network unix, udp or tcp; zero: not
	Local   string   // its facility, local0 to local7
	Form    string   // combined or json
	Fields  []string // in order; none: those of the form's own
	Sample  int      // one of so many requests that went well
	Secrets bool     // are written as they are
}

// On tells whether there is one.
func (l *AccessLog) On() bool { return l.File != "" || l.Syslog.Addr != "" }

var (
	logForms      = []string{"combined", "json"}
	logFacilities = []string{"local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"}
)

// logFields are those one can choose; a name follows where one ends in a colon.
// A test in package server holds them against package proxy.
var logFields = []string{"time", "client", "method", "scheme", "host", "uri", "protocol", "status", "bytes", "received", "referer",
	"agent", "route", "pool", "upstream", "tries", "cache", "duration", "wait", "reason", "id", "trace", "header:"}

const (
	syslogPrefix = "syslog+"
	defaultLocal = "local7" // as nginx has it
	mostSample   = 1 << 20
)

// logged is for settings that mean nothing without an access log.
func logged(v value) value { return shownIf(func(c *Config) bool { return c.AccessLog.On() }, v) }

var accessLog = value{
	read: func(c *Config, w string) error {
		if w == off {
			return nil
		}
		if rest, ok := strings.CutPrefix(w, syslogPrefix); ok {
			return c.AccessLog.parseSyslog(rest)
		}
		if strings.HasPrefix(w, "syslog:") {
			return errSyslog
		}
		c.AccessLog.File = w
		return checkLogPath(w)
	},
	show: func(c *Config) []string {
		l := &c.AccessLog
		switch {
		case l.Syslog.Network == "unix":
			return []string{syslogPrefix + l.Syslog.String() + ";facility=" + l.Local}
		case l.Syslog.Addr != "":
			return []string{syslogPrefix + l.Syslog.Network + "://" + l.Syslog.Addr + ";facility=" + l.Local}
		}
		return []string{orNothing(l.File, off)}
	},
}

var errSyslog = errors.New("no way to syslog, want syslog+unix:/dev/log, syslog+udp://host:514 or syslog+tcp://host:601")

func (l *AccessLog) parseSyslog(w string) (err error) {
	where, option, given := strings.Cut(w, ";")
	l.Local = defaultLocal
	if given {
		name, word, _ := strings.Cut(option, "=")
		if name != "facility" {
			return fmt.Errorf("unknown option %q, want facility=local0 to facility=local7", option)
		}
		if err := oneOf(logFacilities, word); err != nil {
			return fmt.Errorf("facility: %w", err)
		}
		l.Local = word
	}
	network, addr, ok := strings.Cut(where, "://")
	switch {
	case strings.HasPrefix(where, unixPrefix):
		l.Syslog, err = parseAddress(where)
	case ok && (network == "udp" || network == "tcp"):
		if !strings.Contains(addr, ":") {
			return fmt.Errorf("missing port, want syslog+%s://%s:514", network, addr)
		}
		l.Syslog, err = parseAddress(addr)
		l.Syslog.Network = network
		if err == nil && strings.HasPrefix(l.Syslog.Addr, ":") {
			err = errors.New("missing host, want one such as 127.0.0.1" + l.Syslog.Addr)
		}
	default:
		err = errSyslog
	}
	return err
}

// checkLogPath looks for what opening the file would trip over; the file
// itself need not exist yet.
func checkLogPath(path string) error {
	if path == "-" {
		return nil
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return fmt.Errorf("is a directory, want a file, such as %s", filepath.Join(path, "access.log"))
	}
	dir := filepath.Dir(path)
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("its directory: %w", fileError(err))
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a directory", dir)
	}
	return nil
}

var accessLogFields = logged(value{
	read: func(c *Config, w string) error {
		kind, name, named := strings.Cut(w, ":")
		if named {
			kind += ":"
		}
		if !slices.Contains(logFields, kind) {
			return fmt.Errorf("unknown, want some of %s", strings.Join(logFields, ", "))
		}
		if named {
			name, err := checkField(name)
			if err != nil {
				return err
			}
			w = kind + name
		}
		if slices.Contains(c.AccessLog.Fields, w) {
			return errors.New("given twice")
		}
		c.AccessLog.Fields = append(c.AccessLog.Fields, w)
		return nil
	},
	show: func(c *Config) []string { return c.AccessLog.Fields },
})

// checkAccessLog finds what was given in vain.
func (c *Config) checkAccessLog(add func(name, value, why string, args ...any), raw Raw) {
	if c.AccessLog.On() {
		return
	}
	c.AccessLog = AccessLog{}
	if _, given := raw["access-log"]; given {
		return // off for a while, or wrong by itself
	}
	for _, name := range []string{"access-log-format", "access-log-fields", "access-log-sample", "access-log-secrets"} {
		if _, given := raw[name]; given {
			add(name, "", "there is no access log, want --access-log FILE as well, or - for standard output")
		}
	}
}
