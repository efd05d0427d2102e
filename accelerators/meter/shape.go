package meter

import (
	"strconv"

	"github.com/carebot-llm/carebot/accelerators"
)

// A shape is up to four sizes, of which the first 0 ends the list, and a word on the form.
type shape struct {
	dims [4]int
	form string
}

func (s shape) String() string {
	var text []byte
	for i, n := range s.dims {
		if n == 0 {
			break
		}
		if i > 0 {
			text = append(text, 'x')
		}
		text = strconv.AppendInt(text, int64(n), 10)
	}
	if s.form != "" {
		text = append(append(text, ' '), s.form...)
	}
	return string(text)
}

// elements is work on whole vectors, of which the first has the size to show.
func elements(operands ...accelerators.Buffer) work {
	return work{bytes: size(operands...), shape: shape{dims: [4]int{operands[0].Len}}}
}

// rows is work on whole operands, of which the first has rows of width elements.
func rows(width int, operands ...accelerators.Buffer) work {
	return work{bytes: size(operands...), shape: shape{dims: [4]int{operands[0].Len / max(1, width), width}}}
}

// size is the bytes of buffers.
func size(operands ...accelerators.Buffer) float64 {
	n := 0
	for _, b := range operands {
		n += b.Len * b.Type.Size()
	}
	return float64(n)
}

// part is the bytes of n elements of an operand.
func part(b accelerators.Buffer, n int) float64 { return float64(n * b.Type.Size()) }

// floats is the bytes of n elements of f32 or i32.
func floats(n int) float64 { return 4 * float64(n) }
