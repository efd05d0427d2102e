// Package durable writes files and directories so that what exists under its final name is whole: written beside, synced, renamed.
package durable

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Suffix marks what is not finished. A leftover of a killed process carries it and may be removed.
const Suffix = ".partial"

// WriteFile writes data under path.
func WriteFile(path string, data []byte) error {
	return Write(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// Write creates the file path with what fill writes. On any error path is as it was before.
func Write(path string, fill func(io.Writer) error) (err error) {
	beside := path + Suffix
	f, err := os.Create(beside)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("write %s: %w", path, errors.Join(err, os.Remove(beside)))
		}
	}()
	if err = errors.Join(fill(f), f.Sync(), f.Close()); err != nil {
		return err
	}
	return Rename(beside, path)
}

// Rename gives a file or directory, whose content is synced, its final name in the same directory.
func Rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return syncDir(filepath.Dir(to))
}

// Dir creates the directory path with what fill puts into the directory it is given; files in it must already be synced (Write).
// A directory that stands at path is replaced.
func Dir(path string, fill func(beside string) error) (err error) {
	beside := path + Suffix
	if err = errors.Join(os.RemoveAll(beside), os.MkdirAll(beside, 0o755)); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("write %s: %w", path, errors.Join(err, os.RemoveAll(beside)))
		}
	}()
	if err = errors.Join(fill(beside), syncDir(beside)); err != nil {
		return err
	}
	if err = os.RemoveAll(path); err != nil {
		return err
	}
	return Rename(beside, path)
}

// syncDir makes the directory's entries durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
