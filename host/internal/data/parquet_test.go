package data

import (
	"bytes"
	"testing"

	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/sdk"
	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
)

type parquetMessage struct {
	Role    string  `parquet:"role"`
	Content *string `parquet:"content,optional"`
}

type parquetExample struct {
	Text     *string          `parquet:"text,optional"`
	Label    int32            `parquet:"label"`
	Parts    []string         `parquet:"parts,list"`
	Tags     []string         `parquet:"tags"`
	Messages []parquetMessage `parquet:"messages,list"`
}

func parquetFile[T any](t *testing.T, rows ...T) string {
	t.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[T](&b, parquet.MaxRowsPerRowGroup(2))
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestParquetColumnsAndLists(t *testing.T) {
	one, hello := "one", "hello"
	content := parquetFile(t,
		parquetExample{Text: &one, Label: 4, Parts: []string{"a", "b"}, Tags: []string{"x"},
			Messages: []parquetMessage{{"user", &hello}, {"assistant", &one}}},
		parquetExample{Label: -1, Parts: []string{"c"}, Messages: []parquetMessage{{"user", nil}}},
		parquetExample{Label: 2, Tags: []string{"y", "z"}, Messages: []parquetMessage{{"user", &one}}})
	for name, content := range map[string]string{"a.parquet": content, "a.parquet.gz": gzipped(t, content)} {
		records := mustRead(t, dataset("rated", func(ds *recipe.Dataset) {
			ds.Fields = map[string]recipe.Fields{"text": {"text", "parts", "tags"}}
		}), files{name: content})
		wantTexts(t, records, "one\na\nb\nx", "c", "y\nz")
		if records[1].Scores["label"] != -1 || records[2].Line != 3 {
			t.Errorf("%s: %+v", name, records)
		}
	}
	records, _, bad, err := readFiles(t, dataset("messages", anyBad), files{"a.parquet": content})
	if err != nil || len(records) != 2 || len(bad) != 1 || bad[0].Line != 2 {
		t.Fatalf("%d records, malformed %v, %v", len(records), bad, err)
	}
	want := []sdk.Turn{{Role: sdk.RoleUser, Text: "hello"}, {Role: sdk.RoleAssistant, Text: "one"}}
	if diff := cmp.Diff(want, records[0].Turns); diff != "" {
		t.Error(diff)
	}
}

func TestParquetOfOtherWritersHasOptionalLists(t *testing.T) {
	schema := parquet.NewSchema("hf", parquet.Group{
		"text": parquet.Optional(parquet.List(parquet.Optional(parquet.String()))),
	})
	var b bytes.Buffer
	w := parquet.NewGenericWriter[any](&b, schema)
	rows := []any{map[string]any{"text": []any{"a", "b"}}, map[string]any{"text": []any{"c"}}}
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	wantTexts(t, mustRead(t, dataset("text", nil), files{"a.parquet": b.String()}), "a\nb", "c")
}

func TestDamagedParquetStops(t *testing.T) {
	one := "one"
	content := parquetFile(t, parquetExample{Text: &one})
	for i := range 40 {
		broken := []byte(content)
		broken[i*len(content)/40] ^= 0xff
		_, _, _, err := readFiles(t, dataset("text", anyBad), files{"a.parquet": string(broken)})
		if err != nil {
			wantError(t, err, "a.parquet")
		}
	}
	_, _, _, err := readFiles(t, dataset("text", anyBad), files{"a.parquet": content[:len(content)/2]})
	wantError(t, err, "a.parquet")
}
