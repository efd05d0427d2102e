package gguf

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// fixture is testdata/python.json.
type fixture struct {
	Values  []float32
	Tensors map[string]struct {
		Type   string
		Shape  []int
		Bytes  string
		Values []float32
	}
}

func readFixture(t *testing.T) (f fixture) {
	t.Helper()
	raw, err := os.ReadFile("testdata/python.json")
	if err == nil {
		err = json.Unmarshal(raw, &f)
	}
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func open(t *testing.T, path string) *File {
	t.Helper()
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestAFileOfLlamaCppsPackageIsRead(t *testing.T) {
	want, f := readFixture(t), open(t, "testdata/python.gguf")
	meta := map[string]any{
		"general.architecture": "llama",
		"k.u8":                 uint32(200), "k.i8": int32(-100), "k.u16": uint32(60000), "k.i16": int32(-30000),
		"k.u32": uint32(4000000000), "k.i32": int32(-2000000000), "k.u64": uint64(1 << 63), "k.i64": -int64(1 << 62),
		"k.f32": float32(0.5), "k.f64": 0.1, "k.bool": true, "k.string": "zwölf 十二",
		"k.strings": []string{"a", "", "ü"}, "k.floats": []float32{1.5, -2.5}, "k.ints": []int32{3, -4},
	}
	if !reflect.DeepEqual(f.Metadata, meta) {
		t.Errorf("metadata %v", f.Metadata)
	}
	for name, w := range want.Tensors {
		shape, ok := f.Shape(name)
		if !ok || !slices.Equal(shape, w.Shape) || f.Type(name).String() != w.Type {
			t.Fatalf("%s: shape %v, type %s", name, shape, f.Type(name))
		}
		got := make([]float32, len(w.Values))
		if err := f.Read(name, got); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, w.Values) {
			t.Errorf("%s: values differ", name)
		}
	}
}

// Q4_K is left out: that package cannot pack it.
func TestPackedBytesAreThoseOfLlamaCppsPackage(t *testing.T) {
	want := readFixture(t)
	for name, kind := range map[string]Type{"f32": F32, "f16": F16, "bf16": BF16, "q8": Q8_0} {
		f, got := formats[kind], []byte{}
		for i := 0; i < len(want.Values); i += f.block {
			packed := make([]byte, f.bytes)
			f.pack(packed, want.Values[i:i+f.block])
			got = append(got, packed...)
		}
		if hex.EncodeToString(got) != want.Tensors[name].Bytes {
			t.Errorf("%s: bytes differ", name)
		}
	}
}

// A stored value is off by at most half a step of its group. Q4_K rounds the step and offset themselves as well.
func TestQuantisedValuesAreNearTheirOriginals(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, kind := range []struct {
		Type
		most float64 // root mean square error, of that of the values
	}{{Q8_0, 0.01}, {Q4_K, 0.09}} {
		for _, offset := range []float32{0, 1, -1} {
			values := make([]float32, 4096)
			for i := range values {
				values[i] = float32(random.NormFloat64()) + offset
			}
			var diff, all float64
			for i, v := range kind.Round(values) {
				diff += math.Pow(float64(v-values[i]), 2)
				all += math.Pow(float64(values[i]-offset), 2)
			}
			if e := math.Sqrt(diff / all); !(e < kind.most) {
				t.Errorf("%s, mean %v: error %.3f", kind.Type, offset, e)
			}
		}
	}
}

func TestConstantsSurviveQuantisation(t *testing.T) {
	for _, kind := range []Type{Q8_0, Q4_K} {
		for _, c := range []float32{0, 1, -1, 1e-3} {
			values := slices.Repeat([]float32{c}, 256)
			for _, v := range kind.Round(values) {
				if math.Abs(float64(v-c)) > 0.01*math.Abs(float64(c)) {
					t.Fatalf("%s: %v came back as %v", kind, c, v)
				}
			}
		}
	}
}

func someTensors() []Tensor {
	values := make([]float32, 512)
	for i := range values {
		values[i] = float32(i%17) - 8
	}
	return []Tensor{
		{"one", F32, []int{3}, values[:3]},
		{"half", F16, []int{2, 5}, values[:10]},
		{"brain", BF16, []int{2, 1, 7}, values[:14]},
		{"eight", Q8_0, []int{4, 32}, values[:128]},
		{"four", Q4_K, []int{2, 256}, values},
	}
}

func someMetadata() []Entry {
	return []Entry{
		{"general.architecture", "llama"}, {"n", uint32(7)}, {"eps", float32(1e-5)}, {"yes", true},
		{"tokens", []string{"a", "b"}}, {"scores", []float32{0, 1}}, {"types", []int32{1, 3}},
	}
}

func write(t *testing.T, metadata []Entry, tensors []Tensor) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.gguf")
	if err := Write(path, metadata, tensors); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	f := open(t, write(t, someMetadata(), someTensors()))
	for _, e := range someMetadata() {
		if !reflect.DeepEqual(f.Metadata[e.Key], e.Value) {
			t.Errorf("%s is %v", e.Key, f.Metadata[e.Key])
		}
	}
	for _, w := range someTensors() {
		shape, _ := f.Shape(w.Name)
		got := make([]float32, len(w.Data))
		if err := f.Read(w.Name, got); err != nil || !slices.Equal(shape, w.Shape) {
			t.Fatalf("%s: shape %v, %v", w.Name, shape, err)
		}
		if !slices.Equal(got, w.Type.Round(w.Data)) {
			t.Errorf("%s: %v came back as %v", w.Name, w.Data[:3], got[:3])
		}
	}
}

