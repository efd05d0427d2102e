// Package dynamic8 is the map of accelerators.Dynamic8: which shares of a block's scale the codes of eight bits are.
// Devices have it from here, as functions and as the table that their kernels read.
package dynamic8

import (
	"math"
	"unsafe"
)

// A codeMap is the map of numbers with a sign or of those without. The share of a code with n as its leading one's
// value lies in one of n equal cells of a decade [0.1, 1)*10^k, at the cell's middle. Both directions are tables of
// straight lines. The kernels know the layout.
type codeMap struct {
	// A share x from 2^-31 on is in entry e = its exponent+31, or in the next one from the border of e on. Its code is
	// slope*x+offset, cut to an integer and at most top.
	border, slope, offset, top [32]float32
	// The share of code c is rise*(2c+1)+start, of the entry that is the last four bits of 2c+1's exponent.
	rise, start [16]float32
	least       [16]float32 // what smaller shares are taken for, in all lanes

	shares [256]float32 // of the codes, one by one
}

// bothMaps are the map of numbers with a sign, whose codes here are those of magnitudes, and of those without.
type bothMaps struct{ signed, unsigned codeMap }

const (
	decades = 7
	signBit = 128 // as a code it is the scale itself
)

// The second moment is never taken for zero, as the step divides by its root.
var maps = func() *bothMaps {
	m := &bothMaps{newCodeMap(1, signBit), newCodeMap(2, 1)}
	m.signed.setLeast(0x1p-31)
	m.unsigned.setLeast(m.unsigned.shares[2])
	return m
}()

// newCodeMap has first cells in the lowest decade, and the code whole for a share of 1.
func newCodeMap(first int, whole float32) codeMap {
	var m codeMap
	smallest := math.Pow10(1-decades) * (0.1 + 0.45/float64(first))
	largest := 1 - 0.45/float64(first<<(decades-1))
	next := 0 // the decade that an entry's numbers beyond the border are in; -1 below all
	for e := range m.border {
		m.border[e], m.top[e] = float32(math.Inf(1)), 0
		if next > 0 {
			m.encode(e, next-1, first)
		}
		if edge := m.edge(next, first, smallest, largest); edge < math.Ldexp(1, e-30) {
			m.border[e] = float32(edge)
			next++
		}
	}
	m.offset[31], m.top[31], m.slope[31] = whole, whole, 0
	for k := range decades {
		m.decode(k, first)
	}
	if whole == 1 {
		m.start[0] = 1
	}
	for code := range m.shares {
		m.shares[code] = m.share(uint32(code))
	}
	return m
}

// edge is where the numbers begin that are nearer to the first cell of a decade than to what is below it; of the decade
// after the last, those that are nearer to 1.
func (m *codeMap) edge(decade, first int, smallest, largest float64) float64 {
	switch {
	case decade == 0:
		return smallest / 2
	case decade == decades:
		return (largest + 1) / 2
	case decade > decades:
		return math.Inf(1)
	}
	low := math.Pow10(decade - decades)
	return low + 0.9*low/float64(first<<(decade-1))
}

func (m *codeMap) encode(e, decade, first int) {
	cells := float64(first << decade)
	m.slope[e] = float32(cells / (0.9 * math.Pow10(decade+1-decades)))
	m.offset[e] = float32(cells * (1 - 0.1/0.9))
	m.top[e] = float32(2*cells - 1)
}

func (m *codeMap) decode(decade, first int) {
	cells, size := first<<decade, math.Pow10(decade+1-decades)
	e := (math.Ilogb(float64(2*cells)) + 127) & 15
	m.rise[e] = float32(size * 0.9 / float64(2*cells))
	m.start[e] = float32(size * (0.1 - 0.9))
}

func (m *codeMap) setLeast(x float32) {
	for i := range m.least {
		m.least[i] = x
	}
}

// share is that of a code, without its sign.
func (m *codeMap) share(code uint32) float32 {
	x := float32(2*code + 1)
	e := math.Float32bits(x) >> 23 & 15
	return float32(math.FMA(float64(m.rise[e]), float64(x), float64(m.start[e])))
}

// code is the code of a share x that is not negative and less than 2.
func (m *codeMap) code(x float32) uint32 {
	x = max(x, m.least[0])
	e := min(math.Float32bits(x)>>23-96, 31)
	if x >= m.border[e] {
		e++
	}
	return uint32(min(float32(m.slope[e]*x)+m.offset[e], m.top[e]))
}

// First is a number with a sign from its code.
func First(code byte, scale float32) float32 {
	if code == signBit {
		return scale
	}
	x := maps.signed.shares[code&^signBit] * scale
	if code&signBit != 0 {
		return -x
	}
	return x
}

// FirstCode is the code of a share with a sign. The lowest of all is -1 within half a cell: no code is left for it.
func FirstCode(x float32) byte {
	if x >= 0 {
		return byte(maps.signed.code(x))
	}
	if code := maps.signed.code(-x); code > 0 {
		return byte(min(code, signBit-1) | signBit)
	}
	return 0 // with the sign it would be the scale
}

// Second is a number without a sign from its code.
func Second(code byte, scale float32) float32 { return maps.unsigned.shares[code] * scale }

// SecondCode is the code of a share without a sign.
func SecondCode(x float32) byte { return byte(maps.unsigned.code(x)) }

// PerScale turns numbers of a block into shares. Scales that have no float32 reciprocal are those of blocks of almost
// zeros.
func PerScale(scale float32) float32 { return 1 / max(scale, 0x1p-126) }

// Table is the map of numbers with a sign and after it that of those without, as the floats that codeMap lists.
func Table() []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(maps)), unsafe.Sizeof(*maps)/unsafe.Sizeof(float32(0)))
}
