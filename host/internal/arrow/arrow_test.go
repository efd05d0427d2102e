package arrow

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const roomy = 16 << 20

// rowsOf reads all rows of a stream.
func rowsOf(in io.Reader, maxRow int) (rows []map[string]any, err error) {
	r, err := NewReader(in, maxRow)
	if err != nil {
		return nil, err
	}
	for {
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		for i := range min(b.Rows, 1<<12) {
			row, err := b.Row(i)
			if err != nil {
				return rows, err
			}
			rows = append(rows, row)
		}
	}
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// lines are rows as JSON, which evens out the types of numbers.
func lines(t testing.TB, rows []map[string]any) string {
	t.Helper()
	var all strings.Builder
	for _, row := range rows {
		text, err := json.Marshal(row)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(append(text, '\n'))
	}
	return all.String()
}

func TestRowsAreThoseOfPyarrow(t *testing.T) {
	var want []map[string]any
	for d := json.NewDecoder(bytes.NewReader(read(t, "rows.json"))); d.More(); {
		d.UseNumber()
		var row map[string]any
		if err := d.Decode(&row); err != nil {
			t.Fatal(err)
		}
		want = append(want, row)
	}
	for _, name := range []string{"plain", "lz4", "zstd", "legacy", "file"} {
		rows, err := rowsOf(bytes.NewReader(read(t, name+".arrow")), roomy)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got := numbersAsText(t, lines(t, rows))
		if diff := cmp.Diff(numbersAsText(t, lines(t, want)), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// numbersAsText reads JSON lines again, so that 1.0 and 1 are the same.
func numbersAsText(t testing.TB, text string) []any {
	t.Helper()
	var all []any
	for d := json.NewDecoder(strings.NewReader(text)); d.More(); {
		var v any
		if err := d.Decode(&v); err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	return all
}

func TestDictionariesGrow(t *testing.T) {
	rows, err := rowsOf(bytes.NewReader(read(t, "delta.arrow")), roomy)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"word":"a"}{"word":"b"}{"word":"a"}{"word":"c"}{"word":"b"}{"word":null}`
	if got := strings.ReplaceAll(lines(t, rows), "\n", ""); got != want {
		t.Errorf("rows %s, want %s", got, want)
	}
}

func TestWhatCannotBeReadIsAnError(t *testing.T) {
	plain := read(t, "plain.arrow")
	for name, c := range map[string]struct {
		text   []byte
		maxRow int
		want   string
	}{
		"a type":      {read(t, "view.arrow"), roomy, "column seen: type number 24 of Arrow is not read"},
		"no stream":   {[]byte(`{"text": "a"}`), roomy, "at most 16777216 are read"},
		"nothing":     {nil, roomy, "no Arrow stream: unexpected EOF"},
		"truncated":   {plain[:len(plain)-900], roomy, "unexpected EOF"},
		"a large row": {plain, 200, "the row is too large"},
	} {
		if _, err := rowsOf(bytes.NewReader(c.text), c.maxRow); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %s", name, err, c.want)
		}
	}
}

func FuzzReader(f *testing.F) {
	for _, name := range []string{"plain", "lz4", "zstd", "legacy", "file", "delta", "view"} {
		f.Add(read(f, name+".arrow"))
	}
	f.Fuzz(func(_ *testing.T, text []byte) {
		rowsOf(bytes.NewReader(text), 1<<16)
	})
}
