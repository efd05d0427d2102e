package data

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// readCSV reads comma-separated records as RFC 4180 has them: quoted fields may span lines. The header names the
// columns; without one they are 0, 1, 2, ... A record with another number of columns than the first is malformed.
func readCSV(in input, yield func(row) bool) error {
	s := &csvScanner{r: in.text, line: 1}
	var columns []string
	for {
		fields, bad, err := s.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case columns != nil:
		case in.ds.Header == nil || *in.ds.Header:
			if columns, err = header(fields, bad); err != nil {
				return fmt.Errorf("line %d: %w", s.start, err)
			}
			continue
		default:
			columns = numbers(len(fields))
		}
		if !yield(csvRow(columns, fields, bad, s.start)) {
			return nil
		}
	}
}

func header(names []string, bad error) ([]string, error) {
	if bad != nil {
		return nil, fmt.Errorf("header: %w", bad)
	}
	seen := map[string]bool{}
	for i, name := range names {
		names[i] = strings.TrimSpace(name)
		if seen[names[i]] {
			return nil, fmt.Errorf("header: column %q is named twice", names[i])
		}
		seen[names[i]] = true
	}
	return names, nil
}

func numbers(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = strconv.Itoa(i)
	}
	return names
}

func csvRow(columns, values []string, bad error, line int) row {
	text := strings.Join(values, ",")
	r := row{line: line, head: excerpt(text), bad: bad}
	switch {
	case bad != nil:
	case len(values) != len(columns):
		r.bad = fmt.Errorf("record has %d columns, want %d", len(values), len(columns))
	case !utf8.ValidString(text):
		r.bad = errNotUTF8
	default:
		o := make(object, len(columns))
		for i, name := range columns {
			o[name] = values[i]
		}
		r.fields = o
	}
	return r
}

// A csvScanner splits text into records.
type csvScanner struct {
	r           *bufio.Reader
	line, start int // current line; first line of the record that next returned last
	size        int
	field       []byte
	fields      []string
	bad         error
}

// The states within a field.
const (
	atStart  = iota
	bare     // unquoted; a quote is an ordinary character
	quoted   // between the quotes
	unquoted // after the closing quote
)

// next returns a record's fields, or why it is malformed; its end is found even so. A quote that never closes is damage
// to the file: whatever follows is inside it.
func (s *csvScanner) next() (fields []string, bad, err error) {
	for {
		s.fields, s.field, s.bad, s.size, s.start = nil, s.field[:0], nil, 0, s.line
		if err := s.scan(); err != nil {
			return nil, nil, err
		}
		if blank := len(s.fields) == 1 && s.fields[0] == ""; !blank || s.bad != nil {
			return s.fields, s.bad, nil
		}
	}
}

func (s *csvScanner) scan() error {
	state := atStart
	for {
		b, err := s.r.ReadByte()
		if err != nil {
			return s.finish(state, err)
		}
		if b == '\n' {
			s.line++
		}
		switch {
		case state == quoted && b != '"':
			s.keep(b)
		case state == quoted:
			state = unquoted
		case b == '\n':
			s.endField()
			return nil
		case b == ',':
			s.endField()
			state = atStart
		case b == '"' && state == atStart:
			state = quoted
		case b == '"' && state == unquoted:
			s.keep(b)
			state = quoted
		default:
			if state == unquoted && b != '\r' {
				s.bad = errors.New("text follows a closing quote")
			}
			s.keep(b)
			state = max(state, bare)
		}
	}
}

// finish ends the last record of a file.
func (s *csvScanner) finish(state int, err error) error {
	if !errors.Is(err, io.EOF) {
		return brokenAt(s.line, err)
	}
	if state == quoted {
		return brokenAt(s.start, fmt.Errorf("a quoted field never ends: %w", io.ErrUnexpectedEOF))
	}
	if state == atStart && len(s.fields) == 0 {
		return err
	}
	s.endField()
	return nil
}

// keep adds a character to the field.
func (s *csvScanner) keep(b byte) {
	if s.fits() {
		s.field = append(s.field, b)
	}
}

// endField ends a field; the carriage return before a line feed is not part of it.
func (s *csvScanner) endField() {
	if s.fits() {
		s.fields = append(s.fields, strings.TrimSuffix(string(s.field), "\r"))
	}
	s.field = s.field[:0]
}

// fits counts a character of the record.
func (s *csvScanner) fits() bool {
	if s.size++; s.size > maxRecord {
		s.bad = errLong
	}
	return s.size <= maxRecord
}
