// Package tensor is the tape over a device: operations run at once, remember what their gradient needs, and are walked
// backwards by Backward. A Param is a weight inside the flat buffers of a ParamSet, a Tensor is an activation of a
// Tape, and an Arena lends the tape its memory and takes it back, so that steps of equal shape allocate nothing, neither
// on the device nor on the host.
//
// Shapes: every tensor is a row-major matrix [Rows, Cols]; T is tokens of all sequences one after the other, N
// sequences.
package tensor

import (
	"fmt"

	"github.com/carebot-llm/carebot/accelerators"
)

// A Tensor is an activation: a dense matrix of F32 or BF16 that a Tape made and owns; its gradient has the same type.
// On a recording tape its Value lives until Backward has passed it or the tape is reset; on an inference tape until
// Release or Reset.
type Tensor struct {
	Rows, Cols int
	Value      accelerators.Buffer

	grad accelerators.Buffer // there once something above has added to it
	mark int                 // buffers the tape held before this tensor
}

func (x *Tensor) String() string { return fmt.Sprintf("[%d,%d]", x.Rows, x.Cols) }

func (x *Tensor) kind() accelerators.DType { return x.Value.Type }

func (x *Tensor) size() int { return x.Rows * x.Cols }

func (x *Tensor) sameShape(y *Tensor) bool { return x.Rows == y.Rows && x.Cols == y.Cols }
