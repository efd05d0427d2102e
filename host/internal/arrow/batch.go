package arrow

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// maxRows bounds the rows of a batch and the elements of a column in it; columns of nulls take no room in a file.
const maxRows = 1 << 26

// The codecs of buffers.
const (
	codecLZ4  = 0
	codecZstd = 1
	noCodec   = -1
)

// A Batch holds some of a stream's rows.
type Batch struct {
	Rows    int
	columns []*array
	maxRow  int
}

// Row is a row as named values: nil, int64 or uint64, float64, bool, string, []any and map[string]any. Binary data is a
// string that need not be UTF-8; the keys of maps are written as text.
func (b *Batch) Row(i int) (map[string]any, error) {
	left := b.maxRow
	row := make(map[string]any, len(b.columns))
	for _, c := range b.columns {
		if c.hidden {
			continue
		}
		v, err := c.value(i, &left)
		if err != nil {
			return nil, err
		}
		row[c.name] = v
	}
	return row, nil
}

func (r *Reader) batch(header table, body []byte) (*Batch, error) {
	b := &Batch{maxRow: r.maxRow}
	l, err := r.loader(header, body)
	if err != nil {
		return nil, err
	}
	if b.Rows, err = length(header.number(0, 8, 0)); err != nil {
		return nil, err
	}
	for i := range r.fields {
		c, err := l.array(&r.fields[i])
		if err == nil && c.length != b.Rows {
			err = fmt.Errorf("%d values in a batch of %d rows", c.length, b.Rows)
		}
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", r.fields[i].name, err)
		}
		b.columns = append(b.columns, c)
	}
	return b, nil
}

// dictionary reads the values of a dictionary. Additions to one are put behind it as another part.
func (r *Reader) dictionary(header table, body []byte) error {
	id := int64(header.number(0, 8, 0))
	of := findDict(r.fields, id)
	if of == nil {
		return fmt.Errorf("no column has the id %d", id)
	}
	l, err := r.loader(header.table(1), body)
	if err != nil {
		return err
	}
	values := *of
	values.dict = noDictionary
	a, err := l.array(&values)
	if err != nil {
		return err
	}
	if header.number(2, 1, 0) != 0 {
		a.before = r.dicts[id]
		if a.parts = 1 + a.before.partCount(); a.parts > maxParts {
			return fmt.Errorf("more than %d additions", maxParts)
		}
	}
	r.dicts[id] = a
	return nil
}

func findDict(fields []field, id int64) *field {
	for i := range fields {
		if fields[i].dict == id {
			return &fields[i]
		}
		if f := findDict(fields[i].children, id); f != nil {
			return f
		}
	}
	return nil
}

// A loader hands out the nodes and buffers of a batch in their order.
type loader struct {
	table
	body           []byte
	codec          int
	nodes, buffers int // how many are left
	node, buffer   int // position of the next
	room           int // bytes that buffers may still come to
	dicts          map[int64]*array
}

func (r *Reader) loader(header table, body []byte) (*loader, error) {
	l := &loader{table: header, body: body, codec: noCodec, room: maxBody, dicts: r.dicts}
	l.node, l.nodes = header.vector(1, 16)
	l.buffer, l.buffers = header.vector(2, 16)
	if c := header.table(3); c.at != 0 {
		l.codec = int(c.number(0, 1, codecLZ4))
	}
	if header.broken {
		return nil, errBroken
	}
	return l, nil
}

var errShort = errors.New("damaged Arrow batch: it has fewer buffers than its schema needs")

func (l *loader) nextNode() (int, error) {
	if l.nodes == 0 {
		return 0, errShort
	}
	n, err := length(l.uint(l.node, 8))
	l.nodes, l.node = l.nodes-1, l.node+16
	return n, err
}

func length(n uint64) (int, error) {
	if n > maxRows {
		return 0, fmt.Errorf("%d values, at most %d are read from one batch", n, maxRows)
	}
	return int(n), nil
}

// next is the next buffer out of its compression.
func (l *loader) next() ([]byte, error) {
	if l.buffers == 0 {
		return nil, errShort
	}
	offset, size := l.uint(l.buffer, 8), l.uint(l.buffer+8, 8)
	l.buffers, l.buffer = l.buffers-1, l.buffer+16
	if offset > uint64(len(l.body)) || size > uint64(len(l.body))-offset {
		return nil, errors.New("damaged Arrow batch: a buffer lies outside of it")
	}
	b := l.body[offset : offset+size]
	if l.codec == noCodec || len(b) == 0 {
		return b, nil
	}
	return l.decompress(b)
}

// decompress reads a buffer: its length, -1 when it is stored as it is, and its bytes.
func (l *loader) decompress(b []byte) ([]byte, error) {
	if len(b) < 8 {
		return nil, errors.New("damaged Arrow batch: a compressed buffer has no length")
	}
	size := int64(binary.LittleEndian.Uint64(b))
	if b = b[8:]; size == -1 {
		return b, nil
	}
	if size < 0 || size > int64(l.room) {
		return nil, fmt.Errorf("buffers of a batch come to more than %d bytes", maxBody)
	}
	l.room -= int(size)
	in, err := l.decoder(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	out, err := readFull(in, size)
	if err != nil {
		return nil, fmt.Errorf("damaged Arrow buffer: %w", err)
	}
	return out, nil
}

func (l *loader) decoder(in io.Reader) (io.Reader, error) {
	switch l.codec {
	case codecLZ4:
		return lz4.NewReader(in), nil
	case codecZstd:
		// One goroutine, which needs no closing.
		return zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(128<<20))
	}
	return nil, fmt.Errorf("codec %d is not known", l.codec)
}
