package plugin

import (
	"fmt"
	"math/rand/v2"

	"github.com/tetratelabs/wazero/api"
)

// A snapshot is an instance as it was when it had been opened. After a call that was broken off the instance goes back
// to it, which costs less than a new one.
type snapshot struct {
	size    uint32 // of the memory
	thaw    func() error
	globals []api.MutableGlobal
	values  []uint64
	random  rand.ChaCha8
	clock   uint64

	arena, room uint32
}

// freeze takes the snapshot.
func (inst *moduleInstance) freeze(globals []string) error {
	s := &snapshot{
		size: inst.memory().Size(), random: *inst.random, clock: inst.clock, arena: inst.arena, room: inst.room,
	}
	for _, name := range globals {
		g, ok := inst.module.ExportedGlobal(name).(api.MutableGlobal)
		if !ok {
			return fmt.Errorf("the module's global %s is not exported", name)
		}
		s.globals, s.values = append(s.globals, g), append(s.values, g.Get())
	}
	var err error
	if s.thaw, err = inst.linear.freeze(int(s.size)); err != nil {
		return fmt.Errorf("freeze the module's memory: %w", err)
	}
	inst.frozen = s
	return nil
}

// reset takes the instance back to its snapshot and tells whether it could: memory that has grown does not shrink, and
// a module that has exited cannot be called, and one that changes its tables has lasting state.
func (inst *moduleInstance) reset() bool {
	s := inst.frozen
	if s == nil || inst.of.state.Lasting || inst.module.IsClosed() || inst.memory().Size() != s.size {
		return false
	}
	if s.thaw() != nil {
		return false
	}
	for i, g := range s.globals {
		g.Set(s.values[i])
	}
	*inst.random, inst.clock, inst.arena, inst.room = s.random, s.clock, s.arena, s.room
	return true
}
