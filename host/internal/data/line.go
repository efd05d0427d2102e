package data

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// maxRecord is the size above which a record is malformed, in bytes. What is longer is skipped without being held.
const maxRecord = 16 << 20

// A lineReader splits text into lines.
type lineReader struct {
	r    *bufio.Reader
	line int // number of the line that next returned last
	text []byte
}

// next returns a line without its end, valid until the next call. Of a line longer than maxRecord it returns the
// beginning. A last line that an error cuts off is not returned: it is not a record.
func (l *lineReader) next() (text []byte, long bool, err error) {
	l.text = l.text[:0]
	for {
		part, err := l.r.ReadSlice('\n')
		if len(l.text)+len(part) > maxRecord+1 {
			long = true
			part = part[:min(len(part), maxRecord-min(maxRecord, len(l.text)))]
		}
		l.text = append(l.text, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(l.text) > 0, err == nil:
			l.line++
			text = bytes.TrimSuffix(l.text, []byte("\n"))
			return bytes.TrimSuffix(text, []byte("\r")), long, nil
		}
		return nil, false, err
	}
}
