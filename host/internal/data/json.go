package data

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// readJSON reads an array of records, an object that holds records by their ids, a single record, or JSON lines under
// this name.
func readJSON(in input, yield func(row) bool) error {
	head, err := io.ReadAll(io.LimitReader(in.text, maxRecord+1))
	in.text = bufio.NewReader(io.MultiReader(bytes.NewReader(head), after(in.text, err)))
	if holdsLines(head) {
		return readJSONL(in, yield)
	}
	s := &jsonScanner{r: in.text, line: 1}
	more := true
	err = s.document(len(head) > maxRecord || holdsRecords(head), func(r row) bool {
		more = yield(r)
		return more
	})
	if err != nil || !more {
		return err
	}
	if next, err := s.peek(); !errors.Is(err, io.EOF) {
		return errors.Join(err, fmt.Errorf("line %d: %q follows the end of the array or object", s.line, next))
	}
	return nil
}

// document yields the records of an array, of an object of records, or the object that is a record.
func (s *jsonScanner) document(records bool, yield func(row) bool) error {
	first, err := s.peek()
	switch {
	case err != nil:
		return s.broken(err)
	case first == '[':
		return s.array(yield)
	case first != '{':
		return fmt.Errorf("line %d: want an array or an object, found %q", s.line, first)
	case records:
		return s.object(yield)
	}
	_, err = s.yieldValue(yield)
	return err
}

// after is the rest of r, or the error that reading its beginning met.
func after(r io.Reader, err error) io.Reader {
	if err == nil {
		return r
	}
	return failing{err}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// holdsLines reports whether the first line is an object by itself and more follows.
func holdsLines(head []byte) bool {
	line, rest, ok := bytes.Cut(bytes.TrimSpace(head), []byte("\n"))
	return ok && bytes.HasPrefix(line, []byte("{")) && json.Valid(line) && len(bytes.TrimSpace(rest)) > 0
}

// holdsRecords reports whether the values of an object are objects: then they are the records, else it is one itself.
func holdsRecords(text []byte) bool {
	all, some := true, false
	s := &jsonScanner{r: bufio.NewReader(bytes.NewReader(text)), line: 1}
	s.members(func(_ string, value row) bool {
		some = true
		all = all && strings.HasPrefix(value.head, "{")
		return all
	})
	return all && some
}

// A jsonScanner finds the values of a JSON text without decoding them.
type jsonScanner struct {
	r    *bufio.Reader
	line int
	text []byte
}

// peek returns the next byte that is not white space, which it leaves unread.
func (s *jsonScanner) peek() (byte, error) {
	for {
		b, err := s.r.ReadByte()
		if err != nil {
			return 0, err
		}
		switch b {
		case '\n':
			s.line++
		case ' ', '\t', '\r':
		default:
			return b, s.r.UnreadByte()
		}
	}
}

// accept reads the next byte that is not white space; it must be one of those given.
func (s *jsonScanner) accept(wanted string) (byte, error) {
	b, err := s.peek()
	if err != nil {
		return 0, s.broken(err)
	}
	if bytes.IndexByte([]byte(wanted), b) < 0 {
		return 0, fmt.Errorf("line %d: want one of %s, found %q", s.line, wanted, b)
	}
	_, err = s.r.ReadByte()
	return b, err
}

// broken reports the end of the file inside the text.
func (s *jsonScanner) broken(err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return brokenAt(s.line, err)
}

// array yields the elements of the array that begins here.
func (s *jsonScanner) array(yield func(row) bool) error {
	if _, err := s.accept("["); err != nil {
		return err
	}
	if next, err := s.peek(); err == nil && next == ']' {
		_, err := s.accept("]")
		return err
	}
	for {
		if more, err := s.yieldValue(yield); err != nil || !more {
			return err
		}
		if end, err := s.accept(",]"); err != nil || end == ']' {
			return err
		}
	}
}

// object yields the values of the object that begins here, with their keys as field id.
func (s *jsonScanner) object(yield func(row) bool) error {
	return s.members(func(key string, value row) bool {
		if value.bad == nil {
			if o := value.fields.(object); o["id"] == nil {
				o["id"] = key
			}
		}
		return yield(value)
	})
}

// members walks through the object that begins here.
func (s *jsonScanner) members(each func(key string, value row) bool) error {
	if _, err := s.accept("{"); err != nil {
		return err
	}
	for {
		text, _, err := s.value()
		if err != nil {
			return s.broken(err)
		}
		var key string
		if err := json.Unmarshal(text, &key); err != nil {
			return fmt.Errorf("line %d: key: %w", s.line, err)
		}
		if _, err := s.accept(":"); err != nil {
			return err
		}
		more, err := s.yieldValue(func(r row) bool { return each(key, r) })
		if err != nil || !more {
			return err
		}
		if end, err := s.accept(",}"); err != nil || end == '}' {
			return err
		}
	}
}

func (s *jsonScanner) yieldValue(yield func(row) bool) (more bool, err error) {
	if _, err := s.peek(); err != nil {
		return false, s.broken(err)
	}
	line := s.line
	text, long, err := s.value()
	if err != nil {
		return false, s.broken(err)
	}
	return yield(jsonRow(text, long, line)), nil
}

// value reads the text of the next value, valid until the next call. Of a value longer than maxRecord it returns the
// beginning.
func (s *jsonScanner) value() (text []byte, long bool, err error) {
	s.text = s.text[:0]
	if _, err := s.peek(); err != nil {
		return nil, false, err
	}
	var n nesting
	for {
		b, err := s.r.ReadByte()
		if err != nil {
			return nil, false, err
		}
		if n.outside(b) {
			return s.text, long, s.r.UnreadByte()
		}
		if b == '\n' {
			s.line++
		}
		if long = long || len(s.text) == maxRecord; !long {
			s.text = append(s.text, b)
		}
		if n.ends(b) {
			return s.text, long, nil
		}
	}
}

// nesting follows the brackets and quotes of a value.
type nesting struct {
	depth           int
	quoted, escaped bool
}

// outside reports whether b is beyond a number, true, false or null, which have no end of their own.
func (n *nesting) outside(b byte) bool {
	return n.depth == 0 && !n.quoted && bytes.IndexByte([]byte(",:]} \t\r\n"), b) >= 0
}

// ends takes one byte and reports whether the value ends with it.
func (n *nesting) ends(b byte) bool {
	switch {
	case n.escaped:
		n.escaped = false
	case n.quoted && b == '\\':
		n.escaped = true
	case b == '"':
		n.quoted = !n.quoted
		return !n.quoted && n.depth == 0
	case n.quoted:
	case b == '{' || b == '[':
		n.depth++
	case b == '}' || b == ']':
		n.depth--
		return n.depth == 0
	}
	return false
}
