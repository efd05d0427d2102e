package data

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
)

// A cell is what is drawn from as one: a source, or a source's records in one language. Its units are the sequences, or
// the first sequences of the pairs, that one draw brings.
type cell struct {
	name  string
	share float64 // of the tokens
	units []int32
	size  []int32 // tokens of each unit
	pass  int64   // tokens of all units

	order []int32 // permutation of the units in the current pass
	at    int
	epoch int
	drawn int64 // tokens
}

func (c *cell) add(unit, size int32) {
	c.units = append(c.units, unit)
	c.size = append(c.size, size)
	c.pass += int64(size)
}

// A mixer draws units from cells so that their shares hold at every moment, as well as whole units allow. A cell that
// is through begins again in a new order.
type mixer struct {
	cells []*cell
	seed  uint64
	drawn int64
}

// draw returns the next unit and its number of tokens.
func (m *mixer) draw() (unit, size int32) {
	next, most := m.cells[0], 0.0
	for i, c := range m.cells {
		if lack := c.share*float64(m.drawn+1) - float64(c.drawn); i == 0 || lack > most {
			next, most = c, lack
		}
	}
	if next.at == len(next.order) {
		next.order = permutation(m.seed, fmt.Sprintf("%s, pass %d", next.name, next.epoch), len(next.units))
		next.at = 0
		next.epoch++
	}
	i := next.order[next.at]
	next.at++
	next.drawn += int64(next.size[i])
	m.drawn += int64(next.size[i])
	return next.units[i], next.size[i]
}

// permutation returns the numbers below n in an order that depends on the seed and the name only.
func permutation(seed uint64, name string, n int) []int32 {
	h := fnv.New64a()
	h.Write([]byte(name))
	random := rand.New(rand.NewPCG(seed, h.Sum64()))
	order := make([]int32, n)
	for i := range order {
		order[i] = int32(i)
	}
	random.Shuffle(n, func(i, j int) { order[i], order[j] = order[j], order[i] })
	return order
}
