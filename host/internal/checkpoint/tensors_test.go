package checkpoint

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var saveTo = flag.String("save", "", "directory for the files that testdata/fixtures.py reads")

// someTensors are of every rank from 0 to 3, one is empty.
func someTensors() []Tensor {
	r := rand.New(rand.NewPCG(1, 2))
	var tensors []Tensor
	for i, shape := range [][]int{{4, 3}, {}, {2, 0}, {5}, {2, 3, 2}, {70, 100}} {
		n, _ := count(shape)
		data := make([]float32, n)
		for j := range data {
			data[j] = float32(r.NormFloat64())
		}
		tensors = append(tensors, Tensor{Name: fmt.Sprintf("layer.%d.<weight>", i), Shape: shape, Data: data})
	}
	return tensors
}

func mustWrite(t testing.TB, dir, base string, tensors []Tensor, shardBytes int64) {
	t.Helper()
	if err := WriteTensors(dir, base, tensors, shardBytes, map[string]string{"step": "12"}); err != nil {
		t.Fatal(err)
	}
}

// readAll reads every tensor of a model, sorted by name.
func readAll(t testing.TB, dir, base string) []Tensor {
	t.Helper()
	x, err := OpenTensors(dir, base)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	var tensors []Tensor
	for _, name := range x.Names() {
		shape, ok := x.Shape(name)
		n, _ := count(shape)
		data := make([]float32, n)
		if err := x.Read(name, data); err != nil || !ok {
			t.Fatal(err, ok)
		}
		tensors = append(tensors, Tensor{Name: name, Shape: shape, Data: data})
	}
	return tensors
}

func TestTensorsSurviveWritingAndReading(t *testing.T) {
	dir := t.TempDir()
	if *saveTo != "" {
		dir = *saveTo
	}
	tensors := someTensors()
	mustWrite(t, dir, "single", tensors, 0)
	mustWrite(t, dir, "sharded", tensors, 100)
	if err := WriteJSON(filepath.Join(dir, "expected.json"), tensors); err != nil {
		t.Fatal(err)
	}
	for _, base := range []string{"single", "sharded"} {
		if diff := cmp.Diff(tensors, readAll(t, dir, base)); diff != "" {
			t.Errorf("%s (-written, +read):\n%s", base, diff)
		}
	}
}

func TestShardsHoldNoMoreThanAskedUnlessOneTensorDoes(t *testing.T) {
	dir := t.TempDir()
	mustWrite(t, dir, "model", someTensors(), 100)
	var x index
	if err := ReadJSON(filepath.Join(dir, "model.safetensors.index.json"), &x); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"layer.0.<weight>": "model-00001-of-00003.safetensors", // 48 bytes
		"layer.1.<weight>": "model-00001-of-00003.safetensors", // 4
		"layer.2.<weight>": "model-00001-of-00003.safetensors", // 0
		"layer.3.<weight>": "model-00001-of-00003.safetensors", // 20
		"layer.4.<weight>": "model-00002-of-00003.safetensors", // 48
		"layer.5.<weight>": "model-00003-of-00003.safetensors", // 28000
	}
	if diff := cmp.Diff(want, x.WeightMap); diff != "" {
		t.Error(diff)
	}
	if x.Metadata.TotalSize != 48+4+20+48+28000 {
		t.Errorf("total size %d", x.Metadata.TotalSize)
	}
}

