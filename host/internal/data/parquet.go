package data

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
)

// maxParquet bounds a Parquet file that lies compressed and so must be held in memory, in bytes.
const maxParquet = 1 << 30

// readParquet reads the rows of a Parquet file. Lists become lists, groups become objects; a row's line is its number.
func readParquet(in input, yield func(row) bool) (err error) {
	// The library reports some damage by panics.
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("damaged Parquet: %v", p)
		}
	}()
	at, size, err := randomAccess(in.bytes)
	if err != nil {
		return err
	}
	file, err := parquet.OpenFile(at, size)
	if err != nil {
		return err
	}
	line := 0
	for _, group := range file.RowGroups() {
		more, err := groupRows(file.Schema(), group, &line, yield)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// randomAccess gives access to the bytes of a file: as it lies there, or held in memory when it comes out of a
// decompressor.
func randomAccess(r io.Reader) (io.ReaderAt, int64, error) {
	if at, ok := r.(interface {
		io.ReaderAt
		io.Seeker
	}); ok {
		size, err := at.Seek(0, io.SeekEnd)
		return at, size, err
	}
	held, err := io.ReadAll(io.LimitReader(r, maxParquet+1))
	if err == nil && len(held) > maxParquet {
		err = fmt.Errorf("a Parquet file of more than %d MiB inside another compression: decompress it", maxParquet>>20)
	}
	return bytes.NewReader(held), int64(len(held)), err
}

func groupRows(schema *parquet.Schema, group parquet.RowGroup, line *int, yield func(row) bool) (more bool, err error) {
	rows := group.Rows()
	defer func() { err = errors.Join(err, rows.Close()) }()
	buffer := make([]parquet.Row, 64)
	for {
		n, err := rows.ReadRows(buffer)
		for _, values := range buffer[:n] {
			*line++
			if !yield(parquetRow(schema, values, *line)) {
				return false, nil
			}
		}
		if errors.Is(err, io.EOF) {
			return true, nil
		}
		if err != nil {
			return false, fmt.Errorf("row %d: %w", *line+1, err)
		}
	}
}

func parquetRow(schema *parquet.Schema, values parquet.Row, line int) row {
	size := 0
	for _, v := range values {
		if k := v.Kind(); k == parquet.ByteArray || k == parquet.FixedLenByteArray {
			size += len(v.ByteArray())
		}
	}
	if size > maxRecord {
		return row{line: line, bad: errLong}
	}
	fields := object{}
	err := schema.Reconstruct((*map[string]any)(&fields), values)
	return row{line: line, fields: fields, bad: err}
}
