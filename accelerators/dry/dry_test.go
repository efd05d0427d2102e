package dry

import (
	"slices"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
)

func TestTheDeviceHasRoomForAnythingAndHoldsNothing(t *testing.T) {
	dev := New(false)
	a, err := dev.Alloc(accelerators.F32, 1<<50)
	if err != nil || a.Len != 1<<50 || a.Type != accelerators.F32 || !a.Present() {
		t.Fatalf("%+v, %v", a, err)
	}
	b, err := dev.Alloc(accelerators.I32, 1)
	if err != nil || b.Mem == a.Mem {
		t.Fatalf("two allocations are one: %+v, %v", b, err)
	}
	dev.UploadF32(a.Slice(7, 2), []float32{1, 2})
	floats, ints := []float32{3, 4}, []int32{5}
	if err := dev.DownloadF32(floats, a.Slice(7, 2)); err != nil || !slices.Equal(floats, []float32{0, 0}) {
		t.Errorf("floats come back as %v, %v", floats, err)
	}
	if err := dev.DownloadI32(ints, b); err != nil || ints[0] != 0 {
		t.Errorf("ints come back as %v, %v", ints, err)
	}
}
