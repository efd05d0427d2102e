package tensor

import "github.com/carebot-llm/carebot/accelerators"

// A Packed is rows of a frozen matrix that are held in NF4 instead of float32: a tensor of its own, whatever it is fused
// with, so that its blocks of weights are counted from its first.
type Packed struct {
	from, rows, cols int
	words            accelerators.Buffer
}

func (p *Packed) size() int { return p.rows * p.cols }

// Store packs values, row after row.
func (p *Packed) Store(dev accelerators.Device, values accelerators.Buffer) {
	dev.PackNF4(p.words, values.Slice(0, p.size()))
}

// Load unpacks all rows, or the first that values has room for.
func (p *Packed) Load(dev accelerators.Device, values accelerators.Buffer) {
	dev.UnpackNF4(values, p.words, p.size(), 0)
}

// Pack has a matrix held as packed tensors that follow each other, of so many rows each, once its set has storage. The set
// must be frozen.
func (p *Param) Pack(rows ...int) []*Packed {
	from := 0
	for _, n := range rows {
		p.packed = append(p.packed, &Packed{from: from, rows: n, cols: p.Shape[1]})
		from += n
	}
	return p.packed
}

// packedLen is how many words the packed tensors take.
func (s *ParamSet) packedLen() int {
	n := 0
	for _, p := range s.params {
		for _, packed := range p.packed {
			n += aligned(accelerators.NF4Words(packed.size()))
		}
	}
	return n
}

// placePacked gives the packed tensors their words.
func (s *ParamSet) placePacked() {
	at := 0
	for _, p := range s.params {
		for _, packed := range p.packed {
			n := accelerators.NF4Words(packed.size())
			packed.words = s.words.Slice(at, n)
			at += aligned(n)
		}
	}
}

// tileSize is about how many weights are unpacked at a time, so that they are still in a processor's cache when they are
// read.
const tileSize = 1 << 20

// tileRows is how many rows are unpacked at a time: each tile begins where unpacking can.
func (p *Packed) tileRows() int {
	step := accelerators.NF4Unit / gcd(accelerators.NF4Unit, p.cols)
	return max(1, tileSize/p.cols/step) * step
}

func gcd(a, b int) int {
	for b > 0 {
		a, b = b, a%b
	}
	return a
}

// tiles calls use with all rows of w, from number first on: at once or, where they are packed, as many at a time as are
// unpacked together. What rows is, is gone when use returns.
func (t *Tape) tiles(w *Param, use func(first int, rows accelerators.Buffer)) {
	switch {
	case len(w.packed) > 0 && t.kind() == accelerators.BF16:
		t.unpacked(w, use)
	case len(w.packed) > 0:
		t.unpackedTiles(w, use)
	default:
		if all := t.factor(w); t.err == nil {
			use(0, all)
		}
	}
}

// unpacked is for devices that hold BF16, which are quick at large products and have memory for one matrix.
func (t *Tape) unpacked(w *Param, use func(first int, rows accelerators.Buffer)) {
	all := t.borrow(accelerators.BF16, w.Size())
	if t.err != nil {
		return
	}
	for _, p := range w.packed {
		t.dev.UnpackNF4(all.Slice(p.from*p.cols, p.size()), p.words, p.size(), 0)
	}
	use(0, all)
	t.giveBack(all)
}

func (t *Tape) unpackedTiles(w *Param, use func(first int, rows accelerators.Buffer)) {
	for _, p := range w.packed {
		for at, step := 0, p.tileRows(); at < p.rows; at += step {
			rows := t.borrow(t.kind(), min(step, p.rows-at)*p.cols)
			if t.err != nil {
				return
			}
			t.dev.UnpackNF4(rows, p.words, p.size(), at*p.cols)
			use(p.from+at, rows)
			t.giveBack(rows)
		}
	}
}
