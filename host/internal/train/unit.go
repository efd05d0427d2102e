package train

import (
	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/model"
	"github.com/carebot-llm/carebot/host/internal/tensor"
)

// mostUnitFlops is how large a micro-batch may be to be a unit of the device's (accelerators.Kernels, Together): about
// what a GPU computes in the time in which the host enqueues a pass of a deep model, 10 ms. Below, a GPU would wait for
// the host, unless the pass comes again as one. Above, the host is ahead anyway; a unit would only be kept.
const mostUnitFlops = 4e12

// A unit learns micro-batches, one after the other, each as a unit of the device's where it is small. Where shapes come
// again the tape's memory lies where it did, so that the calls are the same but for what the uploads among them bring.
type unit struct {
	small      bool
	objective  objective
	tape       *tensor.Tape
	model      *model.Model
	batch      data.Batch
	normaliser float64
	into       *learned
	err        error
	work       func() // is run, made once since it would be garbage of every micro-batch
}

func newUnit(t *tensor.Tape, m *model.Model) *unit {
	u := &unit{tape: t, model: m}
	u.work = u.run
	return u
}

// isSmall says whether a micro-batch of an extent is to be a unit.
func isSmall(cfg model.Config, e extent) bool {
	return cfg.FlopsPerToken(e.longest)*float64(e.tokens) <= mostUnitFlops
}

// learn adds the gradients of a micro-batch to the parameters'. What the batch gave goes to l.
func (u *unit) learn(b data.Batch, normaliser float64, l *learned) error {
	u.batch, u.normaliser, u.into = b, normaliser, l
	if u.small {
		u.tape.Together(u.work)
	} else {
		u.work()
	}
	u.tape.Reset()
	return u.err
}

func (u *unit) run() { u.err = u.objective.learn(u.tape, u.model, u.batch, u.normaliser, u.into) }
