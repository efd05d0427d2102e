package images

import (
	"strings"
	"testing"
)

func TestForTakesTheNearestTarget(t *testing.T) {
	for _, c := range []struct {
		major, minor int
		want         string
	}{
		{8, 0, "sm_80"}, {8, 6, "sm_80"}, {8, 9, "sm_89"}, {9, 0, "sm_90a"}, {10, 0, "sm_100"}, {10, 3, "sm_100"},
		{8, 7, "compute_80"}, {10, 1, "compute_80"}, {11, 0, "compute_80"}, {12, 0, "compute_80"},
	} {
		if got, err := For(c.major, c.minor); err != nil || got.Name != c.want {
			t.Errorf("%d.%d gets %s, %v; want %s", c.major, c.minor, got.Name, err, c.want)
		}
	}
}

func TestForRefusesOldGPUs(t *testing.T) {
	for _, old := range [][2]int{{7, 5}, {7, 0}, {6, 1}, {3, 5}} {
		_, err := For(old[0], old[1])
		if err == nil || !strings.Contains(err.Error(), "8.0 or newer") {
			t.Errorf("%v: %v", old, err)
		}
	}
}
