// Package train holds the one training loop. A stage is start weights, a plan of batches, an objective and a length; the loop
// turns them into trained weights, metrics and checkpoints. It goes on from the last checkpoint to the same bits as a run
// that was never interrupted.
//
// Reading order: Job (what goes in), Run (the loop), objective (what is learned), optimizer, checkpoint.
package train

import (
	"cmp"
	"log/slog"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/model"
	"github.com/carebot-llm/carebot/host/internal/recipe"
)

// A Job is one train stage.
type Job struct {
	Name   string
	Spec   recipe.Train
	Device accelerators.Device
	Model  *model.Model // start weights; trained in place
	Plan   *data.Plan
	Dir    string // of the stage: metrics, events, checkpoints
	Seed   uint64 // of moments that are rounded at random
	Key    string // of the stage's inputs: a checkpoint with another key is not gone on from
	// Describe writes what makes a checkpoint a whole model directory besides its weights: configuration and tokenizer.
	Describe func(dir string) error
	Progress Progress
	Log      *slog.Logger
}

// microBatch is the number of rows of one forward pass.
func (j Job) microBatch() int { return cmp.Or(j.Spec.MicroBatchSize, j.Spec.BatchSize) }

// referenceBatch is the number of sequences of one forward pass of dpo's reference.
func (j Job) referenceBatch() int { return 2 * j.microBatch() }

// Progress is told of every step. Step counts from 1.
type Progress interface {
	Step(step, steps int, m Metrics)
}

// A Result is what a finished stage reports.
type Result struct {
	Dir       string  `json:"dir"` // checkpoint directory of the trained model
	Steps     int     `json:"steps"`
	Tokens    int64   `json:"tokens"` // tokens that went through the model
	FirstLoss float64 `json:"first_loss"`
	LastLoss  float64 `json:"last_loss"` // mean over the last tenth of the steps
	Accuracy  float64 `json:"accuracy"`  // the same, of objectives that decide; else 0
	PeakBytes int64   `json:"peak_bytes"`

	Optimizer    string `json:"optimizer"`
	Moments      int64  `json:"moments_bytes"`         // what the optimizer's states take
	FloatMoments int64  `json:"float32_moments_bytes"` // what they would in float32
}
