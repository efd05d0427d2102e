package cpu

import "sync/atomic"

// strips are the parts of a transposed A, of stripRows rows each, that tasks pack when they first need them.
type strips struct{ states []atomic.Int32 }

const (
	stripsRaw = iota
	stripsBusy
	stripsReady
)

// clear makes n parts that are not packed.
func (s *strips) clear(n int) {
	if cap(s.states) < n {
		s.states = make([]atomic.Int32, n)
	}
	s.states = s.states[:n]
	for i := range s.states {
		s.states[i].Store(stripsRaw)
	}
}

// need returns when the part that begins with the row is packed, by this worker or by the one that began before.
func (s *strips) need(p *product, worker, row int) {
	state := &s.states[row/stripRows]
	if state.CompareAndSwap(stripsRaw, stripsBusy) {
		p.packStrips(worker, row)
		state.Store(stripsReady)
		return
	}
	await(func() bool { return state.Load() == stripsReady })
}