func TestTensorsThatCannotBeStoredAreRefused(t *testing.T) {
	for _, c := range []struct {
		tensor Tensor
		want   string
	}{
		{Tensor{"a", F32, []int{2}, []float32{1}}, "has 1 values"},
		{Tensor{"a", F32, []int{}, []float32{1}}, "0 dimensions"},
		{Tensor{"a", Q8_0, []int{2, 16}, make([]float32, 32)}, "rows of 16"},
		{Tensor{"a", 99, []int{1}, []float32{1}}, "type 99"},
		{Tensor{"a", Q8_0, []int{32}, append(make([]float32, 31), float32(math.Inf(1)))}, "value 31 is +Inf"},
	} {
		err := Write(filepath.Join(t.TempDir(), "x"), nil, []Tensor{c.tensor})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
	if Write(filepath.Join(t.TempDir(), "x"), []Entry{{"k", struct{}{}}}, nil) == nil {
		t.Error("a struct was stored as metadata")
	}
	if Write(filepath.Join(t.TempDir(), "x"), []Entry{{"k", "a"}, {"k", "b"}}, nil) == nil {
		t.Error("a key was stored twice")
	}
}

func TestEveryTruncationIsRefused(t *testing.T) {
	whole, err := os.ReadFile(write(t, someMetadata(), someTensors()))
	if err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if err := new(File).readHeader(bytes.NewReader(whole[:n]), int64(n)); err == nil {
			t.Fatalf("%d bytes of %d were accepted", n, len(whole))
		}
	}
}

func FuzzOpen(f *testing.F) {
	dir := f.TempDir()
	path := filepath.Join(dir, "seed")
	if err := Write(path, someMetadata(), someTensors()); err != nil {
		f.Fatal(err)
	}
	for _, p := range []string{path, "testdata/python.gguf"} {
		raw, err := os.ReadFile(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		path := filepath.Join(t.TempDir(), "x")
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		x, err := Open(path)
		if err != nil {
			return
		}
		defer x.Close()
		for _, name := range x.Names() {
			shape, _ := x.Shape(name)
			n, ok := count(shape)
			if !ok || n > int64(len(raw))*2 {
				t.Fatalf("tensor %q of %v in a file of %d bytes", name, shape, len(raw))
			}
			if err := x.Read(name, make([]float32, n)); err != nil {
				t.Fatal(err)
			}
		}
	})
}
