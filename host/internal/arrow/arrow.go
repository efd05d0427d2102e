// Package arrow reads Arrow IPC streams, the form in which Hugging Face's datasets keeps data on disk, row by row. Of
// the types it reads those that text and its labels come in: null, integers, floating point, booleans, strings, binary,
// lists, structs, maps, and dictionaries of these. Columns of other fixed-width types (dates, decimals) are left out of
// the rows; types whose layout would have to be known to skip them are an error that names the column.
package arrow

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

const (
	maxMetadata = 16 << 20 // bytes of one message beside its body
	maxBody     = 1 << 30  // bytes of one message's body, and of its buffers out of their compression
	fileMagic   = "ARROW1" // begins the file format: the stream, and a footer that is not read
)

// The kinds of messages.
const (
	schemaMessage     = 1
	dictionaryMessage = 2
	batchMessage      = 3
)

// ErrLarge says that a row is larger than was allowed.
var ErrLarge = errors.New("the row is too large")

// A Reader reads the rows of a stream.
type Reader struct {
	in     io.Reader
	fields []field
	dicts  map[int64]*array
	maxRow int
}

// NewReader reads the schema of a stream. A row of more than about maxRow bytes comes back as ErrLarge.
func NewReader(in io.Reader, maxRow int) (*Reader, error) {
	start := make([]byte, 8)
	if _, err := io.ReadFull(in, start); err != nil {
		return nil, fmt.Errorf("no Arrow stream: %w", truncated(err))
	}
	if !bytes.HasPrefix(start, []byte(fileMagic)) {
		in = io.MultiReader(bytes.NewReader(start), in)
	}
	r := &Reader{in: in, dicts: map[int64]*array{}, maxRow: maxRow}
	m, err := r.message()
	switch {
	case errors.Is(err, io.EOF):
		return nil, errors.New("no Arrow stream: it is empty")
	case err != nil:
		return nil, err
	case m.kind != schemaMessage:
		return nil, errors.New("no Arrow stream: it does not begin with a schema")
	}
	r.fields, err = readSchema(m.header)
	return r, err
}

// Next reads the next batch of rows; io.EOF is the end of the stream.
func (r *Reader) Next() (*Batch, error) {
	for {
		m, err := r.message()
		if err != nil {
			return nil, err
		}
		switch m.kind {
		case batchMessage:
			return r.batch(m.header, m.body)
		case dictionaryMessage:
			if err := r.dictionary(m.header, m.body); err != nil {
				return nil, fmt.Errorf("dictionary: %w", err)
			}
		default:
			return nil, fmt.Errorf("message of kind %d is not known", m.kind)
		}
	}
}

// A message is one part of a stream.
type message struct {
	kind   byte
	header table
	body   []byte
}

// message reads the next message; io.EOF is the end, marked or not.
func (r *Reader) message() (message, error) {
	size, err := r.metadataSize()
	if err != nil {
		return message{}, err
	}
	if size > maxMetadata {
		return message{}, fmt.Errorf("message header of %d bytes, at most %d are read", size, maxMetadata)
	}
	metadata, err := readFull(r.in, int64(size))
	if err != nil {
		return message{}, err
	}
	flat := &flat{b: metadata}
	root := flat.root()
	m := message{kind: byte(root.number(1, 1, 0)), header: root.table(2)}
	length := int64(root.number(3, 8, 0))
	if flat.broken {
		return message{}, errBroken
	}
	if length < 0 || length > maxBody {
		return message{}, fmt.Errorf("message of %d bytes, at most %d are read", length, maxBody)
	}
	m.body, err = readFull(r.in, length)
	return m, err
}

// metadataSize reads what stands before a message: since Arrow 0.15 a mark, then the size of its header.
func (r *Reader) metadataSize() (uint32, error) {
	var word [4]byte
	if _, err := io.ReadFull(r.in, word[:]); err != nil {
		return 0, err // io.EOF: the end is not marked
	}
	size := binary.LittleEndian.Uint32(word[:])
	if size == 0xffffffff {
		if _, err := io.ReadFull(r.in, word[:]); err != nil {
			return 0, truncated(err)
		}
		size = binary.LittleEndian.Uint32(word[:])
	}
	if size == 0 {
		return 0, io.EOF
	}
	return size, nil
}

// readFull reads n bytes; memory grows with what is there, not with what a header promises.
func readFull(in io.Reader, n int64) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(int(min(n, 16<<20)))
	_, err := io.CopyN(&b, in, n)
	return b.Bytes(), truncated(err)
}

func truncated(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
