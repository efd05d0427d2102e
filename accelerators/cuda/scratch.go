//go:build cuda

package cuda

import "gorgonia.org/cu"

// The slots of scratch memory. Operations that run inside one another use different ones.
const (
	slotClip     = iota // what a gradient is multiplied with
	slotCodes           // the tables of numbers in few bits, which stay there
	slotSums            // sums of the first stage
	slotScales          // scales of blocks before they are packed
	slotSort            // ids in order
	slotDraws           // draws of a sampling
	slotRoundedA        // operands of a product, in bf16
	slotRoundedB
	slotLibrary // the workspace of cublasLt
	slotMeans   // of attention's gradient
	slotParts   // of decoded outputs
	slotCount
)

// scratches is memory of the device that outlives an operation; each slot keeps its largest size.
type scratches [slotCount]struct {
	at    cu.DevicePtr
	bytes int
}

// scratch is the address of memory of at least so many bytes, on a boundary of 256. Its contents are undefined; the
// work before may still use them.
func (d *Device) scratch(slot, bytes int) uint64 {
	s := &d.scratches[slot]
	if bytes <= s.bytes || d.err != nil {
		return uint64(s.at)
	}
	defer d.enter()()
	if s.bytes > 0 {
		d.buried = append(d.buried, s.at)
	}
	s.at, s.bytes = 0, 0
	at, err := d.take(int64(bytes))
	if err != nil {
		d.note(err, "scratch memory")
		return 0
	}
	s.at, s.bytes = at, bytes
	return uint64(at)
}
