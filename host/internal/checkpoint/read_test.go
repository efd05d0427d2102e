package checkpoint

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/carebot-llm/carebot/accelerators"
	_ "github.com/carebot-llm/carebot/accelerators/cpu"
)

// uploaded is a tensor after its way through a device's memory.
func uploaded(t *testing.T, x *Tensors, dev accelerators.Device, name string) []float32 {
	t.Helper()
	shape, _ := x.Shape(name)
	n, _ := count(shape)
	b, err := dev.Alloc(accelerators.F32, int(n))
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Free(b)
	if err := x.Upload(name, dev, b); err != nil {
		t.Fatal(err)
	}
	host := make([]float32, n)
	if err := dev.DownloadF32(host, b); err != nil {
		t.Fatal(err)
	}
	return host
}

// unaligned copies a file with a header that is longer by some spaces, and returns its directory.
func unaligned(t *testing.T, path string, spaces int) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	n := binary.LittleEndian.Uint64(raw)
	out := binary.LittleEndian.AppendUint64(nil, n+uint64(spaces))
	out = append(out, raw[8:8+n]...)
	for range spaces {
		out = append(out, ' ')
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "python.safetensors"), append(out, raw[8+n:]...), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestUploadsAreWhatIsReadWhereverItLies(t *testing.T) {
	dev, _, err := accelerators.Open("cpu")
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	for spaces := range 4 {
		x, err := OpenTensors(unaligned(t, "testdata/python.safetensors", spaces), "python")
		if err != nil {
			t.Fatal(err)
		}
		defer x.Close()
		for _, name := range x.Names() {
			if floats[x.tensors[name].dtype] == nil {
				continue
			}
			shape, _ := x.Shape(name)
			n, _ := count(shape)
			want := make([]float32, n)
			if err := x.Read(name, want); err != nil {
				t.Fatal(err)
			}
			file := x.tensors[name].file
			for _, mapped := range [][]byte{file.mapped, nil} {
				whole := file.mapped
				file.mapped = mapped
				if diff := cmp.Diff(bitsOf(want), bitsOf(uploaded(t, x, dev, name))); diff != "" {
					t.Errorf("%s behind %d spaces, mapped %v (-read +uploaded):\n%s", name, spaces, mapped != nil, diff)
				}
				file.mapped = whole
			}
		}
	}
}

func TestATensorLargerThanABlockIsReadWhole(t *testing.T) {
	big := Tensor{Name: "big", Shape: []int{2*blockValues + 3}, Data: make([]float32, 2*blockValues+3)}
	for i := range big.Data {
		big.Data[i] = float32(i)
	}
	dir := t.TempDir()
	mustWrite(t, dir, "model", []Tensor{big}, 0)
	x, err := OpenTensors(dir, "model")
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	got := make([]float32, len(big.Data))
	if err := x.Read("big", got); err != nil {
		t.Fatal(err)
	}
	for i, v := range got {
		if v != float32(i) {
			t.Fatalf("element %d is %g", i, v)
		}
	}
}

// bitsOf lets NaNs be compared.
func bitsOf(x []float32) []uint32 {
	bits := make([]uint32, len(x))
	for i, v := range x {
		bits[i] = math.Float32bits(v)
	}
	return bits
}
