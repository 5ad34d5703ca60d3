package sink

import (
	"io"
	"os"
	"sync/atomic"
)

// Sink takes whole lines.
type Sink interface {
	io.Writer      // of one goroutine
	Reopen() error // what was moved away is left, and lines go to a new one
	Close() error  // when nobody writes any more
}

// File is one that grows at its end. A rename does not keep lines from the old
// one; Reopen does.
type File struct {
	path string
	now  atomic.Pointer[os.File]
	next atomic.Pointer[os.File] // for the next Write; nil: now
}

// Append opens the file, which need not be there yet. Who reads logs reads
// who was here, and from where: it is not for all.
func Append(path string) (*File, error) {
	f := &File{path: path}
	file, err := f.open()
	if err != nil {
		return nil, err
	}
	f.now.Store(file)
	return f, nil
}

func (f *File) open() (*os.File, error) {
	return os.OpenFile(f.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
}

// Write appends lines, to the file that Reopen has opened if there is one.
func (f *File) Write(lines []byte) (int, error) {
	if next := f.next.Swap(nil); next != nil {
		_ = f.now.Swap(next).Close()
	}
	return f.now.Load().Write(lines)
}

// Reopen opens what the path leads to now. If that fails the old file is kept.
func (f *File) Reopen() error {
	file, err := f.open()
	if err != nil {
		return err
	}
	if unused := f.next.Swap(file); unused != nil {
		_ = unused.Close()
	}
	return nil
}

// Close closes the file.
func (f *File) Close() error {
	if next := f.next.Swap(nil); next != nil {
		_ = next.Close()
	}
	return f.now.Load().Close()
}

// Stdout is standard output, which is nobody's to close.
type Stdout struct{}

// Write writes to it.
func (Stdout) Write(lines []byte) (int, error) { return os.Stdout.Write(lines) }

// Reopen does nothing.
func (Stdout) Reopen() error { return nil }

// Close does nothing.
func (Stdout) Close() error { return nil }
