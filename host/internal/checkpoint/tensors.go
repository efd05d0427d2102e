package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
)

// Tensors gives access to the tensors of a single file or of several with an index. It is safe for concurrent use until
// it is closed.
type Tensors struct {
	files   []*shard
	tensors map[string]stored
}

// stored says where a tensor lies: its bytes start at offset at of file.
type stored struct {
	file  *shard
	dtype string
	shape []int
	at    int64
}

// OpenTensors opens dir/<base>.safetensors or, where that does not exist, the files that
// dir/<base>.safetensors.index.json names. It reads their headers and checks that what these say lies within the files.
func OpenTensors(dir, base string) (*Tensors, error) {
	x := &Tensors{tensors: map[string]stored{}}
	err := x.add(filepath.Join(dir, singleName(base)))
	if errors.Is(err, fs.ErrNotExist) {
		err = x.addShards(dir, base)
	}
	if err != nil {
		return nil, fmt.Errorf("open tensors: %w", errors.Join(err, x.Close()))
	}
	return x, nil
}

func (x *Tensors) addShards(dir, base string) error {
	path := filepath.Join(dir, indexName(base))
	var idx index
	if err := readJSON(path, &idx, indexLimit); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("neither %s nor %s exists in %s: %w", singleName(base), indexName(base), dir, fs.ErrNotExist)
	} else if err != nil {
		return err
	}
	names := slices.Compact(slices.Sorted(maps.Values(idx.WeightMap)))
	for _, name := range names {
		if name != filepath.Base(name) || !filepath.IsLocal(name) {
			return fmt.Errorf("%s: %q is not the name of a file beside it", path, name)
		}
		if err := x.add(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return x.agrees(path, idx)
}

// agrees checks that the index and the headers name the same tensors in the same files.
func (x *Tensors) agrees(path string, idx index) error {
	for _, name := range slices.Sorted(maps.Keys(idx.WeightMap)) {
		if t, ok := x.tensors[name]; !ok || filepath.Base(t.file.Name()) != idx.WeightMap[name] {
			return fmt.Errorf("%s: tensor %q is not in %s", path, name, idx.WeightMap[name])
		}
	}
	for _, name := range x.Names() {
		if _, ok := idx.WeightMap[name]; !ok {
			return fmt.Errorf("%s: tensor %q is not listed", path, name)
		}
	}
	return nil
}

// add opens a file and enters its tensors.
func (x *Tensors) add(path string) error {
	f, size, err := openShard(path)
	if err != nil {
		return err
	}
	x.files = append(x.files, f)
	header, start, err := readHeader(f, size)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for name, e := range header {
		if _, ok := x.tensors[name]; ok {
			return fmt.Errorf("%s: tensor %q is in another file too", path, name)
		}
		x.tensors[name] = stored{f, e.DType, e.Shape, start + e.Offsets[0]}
	}
	return nil
}

// Names returns the names of the tensors, sorted.
func (x *Tensors) Names() []string { return slices.Sorted(maps.Keys(x.tensors)) }

// Shape returns the shape of a tensor, which the caller must not change; ok is false when there is no such tensor.
func (x *Tensors) Shape(name string) (shape []int, ok bool) {
	t, ok := x.tensors[name]
	return t.shape, ok
}

// Close closes the files.
func (x *Tensors) Close() error {
	var errs []error
	for _, f := range x.files {
		errs = append(errs, f.close())
	}
	return errors.Join(errs...)
}
