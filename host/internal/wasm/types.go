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

// A funcType is the signature of a function. Its slices are the module's own bytes.
type funcType struct {
	params, results []byte
}

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

func (r *reader) funcType() funcType {
	if form := r.byte(); r.err == nil && form != 0x60 {
		r.fail("type 0x%02x is no function type", form)
	}
	params := r.valueTypes("parameters")
	return funcType{params, r.valueTypes("results")}
}

// limits are the size of a table or memory when the module starts, and how far it may grow.
type limits struct {
	min, max uint32
	bounded  bool
}

func (r *reader) limits() limits {
	var l limits
	switch flags := r.byte(); flags {
	case 0, 1:
		l.min = r.u32()
		if l.bounded = flags == 1; l.bounded {
			l.max = r.u32()
		}
	default:
		r.fail("limits 0x%02x are not supported (shared or 64-bit memory)", flags)
	}
	return l
}

// blockType reads the type of a block: none, one value, or a signature.
func (r *reader) blockType(types int) {
	switch t := r.signed(33); {
	case r.err != nil:
	case t >= 0 && t >= int64(types):
		r.fail("type %d, there are %d", t, types)
	case t < 0 && t != blockEmpty-0x80 && (t < -0x40 || !isValueType(byte(t)&0x7f)):
		r.fail("block type %d is not known", t)
	}
}
