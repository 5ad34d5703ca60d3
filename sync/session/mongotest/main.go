package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"

	"github.com/FerretDB/FerretDB/ferretdb"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:27017", "where clients connect")
	dir := flag.String("dir", "", "where the data is kept")
	flag.Parse()
	if err := serve(*listen, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "mongotest:", err)
		os.Exit(1)
	}
}

// serve ends only with an error.
func serve(listen, dir string) error {
	if dir == "" {
		return errors.New("-dir is missing: data in memory has one connection, and a tailable cursor would hold it")
	}
	inner := filepath.Join(dir, "s")
	if err := os.Remove(inner); err != nil && !os.IsNotExist(err) { // of one that was killed
		return err
	}
	db, err := ferretdb.New(&ferretdb.Config{
		Listener: ferretdb.ListenerConfig{Unix: inner},
		Logger:   slog.New(slog.NewTextHandler(io.Discard, nil)),
		Handler:  "sqlite",
		// A process that is killed loses nothing without the disk having been waited for.
		SQLiteURL: "file:" + dir + "/?_pragma=synchronous(0)",
	})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	go db.Run(context.Background())
	return (&proxy{inner: inner}).serve(l)
}
