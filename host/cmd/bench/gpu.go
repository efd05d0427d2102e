package main

import (
	"fmt"

	"github.com/carebot-llm/carebot/accelerators"
)

// gpuSections are measured on the device that -device names, with the loops that recipes run in, and go to a page of
// their own.
var gpuSections = []section{
	{"gpu-training", gpuTraining},
	{"gpu-scoring", gpuScoring},
	{"gpu-generation", gpuGeneration},
}

// A gpuGoal is the rate that a first version should reach, and the one after tuning.
type gpuGoal struct{ first, final float64 }

// of says how far a rate is.
func (g gpuGoal) of(rate float64) string {
	if g.first == 0 {
		return "none"
	}
	return fmt.Sprintf("%s of %s, goal %s", percent(rate/g.first), number(g.first), number(g.final))
}

// openGPU opens the device under test.
func (b *bench) openGPU() (accelerators.Device, error) {
	dev, _, err := accelerators.Open(b.device)
	return dev, err
}

// size is a shape as it is measured: itself, or a tiny one of its kind, which shows only that everything runs.
func (b *bench) size(s shape) shape {
	if !b.tiny {
		return s
	}
	s.Layers, s.Width, s.Heads, s.Inner, s.Vocab, s.Length, s.Batch = 2, 64, 4, 128, 8192, 64, 2
	s.KV = min(s.KV, 2)
	return s
}
