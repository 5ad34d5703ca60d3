package main

import (
	"context"

	"github.com/FerretDB/FerretDB/ferretdb"
)

func main() {
	f, err := ferretdb.New(&ferretdb.Config{Listener: ferretdb.ListenerConfig{TCP: "127.0.0.1:0"}, Handler: "sqlite", SQLiteURL: "file:/tmp/x/"})
	if err != nil {
		panic(err)
	}
	f.Run(context.Background())
}
