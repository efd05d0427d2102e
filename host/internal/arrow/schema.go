package arrow

import (
	"errors"
	"fmt"
	"strings"
)

// The types of Arrow's schema, by their numbers.
const (
	typeNull        = 1
	typeInt         = 2
	typeFloat       = 3
	typeBinary      = 4
	typeText        = 5
	typeBool        = 6
	typeDecimal     = 7
	typeDate        = 8
	typeTime        = 9
	typeTimestamp   = 10
	typeInterval    = 11
	typeList        = 12
	typeStruct      = 13
	typeFixedBinary = 15
	typeFixedList   = 16
	typeMap         = 17
	typeDuration    = 18
	typeLargeBinary = 19
	typeLargeText   = 20
	typeLargeList   = 21
)

const (
	maxFields = 1 << 14
	maxDepth  = 32

	bigEndian    = 1
	noDictionary = -1
)

// precisions are the widths of floating point numbers, by their numbers in a schema.
var precisions = map[uint64]int{0: 2, 1: 4, 2: 8}

// A field is a column, or a part of one.
type field struct {
	name     string
	kind     byte
	width    int // int, floating point: bytes
	signed   bool
	size     int // fixed-size lists: elements of each
	children []field
	dict     int64  // id of the dictionary that holds the values, or noDictionary
	index    *field // of a dictionary's field: the type of its indices
	hidden   bool   // left out of the rows
}

// A schemaReader counts the fields, since the tables of a flatbuffer can be shared.
type schemaReader struct{ fields int }

func readSchema(schema table) ([]field, error) {
	if schema.number(0, 2, 0) == bigEndian {
		return nil, errors.New("the stream is big-endian, which is not read")
	}
	var r schemaReader
	fields, err := r.children(schema, 1, "", 0)
	if schema.broken {
		err = errBroken
	}
	return fields, err
}

func (r *schemaReader) children(t table, slot int, path string, depth int) ([]field, error) {
	start, n := t.vector(slot, 4)
	if r.fields += n; r.fields > maxFields || depth > maxDepth {
		return nil, fmt.Errorf("schema of more than %d columns or %d levels", maxFields, maxDepth)
	}
	fields := make([]field, n)
	for i := range fields {
		child := table{t.flat, t.follow(start + 4*i)}
		if t.broken {
			return nil, errBroken
		}
		var err error
		if fields[i], err = r.field(child, path, depth); err != nil {
			return nil, err
		}
	}
	return fields, nil
}

func (r *schemaReader) field(t table, path string, depth int) (field, error) {
	f := field{name: t.text(0), kind: byte(t.number(2, 1, 0)), dict: noDictionary}
	path = strings.TrimPrefix(path+"."+f.name, ".")
	err := f.describe(t.table(3))
	if err == nil {
		f.children, err = r.children(t, 5, path, depth+1)
	}
	if err == nil {
		err = f.fits()
	}
	f.hidden = err == nil && !f.readable()
	if dict := t.table(4); err == nil && dict.at != 0 {
		f.dict = int64(dict.number(0, 8, 0))
		f.index = &field{kind: typeInt, width: 4, signed: true, dict: noDictionary}
		if of := dict.table(1); of.at != 0 {
			err = f.index.describe(of)
		}
	}
	if err != nil && !strings.HasPrefix(err.Error(), "column ") {
		err = fmt.Errorf("column %s: %w", path, err)
	}
	return f, err
}

// describe reads what the table of the type says.
func (f *field) describe(t table) error {
	switch f.kind {
	case typeInt:
		f.width, f.signed = int(t.number(0, 4, 0))/8, t.number(1, 1, 0) != 0
		if f.width != 1 && f.width != 2 && f.width != 4 && f.width != 8 {
			return fmt.Errorf("integers of %d bytes", f.width)
		}
	case typeFloat:
		precision := t.number(0, 2, 0)
		if f.width = precisions[precision]; f.width == 0 {
			return fmt.Errorf("floating point of precision %d", precision)
		}
	case typeFixedList:
		f.size = int(int32(t.number(0, 4, 0)))
	}
	return nil
}

// fits checks the number of children, and that the layout is known.
func (f *field) fits() error {
	want := 0
	switch f.kind {
	case typeList, typeLargeList, typeFixedList, typeMap:
		want = 1
	case typeStruct:
		want = len(f.children)
	case typeNull, typeInt, typeFloat, typeBinary, typeText, typeBool, typeLargeBinary, typeLargeText:
	case typeDecimal, typeDate, typeTime, typeTimestamp, typeInterval, typeFixedBinary, typeDuration:
	default:
		return fmt.Errorf("type number %d of Arrow is not read", f.kind)
	}
	entries := f.kind != typeMap || len(f.children) == 1 && len(f.children[0].children) == 2
	if len(f.children) != want || f.size < 0 || !entries {
		return errors.New("damaged Arrow schema: the type does not have the children it should")
	}
	return nil
}

// readable reports whether rows have the column: whether it, and all that its lists and maps hold, is of a type that is
// read. A struct has those of its parts that are.
func (f *field) readable() bool {
	switch f.kind {
	case typeDecimal, typeDate, typeTime, typeTimestamp, typeInterval, typeFixedBinary, typeDuration:
		return false
	case typeList, typeLargeList, typeFixedList:
		return f.children[0].readable()
	case typeMap:
		entries := f.children[0].children
		return entries[0].readable() && entries[1].readable()
	}
	return true
}
