//go:build !linux

package memory

import (
	"errors"
	"os"
)

func newFile() (*os.File, error) { return nil, errors.ErrUnsupported }
