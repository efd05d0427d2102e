package tokenizer

import (
	"encoding/binary"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
)

var compareWith = flag.String("compare", "", "directory that testdata/compare.py has written")

// TestTokenizersOfADataPackAgree logs, for each tokenizer, how many texts have the tokens of its own library, with
// special tokens as text and recognised, and how many of these come back as the same text.
func TestTokenizersOfADataPackAgree(t *testing.T) {
	if *compareWith == "" {
		t.Skip("testdata/compare.py runs this test")
	}
	texts := readJSON[[]string](t, filepath.Join(*compareWith, "texts.json"))
	for _, name := range readJSON[[][2]string](t, filepath.Join(*compareWith, "index.json")) {
		dir := filepath.Join(*compareWith, name[0])
		tok, err := Load(dir)
		if err != nil {
			t.Error(err)
			continue
		}
		want := readRows(t, filepath.Join(dir, "expected.ids"))
		equal := countEqual(t, texts, want, tok.Encode)
		note := func(check string, n int) {
			t.Logf("compatibility: tokenizers | %s (%s) | %s | %d of %d", name[0], name[1], check, n, len(texts))
		}
		note("tokens equal", equal)
		if all := readRows(t, filepath.Join(dir, "expected.all")); all != nil {
			note("with special tokens", countEqual(t, texts, all, tok.EncodeAll))
		}
		decoded := 0
		for i, text := range readJSON[[]string](t, filepath.Join(dir, "expected.texts")) {
			if got := tok.Decode(want[i]); got == text {
				decoded++
			} else if len(texts[i]) < 400 {
				t.Errorf("%v: %v decoded: %q, want %q", name, want[i], got, text)
			}
		}
		note("decoded equal", decoded)
	}
}

// countEqual counts the texts whose tokens are those wanted.
func countEqual(t *testing.T, texts []string, want [][]int32, encode func(string) []int32) int {
	t.Helper()
	equal := make([]int, runtime.GOMAXPROCS(0))
	var group sync.WaitGroup
	for w := range equal {
		group.Go(func() {
			for i := w; i < len(texts); i += len(equal) {
				got := encode(texts[i])
				if slices.Equal(got, want[i]) {
					equal[w]++
					continue
				}
				at := 0
				for at < min(len(got), len(want[i])) && got[at] == want[i][at] {
					at++
				}
				t.Errorf("text %d of %d bytes, %.200q, token %d on: %v, want %v", i, len(texts[i]), texts[i], at,
					got[at:min(len(got), at+8)], want[i][at:min(len(want[i]), at+8)])
			}
		})
	}
	group.Wait()
	sum := 0
	for _, n := range equal {
		sum += n
	}
	return sum
}

func readJSON[T any](t testing.TB, path string) T {
	t.Helper()
	var v T
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// readRows reads rows of ids, each after its length; nil if there is no file.
func readRows(t testing.TB, path string) [][]int32 {
	t.Helper()
	raw, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]int32
	for len(raw) > 0 {
		row := make([]int32, binary.LittleEndian.Uint32(raw))
		for i := range row {
			row[i] = int32(binary.LittleEndian.Uint32(raw[4+4*i:]))
		}
		rows = append(rows, row)
		raw = raw[4+4*len(row):]
	}
	return rows
}
