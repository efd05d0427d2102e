package data

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"

	"github.com/carebot-llm/carebot/host/internal/recipe"
)

// A row is one record of a file as its reader found it: named fields, or why it is malformed.
type row struct {
	line   int
	fields fields
	text   []byte // of a record in JSON, until the next is read
	head   string // excerpt of the record; may be left out
	bad    error
}

// excerpt is the beginning of the record as it stands in the file, or of what was read of it.
func (r row) excerpt() string {
	if r.head != "" {
		return r.head
	}
	switch f := r.fields.(type) {
	case *element:
		return excerpt(f.flatten())
	case object:
		if text, err := json.Marshal(f); err == nil {
			return excerpt(text)
		}
	}
	return ""
}

var (
	errLong    = fmt.Errorf("record is longer than %d MiB", maxRecord>>20)
	errNotUTF8 = errors.New("record is not valid UTF-8")
)

// A rowReader reads a file's rows and hands each to yield, until yield returns false. It returns an error when the file
// as a whole is damaged, after it has handed on the rows before the damage.
type rowReader func(in input, yield func(row) bool) error

// An input is an open file: text, decoded, or for Parquet and Arrow the bytes.
type input struct {
	text  *bufio.Reader
	bytes io.Reader
	ds    recipe.Dataset
}

var rowReaders = map[string]rowReader{
	"jsonl": readJSONL, "json": readJSON, "csv": readCSV, "txt": readTXT, "xml": readXML,
	"parquet": readParquet, "arrow": readArrow,
}

var endings = map[string]string{
	".jsonl": "jsonl", ".json": "json", ".csv": "csv", ".txt": "txt",
	".parquet": "parquet", ".arrow": "arrow",
	".xml": "xml", ".cnxml": "xml", ".nxml": "xml",
}

// readsText reports whether a reader takes decoded text, not the bytes of a file.
func readsText(reader string) bool { return reader != "parquet" && reader != "arrow" }

// readerOf returns the name of the reader of a file.
func readerOf(f File, ds recipe.Dataset) (string, error) {
	if ds.Reader != "auto" && ds.Reader != "" {
		return ds.Reader, nil
	}
	ending := path.Ext(f.stem())
	if name, ok := endings[ending]; ok {
		return name, nil
	}
	return "", fmt.Errorf("ending %q tells no format: set reader", ending)
}

// rows reads one file. The error names it.
func (f File) rows(ds recipe.Dataset, yield func(row) bool) error {
	name, err := readerOf(f, ds)
	if err == nil {
		err = f.rowsAs(name, ds, yield)
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", f.Name, err)
	}
	return nil
}

func (f File) rowsAs(reader string, ds recipe.Dataset, yield func(row) bool) error {
	encoding := ""
	if readsText(reader) {
		p, err := probeFile(f)
		if err == nil {
			encoding, err = p.choose(ds.Encoding)
		}
		if err != nil {
			return err
		}
	}
	return f.rowsIn(reader, encoding, ds, yield)
}

// rowsIn reads a file whose reader and encoding are known.
func (f File) rowsIn(reader, encoding string, ds recipe.Dataset, yield func(row) bool) error {
	bytes, err := f.open()
	if err != nil {
		return err
	}
	in := input{bytes: bytes, ds: ds}
	if readsText(reader) {
		in.text = decoded(bytes, encoding)
	}
	return errors.Join(rowReaders[reader](in, yield), bytes.Close())
}

// brokenAt names the line at which a file is damaged.
func brokenAt(line int, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("line %d: the file is truncated: %w", line, err)
	}
	return fmt.Errorf("line %d: %w", line, err)
}
