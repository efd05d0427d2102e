// Package acceltest is the suite that every accelerators.Device must pass. Each operation is compared with float64
// loops written here in the plainest way, and each gradient with central differences of those loops; nothing is taken
// from a device.
//
// Shapes are odd on purpose (1, 3, 17, 64, 65, and sizes that cross the blocks of a fast kernel), operands are
// windows in the middle of allocations with guards on both sides, and what an operation overwrites holds NaN before.
package acceltest

import (
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
)

// The tolerances: errors are at most tolerance * (1 + |wanted|). Inputs are of size one.
const (
	exactly     = 0
	elementwise = 2e-6 // a few roundings
	reduced     = 2e-5 // sums over a row
	summed      = 2e-4 // long sums and chains of products
)

var suites = []struct {
	name string
	run  func(*rig)
}{
	{"Memory", testMemory},
	{"Errors", testErrors},
	{"Vector", testVector},
	{"Reductions", testReductions},
	{"MatMul", testMatMul},
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

// Run checks a device. open is called once for each subtest and must return a fresh device; Run closes it. With
// -short, Repeatable is left out.
func Run(t *testing.T, open func() accelerators.Device) {
	for _, s := range suites {
		t.Run(s.name, func(t *testing.T) {
			r := newRig(t, open())
			s.run(r)
			r.close()
		})
	}
}

func testRepeatable(r *rig) {
	if testing.Short() {
		r.t.Skip("-short")
	}
	first, second := Fingerprint(r.t, r.dev), Fingerprint(r.t, r.dev)
	Same(r.t, first, second)
}
