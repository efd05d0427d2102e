package train

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/dry"
	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/model"
	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/host/internal/tensor"
)

// Memory is what a stage takes of a device, in bytes. Scratch that the device takes for its own is not included.
type Memory struct {
	Weights   int64
	Gradients int64
	Moments   int64 // the optimizer's
	// FloatMoments is what they would take in float32; no part of the sum.
	FloatMoments int64
	Activations  int64 // with their gradients and the workspace of the head
}

// Total is the sum.
func (m Memory) Total() int64 { return m.Weights + m.Gradients + m.Moments + m.Activations }

// Footprint is the memory that a stage takes whose micro-batches are full: all rows as long as sequence_len. It is
// found by running one on a model that holds nothing, in milliseconds for a model of any size, for a device that holds
// BF16 or one that does not.
func Footprint(holdsBF16 bool, cfg model.Config, spec recipe.Train) (Memory, error) {
	dev := dry.New(holdsBF16)
	longest := cmp.Or(spec.SequenceLen, cfg.Context())
	sequences := cmp.Or(spec.MicroBatchSize, spec.BatchSize)
	if learnsPairs(spec.Objective) {
		sequences *= 2
	}
	need, m, err := rehearse(dev, cfg, spec, extent{sequences * longest, sequences, longest})
	if err != nil {
		return Memory{}, fmt.Errorf("memory of a train stage: %w", err)
	}
	o, err := newOptimizer(dev, m.Params(), spec, 0)
	if err != nil {
		return Memory{}, fmt.Errorf("memory of a train stage: %w", err)
	}
	return Memory{
		Weights:   m.FrozenBytes() + m.Params().Bytes(),
		Gradients: int64(m.Params().Count()) * int64(accelerators.F32.Size()),
		Moments:   o.bytes(), FloatMoments: o.floatBytes(), Activations: need.Total(),
	}, nil
}

// An extent is how large a micro-batch is.
type extent struct{ tokens, sequences, longest int }

// rehearse learns a micro-batch of an extent with a model that holds nothing, on a dry device, and returns what its
// arena needed, and the model.
func rehearse(
	dev accelerators.Device, cfg model.Config, spec recipe.Train, e extent,
) (tensor.Sizes, *model.Model, error) {
	m, err := model.New(dev, cfg, HeadFor(spec.Objective), 0, append(Adapted(spec, 0), model.Blank())...)
	if err != nil {
		return tensor.Sizes{}, nil, err
	}
	o, err := newObjective(spec)
	if err != nil {
		return tensor.Sizes{}, nil, err
	}
	if d, ok := o.(*dpo); ok {
		d.reference = make([]float32, e.sequences)
	}
	arena := tensor.NewArena(dev)
	if err := arena.Reserve(tensor.Unbounded); err != nil {
		return tensor.Sizes{}, nil, err
	}
	err = o.learn(newTape(Job{Device: dev, Model: m, Spec: spec}, arena), m, e.batch(), 1, &learned{})
	return arena.Used(), m, err
}

// batch is one of this extent, which every objective can learn from.
func (e extent) batch() data.Batch {
	b := data.Batch{
		Tokens: make([]int32, e.tokens), Targets: make([]int32, e.tokens), Weights: make([]float32, e.tokens),
		Offsets: []int32{0}, Sequences: make([]int32, e.sequences), Labels: make([]float32, e.sequences),
	}
	for left := e.tokens; len(b.Offsets) <= e.sequences; {
		n := min(e.longest, left-(e.sequences-len(b.Offsets))) // leaves a token for each of the others
		for p := range n {
			b.Positions = append(b.Positions, int32(p))
		}
		left -= n
		b.Offsets = append(b.Offsets, int32(len(b.Positions)))
	}
	return b
}

// largest bounds what goes through the model at once: the micro-batches of the plan, and those of dpo's reference.
func (j Job) largest() extent {
	var e extent
	for step := range j.Plan.Steps() {
		e = e.with(j.Plan.Batch(step), j.microBatch())
	}
	if j.Spec.Objective != "dpo" {
		return e
	}
	for from, size := 0, j.referenceBatch(); from < j.Plan.Sequences(); from += size {
		e = e.with(j.Plan.Range(from, min(from+size, j.Plan.Sequences())), size)
	}
	return e
}

// with is the extent that holds e and every run of so many rows of b.
func (e extent) with(b data.Batch, rows int) extent {
	for from := 0; from < len(b.Rows)-1; from += rows {
		first, last := b.Rows[from], b.Rows[min(from+rows, len(b.Rows)-1)]
		e.tokens = max(e.tokens, int(b.Offsets[last]-b.Offsets[first]))
		e.sequences = max(e.sequences, int(last-first))
	}
	for s := range b.Sequences {
		e.longest = max(e.longest, int(b.Offsets[s+1]-b.Offsets[s]))
	}
	return e
}

// allocate takes all the memory that the steps need, the model's aside, or says why the stage cannot be.
func (r *run) allocate() error {
	e := r.job.largest()
	r.unit.small = isSmall(r.job.Model.Config(), e)
	planning := dry.New(r.job.Device.HoldsBF16())
	need, rehearsed, err := rehearse(planning, r.job.Model.Config(), r.job.Spec, e)
	if err != nil {
		return err
	}
	params := r.job.Model.Params()
	planned, err := newOptimizer(planning, params, r.job.Spec, 0)
	if err != nil {
		return err
	}
	if err = r.arena.Reserve(need); err == nil {
		r.optimizer, err = newOptimizer(r.job.Device, params, r.job.Spec, r.job.Seed)
	}
	if err == nil {
		err = params.ReserveBF16(r.job.Device, rehearsed.Params())
	}
	if err != nil {
		return fmt.Errorf(
			"the device has no room: %d MiB for the activations of a pass over %d tokens and %d MiB for the moments of %d "+
				"weights: %w; %s",
			mebibytes(need.Total()), e.tokens, mebibytes(planned.bytes()), params.Count(), err, r.advice())
	}
	return nil
}

func (r *run) advice() string {
	ways := []string{"a smaller micro_batch_size or sequence_len"}
	if !r.job.Spec.GradientCheckpointing {
		ways = append(ways, "gradient_checkpointing: true")
	}
	if compact[r.job.Spec.Optimizer] == nil {
		ways = append(ways, "optimizer: adamw_8bit")
	}
	last := len(ways) - 1
	if last == 0 {
		return ways[0] + " needs less"
	}
	return strings.Join(ways[:last], ", ") + ", or " + ways[last] + ", needs less"
}

func mebibytes(n int64) int64 { return (n + 1<<20 - 1) >> 20 }
