package data

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"
)

// readJSONL reads one JSON object for each line; blank lines are skipped.
func readJSONL(in input, yield func(row) bool) error {
	lines := lineReader{r: in.text}
	for {
		text, long, err := lines.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return brokenAt(lines.line+1, err)
		}
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		if !yield(jsonRow(text, long, lines.line)) {
			return nil
		}
	}
}

// jsonRow reads a record from its JSON text.
func jsonRow(text []byte, long bool, line int) row {
	r := row{line: line, text: text, head: excerpt(text)}
	switch {
	case long:
		r.bad = errLong
	case !utf8.Valid(text):
		r.bad = errNotUTF8
	default:
		r.fields, r.bad = jsonObject(text)
	}
	return r
}

func jsonObject(text []byte) (object, error) {
	var o object
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&o); err != nil {
		return nil, err
	}
	if o == nil {
		return nil, errors.New("record is null, not an object")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more after the object")
	}
	return o, nil
}
