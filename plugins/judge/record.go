package judge

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// Bounds of a record that is read.
const (
	maxLine   = 8 << 20
	maxRecord = 4 << 30
)

// A record is a JSONL file of requests and replies. A line is written whole or not at all: what a killed process left
// of a last line is dropped. A nil record knows and keeps nothing.
type record struct {
	path  string
	mu    sync.Mutex
	known map[string]reply
	file  *os.File // nil when only read
	size  int64
}

// A line is one answered request; Key is the SHA-256 of the request as it was sent.
type line struct {
	Key      string          `json:"key"`
	Request  json.RawMessage `json:"request"`
	Response reply           `json:"response"`
}

// openRecord reads the file, which it makes when it is also to be written.
func openRecord(path string, readOnly bool) (*record, error) {
	flags := os.O_RDWR | os.O_CREATE
	if readOnly {
		flags = os.O_RDONLY
	}
	f, err := os.OpenFile(path, flags, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the record: %w", err)
	}
	r := &record{path: path, known: map[string]reply{}}
	if err := r.load(f); err != nil {
		f.Close()
		return nil, err
	}
	if readOnly {
		return r, f.Close()
	}
	r.file = f
	return r, r.rewind()
}

// load reads the lines that end.
func (r *record) load(f io.Reader) error {
	in := bufio.NewReaderSize(f, maxLine)
	for n := 1; ; n++ {
		text, err := in.ReadSlice('\n')
		switch {
		case err == io.EOF:
			return nil
		case errors.Is(err, bufio.ErrBufferFull):
			return fmt.Errorf("%s:%d: the line has more than %d bytes", r.path, n, maxLine)
		case err != nil:
			return fmt.Errorf("read the record: %w", err)
		}
		var l line
		if err := json.Unmarshal(text, &l); err != nil {
			return fmt.Errorf("%s:%d: %w", r.path, n, err)
		}
		if _, twice := r.known[l.Key]; !twice {
			r.known[l.Key] = l.Response
		}
		if r.size += int64(len(text)); r.size > maxRecord {
			return fmt.Errorf("%s has more than %d bytes", r.path, int64(maxRecord))
		}
	}
}

// rewind cuts the file to its whole lines.
func (r *record) rewind() error {
	err := r.file.Truncate(r.size)
	if err == nil {
		_, err = r.file.Seek(r.size, io.SeekStart)
	}
	if err != nil {
		return fmt.Errorf("cut the record to its whole lines: %w", err)
	}
	return nil
}

func (r *record) find(key string) (reply, bool) {
	if r == nil {
		return reply{}, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	answer, known := r.known[key]
	return answer, known
}

// add writes a line and returns the answer that counts: the first, when a request was sent twice at the same time.
func (r *record) add(key string, request []byte, answer reply) (reply, error) {
	if r == nil {
		return answer, nil
	}
	var text bytes.Buffer
	if err := json.NewEncoder(&text).Encode(line{key, request, answer}); err != nil {
		return reply{}, fmt.Errorf("encode a line of the record: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if first, twice := r.known[key]; twice {
		return first, nil
	}
	if _, err := r.file.Write(text.Bytes()); err != nil {
		return reply{}, errors.Join(fmt.Errorf("write the record: %w", err), r.rewind())
	}
	r.known[key] = answer
	r.size += int64(text.Len())
	return answer, nil
}
