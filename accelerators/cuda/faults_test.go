//go:build cuda

package cuda

import (
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
)

// Numbers of checks are given anew when there are many; what is out of range is named all the same.
func TestManyChecks(t *testing.T) {
	d := opened(t).(*Device)
	ids, err := d.Alloc(accelerators.I32, 1)
	if err != nil {
		t.Fatal(err)
	}
	d.UploadI32(ids, []int32{7})
	for range 2 {
		for i := range mostChecks + 1 {
			d.number(rangeCheck{op: "Gather", low: i})
		}
		c := d.call("Embed")
		c.ids("ids", ids, 1, 0, 7)
		if err := d.Sync(); err == nil || !strings.Contains(err.Error(), "Embed: ids[0] is 7, want 0 to 6") {
			t.Errorf("Sync says %v", err)
		}
		if n := len(d.faults.checks); n > 0 {
			t.Errorf("%d checks are kept", n)
		}
	}
	closed(t, d)
}
