//go:build !purego

package cpu

import "testing"

func TestCacheSizesAreRead(t *testing.T) {
	lists := map[string][][4]uint32{
		"Granite Rapids": {{0x121, 0x2c0003f, 63}, {0x122, 0x3c0003f, 63}, {0x143, 0x3c0003f, 2047}},
		"Zen 4":          {{0x4121, 0x1c0003f, 63}, {0x4122, 0x1c0003f, 63}, {0x4143, 0x1c0003f, 2047}},
		"none":           {},
	}
	for name, want := range map[string]int{"Granite Rapids": 2 << 20, "Zen 4": 1 << 20, "none": 0} {
		got := dataCache(2, func(i uint32) (a, b, c, d uint32) {
			if int(i) >= len(lists[name]) {
				return 0, 0, 0, 0
			}
			x := lists[name][i]
			return x[0], x[1], x[2], x[3]
		})
		if got != want {
			t.Errorf("%s: %d bytes, want %d", name, got, want)
		}
	}
}

func TestBlocksFitTheCache(t *testing.T) {
	for cache, want := range map[int]int{2 << 20: 256, 1 << 20: 128, 0: 128, 1 << 40: 128} {
		if got := blockBytes(cache) / (4 * blockK); got != want {
			t.Errorf("%d columns in a cache of %d bytes, want %d", got, cache, want)
		}
	}
}
