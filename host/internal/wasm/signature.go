package wasm

// A funcType is the signature of a function. Its slices are the module's own bytes.
type funcType struct {
	params, results []byte
}

func (r *reader) funcType() funcType {
	if form := r.byte(); r.err == nil && form != 0x60 {
		r.fail("type 0x%02x is no function type", form)
	}
	params := r.valueTypes("parameters")
	return funcType{params, r.valueTypes("results")}
}
