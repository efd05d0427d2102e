package recipe

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
)

// Bytes is an amount of memory or storage. A recipe writes it as a number of bytes, or as text with a unit: B, KB,
// MB, GB, TB (powers of 1000), KiB, MiB, GiB, TiB (powers of 1024).
type Bytes int64

const sizePattern = `^([0-9]{1,15}(?:\.[0-9]{1,6})?) ?([KMGT]i?B|B)?$`

var sizeForm = regexp.MustCompile(sizePattern)

var byteUnits = []struct {
	name string
	size Bytes
}{
	{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
	{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}, {"B", 1}, {"", 1},
}

// ParseBytes reads what String writes, and numbers without a unit.
func ParseBytes(text string) (Bytes, error) {
	parts := sizeForm.FindStringSubmatch(text)
	if parts == nil {
		return 0, fmt.Errorf("want a size such as 256MiB or 5GB")
	}
	number, err := strconv.ParseFloat(parts[1], 64)
	if err != nil {
		return 0, fmt.Errorf("read size %q: %w", text, err)
	}
	for _, u := range byteUnits {
		if u.name == parts[2] {
			number *= float64(u.size)
		}
	}
	if number >= math.MaxInt64 {
		return 0, fmt.Errorf("%s is larger than any memory", text)
	}
	return Bytes(number), nil
}

// String is the shortest exact form: 256MiB, 1500KB, 17B.
func (b Bytes) String() string {
	best := strconv.FormatInt(int64(b), 10) + "B"
	for _, u := range byteUnits {
		form := strconv.FormatInt(int64(b/u.size), 10) + u.name
		if u.name != "" && b%u.size == 0 && len(form) < len(best) {
			best = form
		}
	}
	return best
}
