//go:build linux

package spawn

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"multiserver/proxy/wire/leak"
)

// The apps of these tests are this program, called with "app" and what it is to
// do wrong.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "app" {
		run(os.Args[2], os.Args[3:])
		os.Exit(0)
	}
	// They mostly wait, for processes and for time. A -parallel on the command line
	// still wins, because it is parsed after this.
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	leak.Main(m)
}

func run(kind string, args []string) {
	switch kind {
	case "serve":
		serve(tcp(os.Getenv("PORT")))
	case "argument":
		serve(tcp(args[0]))
	case "socket":
		serve(listen("unix", os.Getenv("MULTISERVER_SOCKET")))
	case "localhost6":
		serve(listen("tcp", "[::1]:"+os.Getenv("PORT")))
	case "handed":
		if os.Getenv("LISTEN_FDS") != "1" || os.Getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) {
			fmt.Fprintln(os.Stderr, "fatal: no listener for me")
			os.Exit(1)
		}
		ln, err := net.FileListener(os.NewFile(3, "listener"))
		must(err)
		serve(ln)
	case "released": // by a file's word
		if text, _ := os.ReadFile(args[0]); strings.TrimSpace(string(text)) == "bad" {
			fmt.Fprintln(os.Stderr, "SyntaxError: unexpected token")
			os.Exit(1)
		}
		serve(tcp(os.Getenv("PORT")))
	case "exit":
		fmt.Fprintln(os.Stderr, "Error: cannot find module 'left-pad'\n    at somewhere:1")
		code, _ := strconv.Atoi(args[0])
		os.Exit(code)
	case "mute":
		time.Sleep(time.Hour)
	case "elsewhere":
		serve(listen("tcp", "127.0.0.1:0"))
	case "sick":
		must(http.Serve(tcp(os.Getenv("PORT")), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(500) })))
	case "leaves":
		begin(&syscall.SysProcAttr{Setsid: true}, "serve")
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
		must(http.Serve(tcp(os.Getenv("PORT")), nil))
	case "floods":
		line := strings.Repeat("x", 20000) + "\n"
		for range 200 {
			io.WriteString(os.Stdout, line)
		}
		for range 5000 {
			fmt.Println("noise")
		}
		fmt.Fprint(os.Stderr, "without an end")
		serve(tcp(os.Getenv("PORT")))
	case "parent": // of one in its group and one that left it
		begin(nil, "mute")
		begin(&syscall.SysProcAttr{Setsid: true}, "mute")
		serve(tcp(os.Getenv("PORT")))
	case "supervisor":
		a, err := New(Options{Command: []string{os.Args[0], "app", "parent"}, Instances: 2})
		must(err)
		fmt.Println(a.mark, a.dir)
		a.Run(context.Background(), noPool)
	}
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "fatal:", err)
		os.Exit(1)
	}
}

func tcp(port string) net.Listener { return listen("tcp", "127.0.0.1:"+port) }

func listen(network, addr string) net.Listener {
	ln, err := net.Listen(network, addr)
	must(err)
	return ln
}

func begin(attr *syscall.SysProcAttr, kind string) {
	cmd := exec.Command(os.Args[0], "app", kind)
	cmd.SysProcAttr = attr
	must(cmd.Start())
}

var eaten []byte

// touch makes memory real. The race detector would take as much again for it.
//
//go:norace
func touch(b []byte) {
	for i := 0; i < len(b); i += 4096 {
		b[i] = 1
	}
}

// serve answers until SIGTERM, and then lets requests end.
func serve(ln net.Listener) {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %d", os.Getenv("MULTISERVER_INSTANCE"), os.Getpid())
	})
	mux.HandleFunc("/env", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, strings.Join(os.Environ(), "\n"))
	})
	mux.HandleFunc("/files", func(w http.ResponseWriter, r *http.Request) {
		all, _ := os.ReadDir("/proc/self/fd")
		for _, f := range all {
			to, _ := os.Readlink("/proc/self/fd/" + f.Name())
			fmt.Fprintln(w, f.Name(), to)
		}
	})
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "begun\n")
		w.(http.Flusher).Flush()
		for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			if _, err := os.Stat(r.URL.Query().Get("until")); err == nil {
				break
			}
		}
		io.WriteString(w, "done\n")
	})
	mux.HandleFunc("/crash", func(w http.ResponseWriter, r *http.Request) { os.Exit(7) })
	mux.HandleFunc("/eat", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("bytes"))
		eaten = make([]byte, n)
		touch(eaten)
	})
	srv := &http.Server{Handler: mux}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGUSR1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		fmt.Println("told to stop:", <-stop)
		srv.Shutdown(context.Background())
	}()
	if err := srv.Serve(ln); err == http.ErrServerClosed {
		<-done
	}
}
