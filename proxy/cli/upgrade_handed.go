package cli

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"multiserver/proxy/server"
)

// handed is what this process was begun with, beside its command line.
type handed struct {
	server.Handed
	talk net.Conn // to the process that we are to replace; nil: there is none
}

// handedName is the variable by which a process tells the one that is to
// replace it what it is given.
const handedName = "MULTISERVER_HANDED"

// handedAs is that variable: descriptor 3 is the connection between both, and
// the sockets follow.
type handedAs struct {
	From    int            // the process
	Sockets []handedSocket // in the order of their descriptors
}

type handedSocket struct {
	Name string
	Made bool
}

const (
	firstFD   = 3 // sd_listen_fds(3)
	enterWait = 30 * time.Second
)

func handedLine(sockets []server.Socket) string {
	as := handedAs{From: os.Getpid()}
	for _, one := range sockets {
		as.Sockets = append(as.Sockets, handedSocket{one.Name, one.Made})
	}
	text, _ := json.Marshal(as) // of strings and bools
	return handedName + "=" + string(text)
}

// takeHanded reads what was handed to us, by a process of ours or by a service
// manager, and takes it out of the environment: it is not for those that we
// begin.
func takeHanded() (h handed, err error) {
	as, fds, pid, names := os.Getenv(handedName), os.Getenv("LISTEN_FDS"), os.Getenv("LISTEN_PID"), os.Getenv("LISTEN_FDNAMES")
	for _, name := range []string{handedName, "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"} {
		_ = os.Unsetenv(name)
	}
	switch {
	case as != "":
		return fromProcess(as)
	case fds != "" && pid == strconv.Itoa(os.Getpid()):
		return fromManager(fds, names)
	}
	return h, nil
}

// fromProcess ignores a variable that was meant for another process, as those
// that our successors begin would have it.
func fromProcess(text string) (h handed, err error) {
	var as handedAs
	if json.Unmarshal([]byte(text), &as) != nil || as.From != os.Getppid() {
		return h, nil
	}
	syscall.CloseOnExec(firstFD)
	f := os.NewFile(firstFD, "upgrade")
	defer f.Close()
	if h.talk, err = net.FileConn(f); err != nil {
		return h, err
	}
	h.Heir = true
	for i, one := range as.Sockets {
		fd := firstFD + 1 + i
		syscall.CloseOnExec(fd)
		h.Sockets = append(h.Sockets, server.Socket{Name: one.Name, Made: one.Made, FD: fd})
	}
	return h, nil
}

// fromManager is systemd's socket activation.
func fromManager(count, names string) (h handed, err error) {
	n, err := strconv.Atoi(count)
	if err != nil || n < 0 || n > 1<<10 {
		return h, errors.New("LISTEN_FDS=" + strconv.Quote(count) + ": not a number of sockets")
	}
	called := strings.Split(names, ":")
	for i := range n {
		one := server.Socket{Name: "unknown", FD: firstFD + i}
		if i < len(called) && called[i] != "" {
			one.Name = called[i]
		}
		syscall.CloseOnExec(one.FD)
		h.Sockets = append(h.Sockets, one)
	}
	return h, nil
}

// enter says that we are ready, and returns when the other process has left: by
// its word, and then that of what it has changed, or by its end.
func (h *handed) enter(s *server.Server) error {
	_ = h.talk.SetDeadline(time.Now().Add(enterWait))
	if _, err := io.WriteString(h.talk, wordReady+"\n"); err != nil {
		h.close()
		return nil // it has gone
	}
	said := bufio.NewReader(h.talk)
	line, err := said.ReadString('\n')
	if line == wordEnter+"\n" || err == io.EOF || errors.Is(err, syscall.ECONNRESET) {
		s.Inherit(h.talk, said)
		h.talk = nil
		return nil
	}
	h.close()
	return errors.New("the process that is to be replaced does not leave")
}

// fail tells the other process why there will be nobody to replace it.
func (h *handed) fail(why error) {
	if h.talk == nil {
		return
	}
	defer h.close()
	if why == nil {
		why = errors.New("it ended")
	}
	_ = h.talk.SetDeadline(time.Now().Add(time.Second))
	_, _ = io.WriteString(h.talk, wordFailed+strings.ReplaceAll(why.Error(), "\n", "; ")+"\n")
}

func (h *handed) close() {
	_ = h.talk.Close()
	h.talk = nil
}
