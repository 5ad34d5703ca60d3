// Command multiserver runs one web app as many: it takes clients' connections
// and spreads their requests over the app's instances.
package main

import (
	"os"

	"multiserver/proxy/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:])) }
