package redistest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"multiserver/sync/daemon"
)

// Set is several servers that belong together.
type Set struct {
	URL       string    // for cache/redis
	Masters   []*Server // at the start: failovers change who is one
	Replicas  []*Server // of the master of the same index
	Sentinels []*Server
}

// Stop stops all of them.
func (s *Set) Stop() {
	for _, group := range [][]*Server{s.Sentinels, s.Replicas, s.Masters} {
		for _, server := range group {
			server.Stop()
		}
	}
}

// StartSentinel starts a master, its replica, and three sentinels which take
// the master for dead after half a second.
func StartSentinel(dir string) (s *Set, err error) {
	s = new(Set)
	defer func() {
		if err != nil {
			s.Stop()
		}
	}()
	if err = s.add(&s.Masters, dir); err != nil {
		return s, err
	}
	master := s.Masters[0]
	if err = s.add(&s.Replicas, dir, "--replicaof", "127.0.0.1 "+strconv.Itoa(master.port)); err != nil {
		return s, err
	}
	if err = linked(s.Replicas); err != nil {
		return s, err
	}
	var addrs []string
	for range 3 {
		sentinel, err := startSentinel(dir, master)
		if err != nil {
			return s, err
		}
		s.Sentinels = append(s.Sentinels, sentinel)
		addrs = append(addrs, sentinel.Addr)
	}
	s.URL = "redis-sentinel://" + strings.Join(addrs, ",") + "?master=main"
	return s, until("sentinels know each other and the replica", func() bool {
		return all(s.Sentinels, func(one *Server) bool {
			about, _ := one.Do("SENTINEL", "MASTER", "main")
			return has(about, "num-slaves", "1") && has(about, "num-other-sentinels", "2")
		})
	})
}

func startSentinel(dir string, master *Server) (*Server, error) {
	return start(func(port int) ([]string, error) {
		file := filepath.Join(dir, strconv.Itoa(port)+".conf")
		config := fmt.Sprintf("port %d\nbind 127.0.0.1\ndir %s\nlogfile %s.log\n"+
			"sentinel monitor main 127.0.0.1 %d 2\nsentinel down-after-milliseconds main 500\n"+
			"sentinel failover-timeout main 3000\n", port, dir, file, master.port)
		return []string{file, "--sentinel"}, os.WriteFile(file, []byte(config), 0o600) // it writes there, too
	})
}

// StartCluster starts three masters and a replica of each. A node is taken for
// dead after a second.
func StartCluster(dir string) (s *Set, err error) {
	s = new(Set)
	defer func() {
		if err != nil {
			s.Stop()
		}
	}()
	for i := range 6 {
		bus, err := daemon.Port()
		if err != nil {
			return s, err
		}
		group := &s.Masters
		if i >= 3 {
			group = &s.Replicas
		}
		// A replica that has got nothing yet is not shown: pings count.
		if err = s.add(group, dir, "--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--repl-ping-replica-period", "1",
			"--cluster-port", strconv.Itoa(bus), "--cluster-config-file", fmt.Sprintf("nodes-%d.conf", i)); err != nil {
			return s, err
		}
	}
	if err = s.join(); err != nil {
		return s, err
	}
	s.URL = "redis-cluster://" + s.Masters[0].Addr + "," + s.Masters[1].Addr + "," + s.Masters[2].Addr
	return s, linked(s.Replicas)
}

// join makes a cluster of nodes that do not know each other.
func (s *Set) join() error {
	nodes := append(append([]*Server(nil), s.Masters...), s.Replicas...)
	for i, m := range s.Masters {
		_, err := m.Do("CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(i*16384/3), strconv.Itoa((i+1)*16384/3-1))
		if err == nil { // two of one epoch would have to sort that out first
			_, err = m.Do("CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i+1))
		}
		if err != nil {
			return err
		}
	}
	if err := acquaint(nodes); err != nil {
		return err
	}
	for i, n := range s.Replicas {
		id, err := s.Masters[i].Do("CLUSTER", "MYID")
		if err != nil {
			return err
		}
		if err := until("a replica knows its master", func() bool {
			_, err := n.Do("CLUSTER", "REPLICATE", id)
			return err == nil
		}); err != nil {
			return err
		}
	}
	return until("the cluster is whole", func() bool {
		return all(nodes, func(n *Server) bool {
			info, _ := n.Do("CLUSTER", "INFO")
			known, _ := n.Do("CLUSTER", "SLOTS")
			return strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_known_nodes:6") &&
				all(nodes, func(other *Server) bool { return strings.Contains(known, strconv.Itoa(other.port)) })
		})
	})
}

// acquaint has each node meet all: by hearsay they take seconds. A node gives up
// a meeting that takes longer than --cluster-node-timeout, and so is told again.
func acquaint(nodes []*Server) error {
	met := func(n, m *Server) bool {
		known, _ := n.Do("CLUSTER", "NODES")
		for line := range strings.Lines(known) {
			if strings.Contains(line, ":"+strconv.Itoa(m.port)+"@") {
				return !strings.Contains(line, "handshake")
			}
		}
		bus := m.Args[at(m.Args, "--cluster-port")+1]
		_, _ = n.Do("CLUSTER", "MEET", "127.0.0.1", strconv.Itoa(m.port), bus)
		return false
	}
	return until("the nodes know each other", func() bool {
		all := true
		for i, n := range nodes {
			for _, m := range nodes[i+1:] {
				all = met(n, m) && met(m, n) && all
			}
		}
		return all
	})
}

func (s *Set) add(group *[]*Server, dir string, args ...string) error {
	server, err := Start(dir, args...)
	if err == nil {
		*group = append(*group, server)
	}
	return err
}

// linked waits until replicas follow: without that no failover happens.
func linked(replicas []*Server) error {
	return until("replicas follow", func() bool {
		return all(replicas, func(r *Server) bool {
			info, _ := r.Do("INFO", "replication")
			return strings.Contains(info, "master_link_status:up")
		})
	})
}

func until(what string, f func() bool) error {
	for end := time.Now().Add(daemon.Patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if f() {
			return nil
		}
	}
	return errors.New("did not come about: " + what)
}

func all(servers []*Server, f func(*Server) bool) bool {
	for _, s := range servers {
		if !f(s) {
			return false
		}
	}
	return true
}

func at(words []string, word string) int {
	for i, w := range words {
		if w == word {
			return i
		}
	}
	return -1
}

// has looks for a name and its value in what SENTINEL MASTER says.
func has(about, name, value string) bool {
	return strings.Contains("\n"+about+"\n", "\n"+name+"\n"+value+"\n")
}
