package server

import (
	"testing"

	"multiserver/proxy/wire/leak"
)

// The goroutine that ends fasthttp's idle workers looks up every ten seconds
// only, and sees then that it is to end itself; the one that keeps its date
// never ends.
func TestMain(m *testing.M) {
	leak.Main(m, "fasthttp.(*workerPool).Start", "fasthttp.updateServerDate")
}
