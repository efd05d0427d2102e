// Package images holds the compiled kernels: one file per family, which is a source in the kernels' folder, and target.
// make kernels writes the files.
package images

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/klauspost/compress/zstd"
)

//go:embed *.zst
var files embed.FS

var decoder = sync.OnceValues(func() (*zstd.Decoder, error) { return zstd.NewReader(nil) })

// File is the name of an image's file.
func File(family string, t Target) string { return family + "." + t.Name + ".zst" }

// Find is the image of a family of kernels that a GPU of this compute capability runs: a cubin, or PTX that its driver
// compiles. Of compute capability 0 is the emulator, which has the kernels itself and takes anything for an image.
func Find(family string, major, minor int) ([]byte, error) {
	if major == 0 {
		return []byte(family), nil
	}
	t, err := For(major, minor)
	if err != nil {
		return nil, err
	}
	packed, err := files.ReadFile(File(family, t))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no image of the kernels %q for %s is built in: run make kernels", family, t.Name)
	} else if err != nil {
		return nil, err
	}
	d, err := decoder()
	if err != nil {
		return nil, err
	}
	image, err := d.DecodeAll(packed, nil)
	if err != nil {
		return nil, fmt.Errorf("unpack the kernels %s: %w", File(family, t), err)
	}
	return image, nil
}
