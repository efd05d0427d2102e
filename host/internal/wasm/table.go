package wasm

// A table is a table that the module defines.
type table struct {
	element byte
	limits
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
