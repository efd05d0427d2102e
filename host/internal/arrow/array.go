package arrow

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/carebot-llm/carebot/host/internal/half"
)

// maxParts bounds the additions to a dictionary, which a look-up walks through.
const maxParts = 1 << 10

// An array is a column of a batch, a part of one, or the values of a dictionary.
type array struct {
	*field
	length   int
	valid    []byte // bits; empty when no value is null
	offsets  []byte
	data     []byte
	children []*array
	dict     *array
	before   *array // of a dictionary's addition: what it adds to
	parts    int
}

func (a *array) partCount() int {
	if a == nil {
		return 0
	}
	return a.parts
}

var errSize = errors.New("damaged Arrow batch: a buffer is too short for its values")

// array reads the buffers of a field and checks all that reading a value relies on.
func (l *loader) array(f *field) (*array, error) {
	if f.dict != noDictionary {
		return l.indices(f)
	}
	a := &array{field: f}
	var err error
	if a.length, err = l.nextNode(); err != nil || f.kind == typeNull {
		return a, err
	}
	if a.valid, err = l.next(); err != nil {
		return nil, err
	}
	if len(a.valid) > 0 && len(a.valid) < (a.length+7)/8 {
		return nil, errSize
	}
	if err := l.buffersOf(a); err != nil {
		return nil, err
	}
	for i := range f.children {
		child, err := l.array(&f.children[i])
		if err != nil {
			return nil, err
		}
		a.children = append(a.children, child)
	}
	return a, a.check()
}

// indices are those of a column whose values are in a dictionary.
func (l *loader) indices(f *field) (*array, error) {
	a, err := l.array(f.index)
	if err != nil {
		return nil, err
	}
	if a.dict = l.dicts[f.dict]; a.dict == nil {
		return nil, fmt.Errorf("dictionary %d is missing", f.dict)
	}
	a.field = &field{name: f.name, kind: typeInt, width: f.index.width, signed: f.index.signed, dict: f.dict, hidden: f.hidden}
	return a, nil
}

// buffersOf reads what follows the bits of the nulls.
func (l *loader) buffersOf(a *array) (err error) {
	switch a.kind {
	case typeStruct, typeFixedList:
		return nil
	case typeBinary, typeText, typeLargeBinary, typeLargeText, typeList, typeLargeList, typeMap:
		if a.offsets, err = l.next(); err != nil {
			return err
		}
		if a.kind == typeList || a.kind == typeLargeList || a.kind == typeMap {
			return nil
		}
	}
	a.data, err = l.next()
	return err
}

// check holds the buffers against the length.
func (a *array) check() error {
	switch a.kind {
	case typeInt, typeFloat:
		return enough(len(a.data)/a.width, a.length)
	case typeBool:
		return enough(len(a.data)*8, a.length)
	case typeBinary, typeText, typeLargeBinary, typeLargeText:
		return a.checkOffsets(len(a.data))
	case typeList, typeLargeList, typeMap:
		return a.checkOffsets(a.children[0].length)
	case typeFixedList:
		if a.size > 0 {
			return enough(a.children[0].length/a.size, a.length)
		}
	case typeStruct:
		for _, c := range a.children {
			if err := enough(c.length, a.length); err != nil {
				return err
			}
		}
	}
	return nil
}

func enough(have, want int) error {
	if have < want {
		return errSize
	}
	return nil
}

// checkOffsets sees that the offsets rise and end within what they lead into. An empty column may have none.
func (a *array) checkOffsets(end int) error {
	if a.length == 0 {
		return nil
	}
	if len(a.offsets)/a.offsetSize() <= a.length {
		return errSize
	}
	last := int64(0)
	for i := range a.length + 1 {
		at := a.offset(i)
		if at < last || at > int64(end) {
			return errors.New("damaged Arrow batch: an offset leads outside of its values")
		}
		last = at
	}
	return nil
}

func (a *array) offsetSize() int {
	switch a.kind {
	case typeLargeBinary, typeLargeText, typeLargeList:
		return 8
	}
	return 4
}

