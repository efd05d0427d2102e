package wasm

// Value types, and the type of a block without results.
const (
	typeI32       = 0x7f
	typeI64       = 0x7e
	typeV128      = 0x7b
	typeFuncref   = 0x70
	typeExternref = 0x6f
	blockEmpty    = 0x40
)

func isValueType(t byte) bool {
	return t >= typeV128 && t <= typeI32 || isReference(t)
}

func isReference(t byte) bool { return t == typeFuncref || t == typeExternref }

func (r *reader) valueType() byte {
	t := r.byte()
	if r.err == nil && !isValueType(t) {
		r.fail("value type 0x%02x is not known", t)
	}
	return t
}

func (r *reader) referenceType() {
	if t := r.byte(); r.err == nil && !isReference(t) {
		r.fail("reference type 0x%02x is not known", t)
	}
}

func (r *reader) valueTypes(what string) []byte {
	types := r.bytes(r.count(what, maxParams))
	for _, t := range types {
		if !isValueType(t) {
			r.fail("%s: value type 0x%02x is not known", what, t)
		}
	}
	return types
}

// blockType reads the type of a block: none, one value, or a signature.
func (r *reader) blockType(types []funcType) (t funcType) {
	switch n := r.signed(33); {
	case r.err != nil || n == blockEmpty-0x80:
	case n >= int64(len(types)):
		r.fail("type %d, there are %d", n, len(types))
	case n >= 0:
		t = types[n]
	case n < -0x40 || !isValueType(byte(n)&0x7f):
		r.fail("block type %d is not known", n)
	default:
		t.results = r.data[r.at-1 : r.at]
	}
	return t
}
