package memory

import (
	"os"

	"golang.org/x/sys/unix"
)

// newFile is one in memory that nobody else can open.
func newFile() (*os.File, error) {
	fd, err := unix.MemfdCreate("body", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "body"), nil
}
