package wasm

// appendU32 appends an unsigned number in LEB128.
func appendU32(b []byte, v uint32) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

// appendSigned appends a signed number in LEB128.
func appendSigned(b []byte, v int64) []byte {
	for v < -0x40 || v >= 0x40 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v)&0x7f)
}

// appendName appends a name, or any bytes with their length before them.
func appendName[T string | []byte](b []byte, name T) []byte {
	return append(appendU32(b, uint32(len(name))), name...)
}
