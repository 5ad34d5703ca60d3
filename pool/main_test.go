package pool

import (
	"testing"

	"multiserver/proxy/wire/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }
