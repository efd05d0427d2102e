package data

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// A BadRecord is a malformed record: where it is and why it is not used. It is one line of a quarantine file.
type BadRecord struct {
	Dataset string `json:"dataset"`
	File    string `json:"file"`
	Line    int    `json:"line"`
	Reason  string `json:"reason"`
	Excerpt string `json:"excerpt"` // at most excerptSize bytes of its beginning
}

const excerptSize = 200

func (b BadRecord) String() string { return fmt.Sprintf("%s:%d: %s", b.File, b.Line, b.Reason) }

// A Quarantine takes malformed records aside, as JSON lines. It is used by one goroutine.
type Quarantine struct {
	out io.Writer
}

// NewQuarantine writes to out; nil keeps nothing.
func NewQuarantine(out io.Writer) *Quarantine { return &Quarantine{out: out} }

// Add takes a record.
func (q *Quarantine) Add(b BadRecord) error {
	if q.out == nil {
		return nil
	}
	line, err := json.Marshal(b)
	if err != nil {
		return fmt.Errorf("quarantine %s: %w", b, err)
	}
	if _, err := q.out.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("quarantine %s: %w", b, err)
	}
	return nil
}

// excerpt is the beginning of a record, as valid UTF-8.
func excerpt[T string | []byte](raw T) string {
	if len(raw) <= excerptSize {
		return strings.ToValidUTF8(string(raw), "\uFFFD")
	}
	head := string(raw[:excerptSize])
	for i := 0; i < utf8.UTFMax && !utf8.ValidString(head); i++ {
		head = head[:len(head)-1]
	}
	return strings.ToValidUTF8(head, "\uFFFD")
}
