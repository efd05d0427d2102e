package cpu

import (
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A processor with AVX-512 runs everything, so that a kernel which strays from its set would go unnoticed there.
func TestKernelsForAVX2NameNoRegistersOfAVX512(t *testing.T) {
	text, err := os.ReadFile("kernels_amd64.s")
	if err != nil {
		t.Fatal(err)
	}
	newer := regexp.MustCompile(`\b(Z\d+|K[0-7]|[XY](1[6-9]|2\d|3[01]))\b`)
	name, seen := "", 0
	for line := range strings.Lines(string(text)) {
		if begin, ok := strings.CutPrefix(line, "TEXT ·"); ok {
			name, _, _ = strings.Cut(begin, "(")
		}
		if strings.HasSuffix(name, "AVX2") || strings.HasSuffix(name, "AVX") {
			seen++
			if newer.MatchString(line) {
				t.Errorf("%s: %s", name, strings.TrimSpace(line))
			}
		}
	}
	if seen == 0 {
		t.Error("there is no kernel for AVX2")
	}
}

// Within the vectors of a loop or in its tail: where work is cut must not show.
func TestAnElementHasTheSameBitsWhereverItStands(t *testing.T) {
	const n = 39
	assembly(t, func(t *testing.T, set *kernelSet) {
		r := rand.New(rand.NewPCG(5, 6))
		for _, c := range rowCases {
			var whole, single [][]float32
			for range c.operands {
				x := operand(t, r, n)
				whole, single = append(whole, x), append(single, slices.Clone(x))
			}
			c.run(set, whole)
			for i := range n {
				var one [][]float32
				for _, x := range single {
					one = append(one, x[i:i+1])
				}
				c.run(set, one)
			}
			for i := range whole {
				if !slices.Equal(whole[i], single[i]) {
					t.Errorf("%s: operand %d differs when computed one by one", c.name, i)
				}
			}
		}
	})
}
