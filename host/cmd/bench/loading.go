package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/cpu"
	"github.com/carebot-llm/carebot/host/internal/checkpoint"
	"github.com/carebot-llm/carebot/host/internal/model"
)

// A stored model is a file of a gigabyte with random weights of one type.
type storedModel struct {
	dtype string
	bytes int // of a weight
	shape shape
}

var storedModels = []storedModel{
	{"F32", 4, shape{Layers: 16, Width: 1024, Heads: 16, Inner: 2816, Vocab: 32000}},
	{"BF16", 2, shape{Layers: 34, Width: 1024, Heads: 16, Inner: 2816, Vocab: 32000}},
	{"F16", 2, shape{Layers: 34, Width: 1024, Heads: 16, Inner: 2816, Vocab: 32000}},
}

// loading measures the time until a model is ready to be used, in turns with reading its file into memory. The file is
// in the page cache, and memory is fresh, for both; that into memory in use is shown beside.
func loading(b *bench) (report, error) {
	dev, err := cpu.New(2)
	if err != nil {
		return report{}, err
	}
	defer dev.Close()
	t := table{{"weights", "file, GB", "loaded, GB/s", "file read, GB/s", "time, of reading",
		"read into memory in use, GB/s"}}
	worst := 0.0
	for _, s := range storedModels {
		size, all, err := b.loading(dev, s)
		if err != nil {
			return report{}, err
		}
		we, they, least := all[0], all[1], all[2]
		ratio := we.best() / they.best()
		gigabytes := float64(size) / 1e9
		t.row(s.dtype, number(gigabytes), we.rate(gigabytes), they.rate(gigabytes), number(ratio),
			least.rate(gigabytes))
		worst = max(worst, ratio)
	}
	body := "From opening the directory until the weights are float32 on the device, against `os.ReadFile`; the " +
		"file is in the page cache. 2 threads, best (median).\n\n" + t.String()
	return report{body, []figure{{workLoading, "at most " + number(worst), worst <= 1.5}}}, nil
}

func (b *bench) loading(dev accelerators.Device, s storedModel) (size int64, all []series, err error) {
	dir := filepath.Join(b.temporary, "load-"+s.dtype)
	if size, err = s.write(dir); err != nil {
		return 0, nil, err
	}
	defer os.RemoveAll(dir)
	file, buffer := filepath.Join(dir, weightsFile), make([]byte, 1<<20)
	all, err = b.hold(contest{sides: []side{
		s.fresh(dev, "load", func() error { return load(dev, dir, s.shape.llama(256)) }),
		s.fresh(dev, "read", func() error {
			_, err := os.ReadFile(file)
			return err
		}),
		ours("read into a buffer", func() error { return readThrough(file, buffer) }),
	}})
	return size, all, err
}

// readThrough reads a file into the same memory again and again.
func readThrough(path string, buffer []byte) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for err == nil {
		_, err = f.Read(buffer)
	}
	if err == io.EOF {
		return nil
	}
	return err
}

const weightsFile = "model.safetensors"

func load(dev accelerators.Device, dir string, cfg model.Config) error {
	weights, err := checkpoint.OpenTensors(dir, "model")
	if err != nil {
		return err
	}
	defer weights.Close()
	m, err := model.Load(dev, cfg, model.HeadLM, weights, model.Frozen())
	if err != nil {
		return err
	}
	m.Close()
	return nil
}

// fresh is a side in this process whose memory the system has back before each repetition. Where a hypervisor takes
// back what a machine leaves free, the first use of memory costs more than a second a gigabyte, whoever has it: as
// much as the weights take is used and freed right before, for all sides.
func (s storedModel) fresh(dev accelerators.Device, name string, op func() error) side {
	return side{name: name, run: func(reps int) (spent, error) {
		var sum spent
		for range reps {
			if err := touch(dev, s.weights()); err != nil {
				return spent{}, err
			}
			cpu, start := cpuSeconds(), time.Now()
			if err := op(); err != nil {
				return spent{}, err
			}
			sum.wall += time.Since(start).Seconds()
			sum.cpu += cpuSeconds() - cpu
		}
		return sum, nil
	}}
}

// touch uses n floats of memory that the system has not lent before, and gives them back.
func touch(dev accelerators.Device, n int) error {
	debug.FreeOSMemory()
	b, err := dev.Alloc(accelerators.F32, n)
	if err != nil {
		return err
	}
	dev.Fill(b, 1)
	dev.Free(b)
	debug.FreeOSMemory()
	return dev.Sync()
}

func (s storedModel) weights() int {
	_, end := s.entries()
	return int(end) / s.bytes
}

// tensorEntry is a tensor in the header of a file.
type tensorEntry struct {
	DType   string   `json:"dtype"`
	Shape   []int    `json:"shape"`
	Offsets [2]int64 `json:"data_offsets"`
}

// write makes a directory with the weights and returns the size of the file.
func (s storedModel) write(dir string) (size int64, err error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return 0, err
	}
	entries, end := s.entries()
	header, err := json.Marshal(entries)
	if err != nil {
		return 0, err
	}
	for len(header)%8 != 0 {
		header = append(header, ' ')
	}
	f, err := os.Create(filepath.Join(dir, weightsFile))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	out := bufio.NewWriterSize(f, 1<<20)
	_, err = out.Write(append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...))
	if err == nil {
		err = s.writeRandom(out, end/int64(s.bytes))
	}
	if err == nil {
		err = out.Flush()
	}
	return int64(8+len(header)) + end, err
}

// entries are the tensors of the shape as a Llama, one after the other.
func (s storedModel) entries() (entries map[string]tensorEntry, end int64) {
	entries = map[string]tensorEntry{}
	add := func(name string, dims ...int) {
		n := int64(s.bytes)
		for _, d := range dims {
			n *= int64(d)
		}
		entries[name+".weight"] = tensorEntry{s.dtype, dims, [2]int64{end, end + n}}
		end += n
	}
	width, inner := s.shape.Width, s.shape.Inner
	add("model.embed_tokens", s.shape.Vocab, width)
	for i := range s.shape.Layers {
		layer := fmt.Sprintf("model.layers.%d.", i)
		for _, name := range []string{"q_proj", "k_proj", "v_proj", "o_proj"} {
			add(layer+"self_attn."+name, width, width)
		}
		add(layer+"mlp.gate_proj", inner, width)
		add(layer+"mlp.up_proj", inner, width)
		add(layer+"mlp.down_proj", width, inner)
		add(layer+"input_layernorm", width)
		add(layer+"post_attention_layernorm", width)
	}
	add("model.norm", width)
	add("lm_head", s.shape.Vocab, width)
	return entries, end
}

// writeRandom writes n numbers between one and two.
func (s storedModel) writeRandom(out io.Writer, n int64) error {
	const count = 1 << 16
	var block []byte
	random := uint32(1)
	for range count {
		random = random*1664525 + 1013904223
		switch s.dtype {
		case "F32":
			block = binary.LittleEndian.AppendUint32(block, math.Float32bits(1)|random>>9)
		case "BF16":
			block = binary.LittleEndian.AppendUint16(block, 0x3f80|uint16(random>>25))
		default:
			block = binary.LittleEndian.AppendUint16(block, 0x3c00|uint16(random>>22))
		}
	}
	for left := n * int64(s.bytes); left > 0; left -= int64(len(block)) {
		block = block[:min(left, int64(len(block)))]
		if _, err := out.Write(block); err != nil {
			return err
		}
	}
	return nil
}