func (a *array) offset(i int) int64 {
	if a.offsetSize() == 8 {
		return int64(binary.LittleEndian.Uint64(a.offsets[8*i:]))
	}
	return int64(binary.LittleEndian.Uint32(a.offsets[4*i:]))
}

// bytesOfValue is what a value counts for beside its text.
const bytesOfValue = 16

// value is value i; left is how many bytes the row may still come to.
func (a *array) value(i int, left *int) (any, error) {
	if *left -= bytesOfValue; *left < 0 {
		return nil, ErrLarge
	}
	if a.kind == typeNull || len(a.valid) > 0 && !bit(a.valid, i) {
		return nil, nil
	}
	if a.dict != nil {
		return a.dict.entry(a.integer(i), left)
	}
	switch a.kind {
	case typeInt:
		return a.integer(i), nil
	case typeFloat:
		return a.float(i), nil
	case typeBool:
		return bit(a.data, i), nil
	case typeStruct:
		return a.object(i, left)
	case typeBinary, typeText, typeLargeBinary, typeLargeText:
		from, to := a.offset(i), a.offset(i+1)
		if *left -= int(to - from); *left < 0 {
			return nil, ErrLarge
		}
		return string(a.data[from:to]), nil
	case typeFixedList:
		return a.list(i*a.size, (i+1)*a.size, left)
	case typeMap:
		return a.mapping(i, left)
	}
	return a.list(int(a.offset(i)), int(a.offset(i+1)), left)
}

func bit(b []byte, i int) bool { return b[i/8]>>(i%8)&1 != 0 }

// entry is an entry of a dictionary, which may consist of several parts.
func (a *array) entry(index any, left *int) (any, error) {
	at, ok := index.(int64)
	if unsigned, is := index.(uint64); is {
		at, ok = int64(unsigned), unsigned <= math.MaxInt64
	}
	parts := []*array{}
	for part := a; part != nil; part = part.before {
		parts = append(parts, part)
	}
	for p := len(parts) - 1; ok && at >= 0 && p >= 0; p-- {
		if at < int64(parts[p].length) {
			return parts[p].value(int(at), left)
		}
		at -= int64(parts[p].length)
	}
	return nil, fmt.Errorf("damaged Arrow batch: the dictionary has no entry %v", index)
}

func (a *array) integer(i int) any {
	var word [8]byte
	copy(word[:], a.data[i*a.width:(i+1)*a.width])
	v := binary.LittleEndian.Uint64(word[:])
	if !a.signed {
		return v
	}
	shift := 64 - 8*a.width
	return int64(v<<shift) >> shift
}

func (a *array) float(i int) float64 {
	b := a.data[i*a.width:]
	switch a.width {
	case 2:
		return float64(half.FromF16(binary.LittleEndian.Uint16(b)))
	case 4:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(b))
}

func (a *array) list(from, to int, left *int) (any, error) {
	if (to-from)*bytesOfValue > *left {
		return nil, ErrLarge
	}
	items := make([]any, to-from)
	for i := range items {
		var err error
		if items[i], err = a.children[0].value(from+i, left); err != nil {
			return nil, err
		}
	}
	return items, nil
}

func (a *array) object(i int, left *int) (any, error) {
	o := make(map[string]any, len(a.children))
	for _, c := range a.children {
		if c.hidden {
			continue
		}
		v, err := c.value(i, left)
		if err != nil {
			return nil, err
		}
		o[c.name] = v
	}
	return o, nil
}

// mapping is a map as an object.
func (a *array) mapping(i int, left *int) (any, error) {
	o := map[string]any{}
	entries := a.children[0]
	for at := int(a.offset(i)); at < int(a.offset(i+1)); at++ {
		key, err := entries.children[0].value(at, left)
		if err != nil {
			return nil, err
		}
		if o[fmt.Sprint(key)], err = entries.children[1].value(at, left); err != nil {
			return nil, err
		}
	}
	return o, nil
}
