package spawn

import (
	"bytes"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

const countsMemory = true

// ourselves is this program, even if its file was replaced meanwhile.
func ourselves() string { return "/proc/self/exe" }

// dieWithParent has the kernel kill a child when the thread that began it ends.
func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }

// sweep kills what has a mark in the environment that it was started with, and
// returns those it found: grandchildren that left their group. A mark without
// a child's number is everybody's. It looks again until it finds nobody: one
// may fork while it looks.
func sweep(mark string) (found []int) {
	want := []byte("\x00" + markName + "=" + mark)
	for range 10 {
		some := false
		for _, pid := range processes() {
			if marked(pid, want) && pid != os.Getpid() {
				_ = syscall.Kill(pid, syscall.SIGKILL)
				if some = true; !slices.Contains(found, pid) {
					found = append(found, pid)
				}
			}
		}
		if !some {
			break
		}
	}
	return found
}

func marked(pid int, want []byte) bool {
	env, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil {
		return false
	}
	i := bytes.Index(append([]byte{0}, env...), want)
	return i >= 0 && (len(env) <= i+len(want)-1 || env[i+len(want)-1] == 0 || env[i+len(want)-1] == '.')
}

func processes() (pids []int) {
	d, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer d.Close()
	names, _ := d.Readdirnames(-1)
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// stat is what proc(5) has of a process: its group, its state and its memory in
// bytes. After the name in parentheses, which may hold anything, come the
// fields from the 3rd on; the group is the 5th, the resident set the 24th.
func stat(pid int) (group int, state byte, bytes_ int64, ok bool) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, 0, 0, false
	}
	f := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(f) < 22 {
		return 0, 0, 0, false
	}
	group, _ = strconv.Atoi(string(f[5-3]))
	pages, _ := strconv.ParseInt(string(f[24-3]), 10, 64)
	return group, f[0][0], pages * int64(os.Getpagesize()), true
}

// memory is what each group holds, in bytes. What several processes of one
// share counts for each.
func memory() map[int]int64 {
	held := make(map[int]int64)
	for _, pid := range processes() {
		if group, _, n, ok := stat(pid); ok {
			held[group] += n
		}
	}
	return held
}

// group is who is in one.
func group(id int) (pids []int) {
	for _, pid := range processes() {
		if g, state, _, ok := stat(pid); ok && g == id && state != 'Z' {
			pids = append(pids, pid)
		}
	}
	return pids
}

// listeners are the TCP addresses where these processes take connections, as
// far as we may know.
func listeners(pids []int) (addrs []string) {
	open := make(map[string]bool) // inodes of sockets
	for _, pid := range pids {
		dir := "/proc/" + strconv.Itoa(pid) + "/fd/"
		fds, _ := os.ReadDir(dir)
		for _, fd := range fds {
			to, _ := os.Readlink(dir + fd.Name())
			if inode, ok := strings.CutPrefix(to, "socket:["); ok {
				open[strings.TrimSuffix(inode, "]")] = true
			}
		}
	}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, _ := os.ReadFile(table)
		for line := range strings.Lines(string(text)) {
			f := strings.Fields(line)
			if len(f) < 10 || f[3] != "0A" || !open[f[9]] { // TCP_LISTEN
				continue
			}
			if a, ok := address(f[1]); ok && !slices.Contains(addrs, a) {
				addrs = append(addrs, a)
			}
		}
	}
	return addrs
}

// address reads 0100007F:1F90: words of the machine's byte order, in hex.
func address(s string) (string, bool) {
	host, port, _ := strings.Cut(s, ":")
	n, err := strconv.ParseUint(port, 16, 16)
	var b []byte
	for ; len(host) >= 8; host = host[8:] {
		word, bad := strconv.ParseUint(host[:8], 16, 32)
		if bad != nil {
			return "", false
		}
		b = append(b, byte(word), byte(word>>8), byte(word>>16), byte(word>>24))
	}
	ip, ok := netip.AddrFromSlice(b)
	if err != nil || !ok {
		return "", false
	}
	return net.JoinHostPort(ip.Unmap().String(), strconv.FormatUint(n, 10)), true
}
