package data

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"
)

// readTXT reads plain text: the whole file is one record, or each record begins at a line that the regular expression
// ds.Record matches. What stands before the first such line is a record, too; blank records are none. The field is
// "text".
func readTXT(in input, yield func(row) bool) error {
	if in.ds.Record == "" {
		return readWhole(in, yield)
	}
	begins, err := regexp.Compile(in.ds.Record)
	if err != nil {
		return fmt.Errorf("record: %w", err)
	}
	lines := lineReader{r: in.text}
	record := textRecord{line: 1}
	for {
		text, long, err := lines.next()
		if errors.Is(err, io.EOF) {
			record.yield(yield)
			return nil
		}
		if err != nil {
			return brokenAt(lines.line+1, err)
		}
		if begins.Match(text) {
			if !record.yield(yield) {
				return nil
			}
			record = textRecord{line: lines.line}
		}
		record.add(text, long)
	}
}

// A textRecord gathers the lines of a record.
type textRecord struct {
	text strings.Builder
	line int
	long bool
}

func (t *textRecord) add(line []byte, long bool) {
	if t.long = t.long || long || t.text.Len()+len(line) > maxRecord; !t.long {
		t.text.Write(line)
		t.text.WriteByte('\n')
	}
}

func (t *textRecord) yield(yield func(row) bool) bool {
	return yieldText(t.text.String(), t.long, t.line, yield)
}

func readWhole(in input, yield func(row) bool) error {
	text, err := io.ReadAll(io.LimitReader(in.text, maxRecord+1))
	if err != nil {
		return brokenAt(1+strings.Count(string(text), "\n"), err)
	}
	yieldText(string(text), len(text) > maxRecord, 1, yield)
	return nil
}

func yieldText(text string, long bool, line int, yield func(row) bool) bool {
	if strings.TrimSpace(text) == "" && !long {
		return true
	}
	r := row{line: line, head: excerpt(text), fields: object{"text": text}}
	switch {
	case long:
		r.bad = fmt.Errorf("%w; the key record can split the file", errLong)
	case !utf8.ValidString(text):
		r.bad = errNotUTF8
	}
	return yield(r)
}
