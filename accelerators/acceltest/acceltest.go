// Package acceltest is the suite that every accelerators.Device must pass. Each operation is compared with float64
// loops written here in the plainest way, and each gradient with central differences of those loops; nothing is taken
// from a device.
//
// Shapes are odd on purpose (1, 3, 17, 64, 65, and sizes that cross the blocks of a fast kernel), operands are
// windows in the middle of allocations with guards on both sides, and what an operation overwrites holds NaN before.
package acceltest

import (
	"slices"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
)

// The tolerances: errors are at most tolerance * (1 + |wanted|). Inputs are of size one.
const (
	exactly     = 0
	elementwise = 2e-6 // a few roundings
	reduced     = 2e-5 // sums over a row
	summed      = 2e-4 // long sums and chains of products
	stored      = 4e-3 // one rounding to bfloat16, which is 2^-9, and something for what is small
)

// A suite is a test of some kernels.
type suite struct {
	name string
	run  func(*rig)
}

var suites = []suite{
	{"Memory", testMemory},
	{"Errors", testErrors},
	{"Vector", testVector},
	{"Reductions", testReductions},
	{"MatMul", testMatMul},
	{"Fetch", testFetch},
	{"Together", testTogether},
	{"MatMulBF16", testBF16},
	{"HeadBF16", testHeadBF16},
	{"Bias", testBias},
	{"Embed", testEmbed},
	{"Gather", testGather},
	{"RMSNorm", testRMSNorm},
	{"HeadNorm", testHeadNorm},
	{"LayerNorm", testLayerNorm},
	{"RoPE", testRoPE},
	{"Activations", testActivations},
	{"Attention", testAttention},
	{"AttentionGrad", testAttentionGrad},
	{"AttentionCapped", testAttentionCapped},
	{"AttentionLong", testAttentionLong},
	{"AttentionGradRanges", testAttentionGradRanges},
	{"AttentionPacked", testAttentionPacked},
	{"AttentionPrefix", testAttentionPrefix},
	{"AttentionWideWindow", testAttentionWideWindow},
	{"AttentionEqualValues", testAttentionEqualValues},
	{"AttentionContains", testAttentionContains},
	{"AttentionMistakes", testAttentionMistakes},
	{"AttentionDecode", testAttentionDecode},
	{"HeadLoss", testHeadLoss},
	{"AdamW", testAdamW},
	{"AdamWBF16", testAdamWBF16},
	{"AdamW8Bit", testAdamW8Bit},
	{"NF4", testNF4},
	{"Sample", testSample},
	{"Repeatable", testRepeatable},
	{"Peak", testPeak},
}

// halved are the tests of activations in BF16, for devices that hold it: those of F32 with operands that bfloat16 has
// exactly, and some of their own.
var halved = []suite{
	{"Memory", testMemoryBF16},
	{"MatMul", testMatMulTypes},
	{"UnpackNF4", testUnpackBF16},
	{"Types", testTypeMistakes},
	{"Vector", testVector},
	{"Bias", testBias},
	{"Embed", testEmbed},
	{"Gather", testGather},
	{"RMSNorm", testRMSNorm},
	{"HeadNorm", testHeadNorm},
	{"LayerNorm", testLayerNorm},
	{"RoPE", testRoPE},
	{"Activations", testActivations},
	{"Attention", testAttention},
	{"AttentionGrad", testAttentionGrad},
	{"AttentionCapped", testAttentionCapped},
	{"AttentionLong", testAttentionLong},
	{"AttentionGradRanges", testAttentionGradRanges},
	{"AttentionPacked", testAttentionPacked},
	{"AttentionPrefix", testAttentionPrefix},
	{"AttentionWideWindow", testAttentionWideWindow},
	{"AttentionEqualValues", testAttentionEqualValues},
	{"AttentionContains", testAttentionContains},
	{"AttentionDecode", testAttentionDecode},
	{"HeadLoss", testHeadLoss},
	{"Repeatable", testRepeatable},
}

// Run checks a device. open is called once for each subtest, and once more, and must return a fresh device; Run closes
// it. With -short, Repeatable is left out, and so are operands on boundaries of 16 bytes, after those on odd elements.
// Names of suites, such as MatMul, leave out all others.
func Run(t *testing.T, open func() accelerators.Device, only ...string) {
	dev := open()
	holds := dev.HoldsBF16()
	if err := dev.Close(); err != nil {
		t.Fatal(err)
	}
	all := func(t *testing.T, guard int) {
		runAll(t, open, form{accelerators.F32, guard}, named(suites, only))
		if holds {
			t.Run("BF16", func(t *testing.T) { runAll(t, open, form{accelerators.BF16, guard}, named(halved, only)) })
		}
	}
	all(t, odd)
	if !testing.Short() {
		t.Run("Aligned", func(t *testing.T) { all(t, aligned) })
	}
}

func named(all []suite, only []string) []suite {
	if len(only) == 0 {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(s suite) bool { return !slices.Contains(only, s.name) })
}

func runAll(t *testing.T, open func() accelerators.Device, f form, suites []suite) {
	for _, s := range suites {
		t.Run(s.name, func(t *testing.T) {
			r := newRig(t, open(), f)
			s.run(r)
			r.close()
		})
	}
}

func testRepeatable(r *rig) {
	if testing.Short() {
		r.t.Skip("-short")
	}
	print := Fingerprint
	if r.held == accelerators.BF16 {
		print = fingerprintBF16
	}
	first, second := print(r.t, r.dev), print(r.t, r.dev)
	Same(r.t, first, second)
}
