//go:build cuda

package cuda

import (
	"strings"
	"testing"
)

// What a launch cannot have must not become less of it.
func TestALaunchOfTooManyBlocksIsAnError(t *testing.T) {
	d := opened(t).(*Device)
	x := allocated(t, d, 1)
	c := d.call("Scale")
	at := c.write("x", x, 1)
	for _, s := range []shape{{1<<32 + 1, 1, 1, 256, 0}, {1, 1 << 16, 1, 256, 0}, {1, 1, 1<<32 + 1, 256, 0}} {
		d.launch("vector", "scale_f32", s, at, 1, f32(2))
		if err := d.Sync(); err == nil || !strings.Contains(err.Error(), "scale_f32: ") ||
			!strings.Contains(err.Error(), "blocks are more than a launch may have") {
			t.Errorf("a launch of %+v: %v", s, err)
		}
	}
	closed(t, d)
}
