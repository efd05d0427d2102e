//go:build cuda

package cuda

import (
	"slices"
	"unsafe"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/dynamic8"
)

// codeTable is the address of the table of package dynamic8 and of the levels of NF4 after it, which are uploaded once.
func (d *Device) codeTable() uint64 {
	if at := d.scratches[slotCodes].at; at != 0 {
		return uint64(at)
	}
	table := slices.Concat(dynamic8.Table(), accelerators.NF4Levels[:])
	at := d.scratch(slotCodes, 4*len(table))
	d.upload(at, unsafe.Pointer(unsafe.SliceData(table)), 4*len(table))
	return at
}
