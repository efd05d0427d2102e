package checkpoint

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
)

// file makes a safetensors file of a header and n bytes of data.
func file(header string, n int) []byte {
	raw := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(raw, header...), make([]byte, n)...)
}

func TestHeadersThatLieAreRefused(t *testing.T) {
	for _, c := range []struct {
		header string
		data   int
		want   string
	}{
		{`[]`, 0, "does not start with {"},
		{`{`, 0, "unexpected end"},
		{`{"a":1}`, 0, `tensor "a"`},
		{`{"__metadata__":{"a":1}}`, 0, metadataKey},
		{`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 3, "take 4 bytes and the file has 3"},
		{`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 5, "take 4 bytes and the file has 5"},
		{`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8, `"a" starts at byte 4`},
		{`{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}`, 0, "bytes -4 to 0"},
		{`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}`, 4, "bytes 4 to 0"},
		{`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, 4, "do not hold [2]"},
		{`{"a":{"dtype":"F32","shape":[-1,-1],"data_offsets":[0,4]}}`, 4, "shape [-1 -1]"},
		{`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, 0, "not possible"},
		{`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}`, 4, "not two"},
		{`{"a":{"dtype":"F33","shape":[1],"data_offsets":[0,4]}}`, 4, `type "F33"`},
		{`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}`, 4, `unknown field "x"`},
		{`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 1,
			`"b" starts at byte 0`},
	} {
		raw := file(c.header, c.data)
		_, _, err := readHeader(bytes.NewReader(raw), int64(len(raw)))
		assertError(t, err, c.want)
	}
}

func TestHeaderLengthBeyondTheFileIsRefusedBeforeItIsRead(t *testing.T) {
	for _, n := range []uint64{9, headerLimit + 1, 1 << 63, 1<<64 - 1} {
		raw := append(binary.LittleEndian.AppendUint64(nil, n), "{}      "...)
		_, _, err := readHeader(bytes.NewReader(raw), int64(len(raw)))
		assertError(t, err, "exceeds")
	}
}

func TestEveryTruncationIsRefused(t *testing.T) {
	dir := t.TempDir()
	mustWrite(t, dir, "model", someTensors()[:5], 0)
	path := filepath.Join(dir, "model.safetensors")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if _, _, err := readHeader(bytes.NewReader(whole[:n]), int64(n)); err == nil {
			t.Fatalf("the first %d of %d bytes are taken for a whole file", n, len(whole))
		}
	}
	if err := os.Truncate(path, int64(len(whole)-1)); err != nil {
		t.Fatal(err)
	}
	_, err = OpenTensors(dir, "model")
	assertError(t, err, path)
}

func TestIndexesThatLieAreRefused(t *testing.T) {
	for weightMap, want := range map[string]string{
		`{"a": "../x.safetensors"}`:              "not the name of a file",
		`{"a": "/etc/passwd"}`:                   "not the name of a file",
		`{"a": ".."}`:                            "not the name of a file",
		`{"a": "gone.safetensors"}`:              "gone.safetensors",
		`{"a": "s1.safetensors"}`:                `"a" is not in s1.safetensors`,
		`{"layer.0.<weight>": "s1.safetensors"}`: `"layer.1.<weight>" is not listed`,
		`{"layer.0.<weight>": "s1.safetensors", "x": "s2.safetensors"}`: "is in another file too",
		`3`: "index.json",
	} {
		dir := t.TempDir()
		mustWrite(t, dir, "s1", someTensors()[:2], 0)
		mustWrite(t, dir, "s2", someTensors()[:1], 0)
		put(t, filepath.Join(dir, indexName("model")), `{"weight_map": `+weightMap+`}`)
		_, err := OpenTensors(dir, "model")
		assertError(t, err, want)
	}
}

func FuzzHeader(f *testing.F) {
	one := `"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}`
	f.Add(file(`{`+one+`,"b":{"dtype":"F16","shape":[],"data_offsets":[4,6]}}`, 6))
	f.Add(file(`{"__metadata__":{"format":"pt"}}`, 0))
	f.Fuzz(func(t *testing.T, raw []byte) {
		tensors, start, err := readHeader(bytes.NewReader(raw), int64(len(raw)))
		if err != nil {
			return
		}
		total := start
		for name, e := range tensors {
			n, _ := count(e.Shape)
			if total += n * bytesOf[e.DType]; e.Offsets[0] < 0 || start+e.Offsets[1] > int64(len(raw)) {
				t.Errorf("%q lies outside of the file: %v", name, e)
			}
		}
		if total != int64(len(raw)) {
			t.Errorf("%d of %d bytes are accounted for", total, len(raw))
		}
	})
}
