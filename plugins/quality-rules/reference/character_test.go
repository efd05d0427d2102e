package reference

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode"
)

var update = flag.Bool("update", false, "write what is derived from this package")

// classTable is the module's table of classes: a run of characters of one class starts at each.
func classTable() string {
	var b strings.Builder
	b.WriteString("/* Made by go test ./plugins/quality-rules/reference -update from the tables of Go's package unicode, version " +
		unicode.Version + ".\n * A run of characters starts at each: character << 8 | class. */\n" +
		"static const uint32_t class_runs[] = {\n")
	line, before := "\t", class(0)
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if c := classOf(r); c != before {
			entry := fmt.Sprintf("0x%X,", uint32(r)<<8|uint32(c))
			if len(line)+len(entry) > 110 {
				b.WriteString(strings.TrimRight(line, " ") + "\n")
				line = "\t"
			}
			line, before = line+entry+" ", c
		}
	}
	b.WriteString(strings.TrimRight(line, " ") + "\n};\n")
	return b.String()
}

func TestClassesOfTheModuleAreGos(t *testing.T) {
	const file = "../classes.h"
	if *update {
		if err := os.WriteFile(file, []byte(classTable()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != classTable() {
		t.Errorf("%s is not of this Go's package unicode: make it anew with -update, then the module", file)
	}
}