func TestHeaderListsTensorsInTheOrderGivenAndIsAligned(t *testing.T) {
	dir := t.TempDir()
	tensors := someTensors()
	slices.Reverse(tensors)
	mustWrite(t, dir, "model", tensors, 0)
	raw, err := os.ReadFile(filepath.Join(dir, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	n := binary.LittleEndian.Uint64(raw)
	if n%8 != 0 {
		t.Errorf("the header has %d bytes", n)
	}
	at := 0
	for _, name := range []string{metadataKey, tensors[0].Name, tensors[1].Name, tensors[5].Name} {
		key, err := json.Marshal(name)
		if err != nil {
			t.Fatal(err)
		}
		next := bytes.Index(raw[:8+n], key)
		if next <= at {
			t.Errorf("%s is at %d, after %d", name, next, at)
		}
		at = next
	}
}

func TestOrderOfTensorsInAFileDoesNotMatter(t *testing.T) {
	dir := t.TempDir()
	tensors := someTensors()
	rapid.Check(t, func(rt *rapid.T) {
		mustWrite(t, dir, "model", rapid.Permutation(tensors).Draw(rt, "order"), 0)
		if diff := cmp.Diff(tensors, readAll(t, dir, "model")); diff != "" {
			rt.Fatal(diff)
		}
	})
}

func TestFilesOfThePythonLibraryAreRead(t *testing.T) {
	var want map[string]struct {
		Shape []int
		DType string
		Bits  []int32
	}
	if err := ReadJSON("testdata/python.json", &want); err != nil {
		t.Fatal(err)
	}
	x, err := OpenTensors("testdata", "python")
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	if len(x.Names()) != len(want) {
		t.Errorf("tensors %q", x.Names())
	}
	for name, w := range want {
		shape, ok := x.Shape(name)
		if !ok || !slices.Equal(shape, w.Shape) {
			t.Errorf("%s has shape %v, want %v", name, shape, w.Shape)
			continue
		}
		n, _ := count(shape)
		data := make([]float32, n)
		err := x.Read(name, data)
		if w.DType == "int64" {
			assertError(t, err, "type I64 cannot be read")
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range data {
			if math.Float32bits(v) != uint32(w.Bits[i]) {
				t.Errorf("%s[%d] = %g, want bits %x", name, i, v, uint32(w.Bits[i]))
			}
		}
	}
}

func TestReadNeedsTheRightRoom(t *testing.T) {
	dir := t.TempDir()
	mustWrite(t, dir, "model", someTensors(), 0)
	x, err := OpenTensors(dir, "model")
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	assertError(t, x.Read("layer.3.<weight>", make([]float32, 6)), "layer.3")
	assertError(t, x.Read("layer.9", nil), "layer.9")
	if _, ok := x.Shape("layer.9"); ok {
		t.Error("a tensor that is not there has a shape")
	}
}

func TestTensorsThatCannotBeWrittenAreNamed(t *testing.T) {
	one := Tensor{Name: "a", Shape: []int{1}, Data: []float32{1}}
	for want, tensors := range map[string][]Tensor{
		`"a" is taken`:              {one, one},
		`"__metadata__" is taken`:   {{Name: "__metadata__", Shape: []int{1}, Data: []float32{1}}},
		`"b" of shape [2] has 1`:    {{Name: "b", Shape: []int{2}, Data: []float32{1}}},
		`"c" of shape [-1 -1] has`:  {{Name: "c", Shape: []int{-1, -1}, Data: []float32{1}}},
		`"d" of shape [4294967296 `: {{Name: "d", Shape: []int{1 << 32, 1 << 32}}},
	} {
		assertError(t, WriteTensors(t.TempDir(), "model", tensors, 0, nil), want)
	}
	missing := filepath.Join(t.TempDir(), "missing")
	assertError(t, WriteTensors(missing, "model", []Tensor{one}, 0, nil), missing)
}

func TestTensorsOfSixteenBitsAreReadBackRounded(t *testing.T) {
	dir, values := t.TempDir(), []float32{0, 1, -2.5, 1.0009765, 65504, 3.14159}
	mustWrite(t, dir, "model", []Tensor{
		{Name: "half", Shape: []int{6}, Data: values, DType: "F16"}, {Name: "brain", Shape: []int{2, 3}, Data: values, DType: "BF16"},
	}, 0)
	x, err := OpenTensors(dir, "model")
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	for name, want := range map[string][]float32{
		"half": {0, 1, -2.5, 1.0009765625, 65504, 3.140625}, "brain": {0, 1, -2.5, 1, 65536, 3.140625},
	} {
		got := make([]float32, len(want))
		if err := x.Read(name, got); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	assertError(t, WriteTensors(dir, "x", []Tensor{{Name: "a", Shape: []int{1}, Data: values[:1], DType: "F64"}}, 0, nil), "F64")
}
