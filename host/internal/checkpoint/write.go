package checkpoint

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"

	"github.com/carebot-llm/carebot/host/internal/durable"
)

// A Tensor is a named array, its Data in row-major order. A shape without dimensions is a scalar. DType is what it is
// stored in, F32, F16 or BF16; empty is F32. Raw, where it is not nil, is stored as it is in place of Data, as values of
// any type of the format.
type Tensor struct {
	Name  string
	Shape []int
	Data  []float32
	DType string
	Raw   []byte
}

// index is the content of <base>.safetensors.index.json.
type index struct {
	Metadata struct {
		TotalSize int64 `json:"total_size"`
	} `json:"metadata"`
	WeightMap map[string]string `json:"weight_map"`
}

// WriteTensors writes tensors in their order: to dir/<base>.safetensors or, when their data take more than
// shardBytes and that is not 0, to dir/<base>-00001-of-0000n.safetensors and so on with an index. A shard holds at
// least one tensor. meta is added to the metadata of each file, which says format pt. dir must exist and hold no
// tensors of that base.
func WriteTensors(dir, base string, tensors []Tensor, shardBytes int64, meta map[string]string) error {
	if err := checkTensors(tensors); err != nil {
		return fmt.Errorf("write tensors %s: %w", filepath.Join(dir, base), err)
	}
	metadata := map[string]string{"format": "pt"}
	maps.Copy(metadata, meta)
	shards := divide(tensors, shardBytes)
	if len(shards) == 1 {
		return writeShard(filepath.Join(dir, singleName(base)), shards[0], metadata)
	}
	var x index
	x.WeightMap = map[string]string{}
	for i, shard := range shards {
		name := fmt.Sprintf("%s-%05d-of-%05d.safetensors", base, i+1, len(shards))
		if err := writeShard(filepath.Join(dir, name), shard, metadata); err != nil {
			return err
		}
		for _, t := range shard {
			x.WeightMap[t.Name] = name
			x.Metadata.TotalSize += t.bytes()
		}
	}
	return WriteJSON(filepath.Join(dir, indexName(base)), x)
}

func singleName(base string) string { return base + ".safetensors" }
func indexName(base string) string  { return base + ".safetensors.index.json" }

func (t Tensor) dtype() string { return cmp.Or(t.DType, "F32") }

func (t Tensor) bytes() int64 {
	if t.Raw != nil {
		return int64(len(t.Raw))
	}
	return bytesOf[t.dtype()] * int64(len(t.Data))
}

func checkTensors(tensors []Tensor) error {
	seen := map[string]bool{metadataKey: true}
	for _, t := range tensors {
		if seen[t.Name] {
			return fmt.Errorf("the name %q is taken", t.Name)
		}
		seen[t.Name] = true
		width := bytesOf[t.dtype()]
		if width == 0 || t.Raw == nil && packs[t.dtype()] == nil {
			return fmt.Errorf("tensor %q cannot be written as %s", t.Name, t.DType)
		}
		if n, ok := count(t.Shape); !ok || n*width != t.bytes() {
			return fmt.Errorf("tensor %q of shape %v has %d values", t.Name, t.Shape, t.bytes()/width)
		}
	}
	return nil
}

// divide cuts tensors into shards of at most limit bytes, or of one tensor. There is at least one shard.
func divide(tensors []Tensor, limit int64) [][]Tensor {
	var shards [][]Tensor
	from, size := 0, int64(0)
	for i, t := range tensors {
		if i > from && limit > 0 && size+t.bytes() > limit {
			shards = append(shards, tensors[from:i])
			from, size = i, 0
		}
		size += t.bytes()
	}
	return append(shards, tensors[from:])
}

func writeShard(path string, tensors []Tensor, metadata map[string]string) error {
	header, err := encodeHeader(tensors, metadata)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return durable.Write(path, func(w io.Writer) error {
		out := bufio.NewWriterSize(w, 1<<20)
		if err := binary.Write(out, binary.LittleEndian, uint64(len(header))); err != nil {
			return err
		}
		if _, err := out.Write(header); err != nil {
			return err
		}
		for _, t := range tensors {
			if err := t.write(out); err != nil {
				return err
			}
		}
		return out.Flush()
	})
}

// write puts the values block after block.
func (t Tensor) write(w io.Writer) error {
	if t.Raw != nil {
		_, err := w.Write(t.Raw)
		return err
	}
	var block [16 << 10]byte
	width := int(bytesOf[t.dtype()])
	for values := range slices.Chunk(t.Data, len(block)/width) {
		packs[t.dtype()](block[:], values)
		if _, err := w.Write(block[:width*len(values)]); err != nil {
			return err
		}
	}
	return nil
}
