package data

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestCSVFieldsMaySpanLines(t *testing.T) {
	content := "id,text\r\n1,\"one, \"\"two\"\"\r\nthree\"\r\n\r\n2,5\" tall\r\n3,\r\n4,last"
	records, _, bad, err := readFiles(t, dataset("text", anyBad), files{"a.csv": "\uFEFF" + content})
	if err != nil || len(bad) != 1 || bad[0].Line != 6 {
		t.Fatalf("malformed %v, %v", bad, err)
	}
	wantTexts(t, records, "one, \"two\"\nthree", `5" tall`, "last")
	if records[1].Line != 5 || records[2].Line != 7 {
		t.Errorf("lines %d, %d", records[1].Line, records[2].Line)
	}
}

func TestCSVWithoutHeaderNumbersItsColumns(t *testing.T) {
	no := false
	ds := dataset("text", func(ds *recipe.Dataset) {
		ds.Header = &no
		ds.Fields = map[string]recipe.Fields{"text": {"2", "0"}}
	})
	wantTexts(t, mustRead(t, ds, files{"a.csv": "a,b,c\nd,e,f\n"}), "c\na", "f\nd")
}

func TestCSVWithWrongColumnCountIsMalformed(t *testing.T) {
	records, _, bad, err := readFiles(t, dataset("text", anyBad), files{
		"a.csv": "id,text\n1,a\n2\n3,b,c\n4,\"x\" y\n5,d\n",
	})
	if err != nil || len(bad) != 3 {
		t.Fatalf("malformed %v, %v", bad, err)
	}
	wantTexts(t, records, "a", "d")
	if bad[0].Reason != "record has 1 columns, want 2" || bad[0].Line != 3 || bad[1].Line != 4 || bad[2].Line != 5 {
		t.Errorf("malformed %+v", bad)
	}
}

func TestCSVQuoteThatNeverClosesIsDamage(t *testing.T) {
	// Taken for one malformed record, it would hide all records behind it.
	_, counts, _, err := readFiles(t, dataset("text", anyBad), files{"a.csv": "id,text\n1,a\n2,\"b\n3,c\n4,d\n"})
	wantError(t, err, "a.csv", "line 3", "never ends")
	if counts.Records != 1 {
		t.Errorf("counts %+v", counts)
	}
}

func TestCSVHeaderNamesEachColumnOnce(t *testing.T) {
	_, _, _, err := readFiles(t, dataset("text", nil), files{"a.csv": "text, text\na,b\n"})
	wantError(t, err, "line 1", `"text" is named twice`)
}

func TestCSVReadsWhatTheStandardLibraryWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		field := rapid.StringMatching(`[a-z",\n ]{0,8}`)
		want := rapid.SliceOfN(rapid.SliceOfN(field, 2, 2), 1, 5).Draw(t, "records")
		var b bytes.Buffer
		if err := csv.NewWriter(&b).WriteAll(want); err != nil {
			t.Fatal(err)
		}
		no := false
		var got [][]string
		err := readCSV(input{text: bufio.NewReader(&b), ds: recipe.Dataset{Header: &no}}, func(r row) bool {
			if r.bad != nil {
				t.Fatal(r.bad)
			}
			o := r.fields.(object)
			got = append(got, []string{o["0"].(string), o["1"].(string)})
			return true
		})
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Fatalf("%v (-want +got):\n%s", err, diff)
		}
	})
}

func FuzzCSVReader(f *testing.F) {
	f.Add("a,b\n\"x\ny\",z\n")
	f.Add("a\n\"")
	f.Fuzz(func(t *testing.T, text string) {
		readCSV(input{text: bufio.NewReader(strings.NewReader(text))}, func(r row) bool {
			if r.line < 1 || r.line > 1+strings.Count(text, "\n") {
				t.Errorf("line %d", r.line)
			}
			return true
		})
	})
}
