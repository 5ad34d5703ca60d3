package spawn

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"multiserver/pool"
)

// Options say what is run, and how.
type Options struct {
	Name    string   // of the app, in logs, metrics and its members' names; "": app
	Command []string // with {port}, {socket} and {instance} to be filled in
	Dir     string   // where it runs; "": where we do
	User    string   // a name or a number; "": ours

	Instances int // at first; at least 1
	Surge     int // how many may be replaced at once; 0: 1

	Socket bool // it is given a Unix socket and no port
	Handed bool // it is given a listener (LISTEN_FDS), and is ready once it answers a request

	Path         string        // asked for by GET before it is ready; "": taking a connection is enough
	ReadyTimeout time.Duration // to get ready; 0: 30 s

	Drain       time.Duration  // for the requests of one that is to stop, before it is told
	StopSignal  syscall.Signal // by which it is told; 0: SIGTERM
	StopTimeout time.Duration  // to end, once told; 0: 10 s

	MaxMemory   int64         // bytes that it and its children hold, beyond which it is replaced; 0: no limit
	MaxAge      time.Duration // after which it is replaced; 0: no limit
	MaxRequests uint64        // after which it is replaced; 0: no limit

	Watch []string // patterns of files whose change rolls it
	Hook  string   // told of events: an http(s) URL, or a command for sh; "": none

	Each pool.Target // what all members have in common; Name, Network, Addr and Host are filled in

	Events *Events      // where events go; nil: an Events of its own
	Log    *slog.Logger // nil: slog.Default()
}

// MaxInstances bounds an app: beyond is a typing error.
const MaxInstances = 1024

func (o *Options) fill() {
	o.Name = cmp.Or(o.Name, "app")
	o.Surge = max(o.Surge, 1)
	o.ReadyTimeout = cmp.Or(o.ReadyTimeout, 30*time.Second)
	o.StopTimeout = cmp.Or(o.StopTimeout, 10*time.Second)
	o.StopSignal = cmp.Or(o.StopSignal, syscall.SIGTERM)
	o.Log = cmp.Or(o.Log, slog.Default())
	if o.Events == nil {
		o.Events = new(Events)
	}
}

// check looks for what every start would trip over.
func (o *Options) check() error {
	if len(o.Command) == 0 {
		return errors.New("no command")
	}
	if err := checkCount(o.Instances); err != nil {
		return err
	}
	if o.MaxMemory > 0 && !countsMemory {
		return errors.New("a limit of memory needs Linux")
	}
	if o.Handed && !handsOver {
		return errors.New("handing over a listener needs a Unix")
	}
	if o.Dir != "" {
		if info, err := os.Stat(o.Dir); err != nil {
			return fmt.Errorf("directory %q: %w", o.Dir, cause(err))
		} else if !info.IsDir() {
			return fmt.Errorf("directory %q: is a file", o.Dir)
		}
	}
	_, err := compile(o.Watch)
	return err
}

// ErrCount is that of a number of instances that cannot be.
var ErrCount = errors.New("instances")

func checkCount(n int) error {
	if n < 1 || n > MaxInstances {
		return fmt.Errorf("%w: %d, want 1 to %d", ErrCount, n, MaxInstances)
	}
	return nil
}

// program finds the file of a command: as a shell would, but for a path that is
// relative, which is so to dir.
func program(name, dir string) (string, error) {
	fail := func(why string) (string, error) { return "", fmt.Errorf("command %q: %s", name, why) }
	if name == "" {
		return fail("empty")
	}
	if filepath.Base(name) == name {
		path, err := exec.LookPath(name)
		if err == nil {
			return filepath.Abs(path)
		}
		if _, here := os.Stat(filepath.Join(dir, name)); here == nil {
			return fail("not found in PATH; for the file of that name want ./" + name)
		}
		return fail("not found in PATH; check its spelling, or give its path")
	}
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return fail(cause(err).Error())
	case info.IsDir():
		return fail("is a directory")
	case !executable(info):
		return fail("not executable; chmod +x it, or name what runs it" + runner(name))
	}
	return filepath.Abs(path)
}

// runner is what runs files of that kind.
func runner(name string) string {
	for kind, by := range map[string]string{".js": "node", ".mjs": "node", ".ts": "node", ".py": "python3", ".rb": "ruby", ".sh": "sh", ".php": "php"} {
		if filepath.Ext(name) == kind {
			return ", as in " + by + " " + name
		}
	}
	return ""
}

// owner is who children run as.
type owner struct {
	uid, gid uint32
	groups   []uint32
	home     string
	name     string
}

// lookup finds a user by name or number. Only root can become another.
func lookup(name string) (*owner, error) {
	if name == "" {
		return nil, nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		if u, err = user.LookupId(name); err != nil {
			return nil, fmt.Errorf("user %q: there is none of that name here", name)
		}
	}
	if me := os.Getuid(); me != 0 && strconv.Itoa(me) != u.Uid {
		return nil, fmt.Errorf("user %q: only root can run children as somebody else", name)
	}
	uid, _ := strconv.ParseUint(u.Uid, 10, 32)
	gid, _ := strconv.ParseUint(u.Gid, 10, 32)
	o := &owner{uid: uint32(uid), gid: uint32(gid), home: u.HomeDir, name: u.Username}
	ids, _ := u.GroupIds()
	for _, id := range ids {
		if n, err := strconv.ParseUint(id, 10, 32); err == nil {
			o.groups = append(o.groups, uint32(n))
		}
	}
	return o, nil
}

// cause is what is wrong with a path that the message names already.
func cause(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
