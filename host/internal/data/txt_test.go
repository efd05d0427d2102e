package data

import (
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/host/internal/recipe"
)

func TestTextFileIsOneRecord(t *testing.T) {
	records := mustRead(t, dataset("text", nil), files{"b.txt": "\n two\n\nlines \n", "a.txt": "one"})
	wantTexts(t, records, "one", "two\n\nlines")
}

func TestTextRecordsBeginAtMatches(t *testing.T) {
	ds := dataset("text", func(ds *recipe.Dataset) { ds.Record = "^<篇名>" })
	records := mustRead(t, ds, files{"a.txt": "书名\n\n<篇名>一\n甲\n乙\n<篇名>二\n丙"})
	wantTexts(t, records, "书名", "<篇名>一\n甲\n乙", "<篇名>二\n丙")
	if records[1].Line != 3 || records[2].Line != 6 {
		t.Errorf("lines %d, %d", records[1].Line, records[2].Line)
	}
	ds.Record = "."
	wantTexts(t, mustRead(t, ds, files{"a.txt": "a\n\n  \nb\n"}), "a", "b")
	ds.Record = "("
	_, _, _, err := readFiles(t, ds, files{"a.txt": "a"})
	wantError(t, err, "record: ")
}

func TestLongTextFileAsksToBeSplit(t *testing.T) {
	long := strings.Repeat("x\n", maxRecord/2+1)
	_, _, _, err := readFiles(t, dataset("text", nil), files{"a.txt": long})
	wantError(t, err, "longer than 16 MiB", "the key record can split")
}
