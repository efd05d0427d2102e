// Package adam is what the steps of accelerators.AdamW have in common on all devices: the numbers that they compute
// with and the random numbers that they round by.
package adam

import (
	"math"

	"github.com/carebot-llm/carebot/accelerators"
)

// Factors are the numbers of one step, with the bias corrections worked in, in the order of the constants below.
type Factors = [9]float32

// The places of the factors.
const (
	GradScale = iota
	Beta1
	Keep1 // 1-Beta1
	Beta2
	Keep2
	RootScale // 1/sqrt(1-Beta2^step)
	Epsilon
	Rate  // lr/(1-Beta1^step)
	Decay // 1-lr*weight decay
)

// FactorsOf are those of a step that does not clip.
func FactorsOf(s accelerators.AdamW) Factors {
	b1, b2, step := float64(s.Beta1), float64(s.Beta2), float64(s.Step)
	return Factors{
		GradScale: 1,
		Beta1:     s.Beta1,
		Keep1:     float32(1 - b1),
		Beta2:     s.Beta2,
		Keep2:     float32(1 - b2),
		RootScale: float32(1 / math.Sqrt(1-math.Pow(b2, step))),
		Epsilon:   s.Eps,
		Rate:      float32(float64(s.LR) / (1 - math.Pow(b1, step))),
		Decay:     float32(1 - float64(s.LR)*float64(s.WeightDecay)),
	}
}

// CounterStep is the distance between the counters of neighbouring elements; being odd it repeats none of 2^32.
const CounterStep = 0x9e3779b9

// RoundingKey is the counter of the first element of a step. Scrambled it is the 32 random bits of the element.
func RoundingKey(s accelerators.AdamW) uint32 {
	return Scrambled(Scrambled(uint32(s.Seed)) ^ Scrambled(uint32(s.Seed>>32)+CounterStep) + uint32(s.Step)*0x85ebca6b)
}

// Scrambled is the finalizer of MurmurHash3: each bit of x may turn each bit of the result.
func Scrambled(x uint32) uint32 {
	x = (x ^ x>>16) * 0x85ebca6b
	x = (x ^ x>>13) * 0xc2b2ae35
	return x ^ x>>16
}
