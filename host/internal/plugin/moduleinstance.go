package plugin

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"strings"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/sys"

	"github.com/carebot-llm/carebot/sdk"
	"github.com/carebot-llm/carebot/sdk/wire"
)

// A moduleInstance is an instance of a module. Its functions are looked up once: each has a stack of its own.
type moduleInstance struct {
	of     *module
	module api.Module
	linear *linear
	output *output
	random *rand.ChaCha8
	clock  uint64 // nanoseconds, logical
	tank   *tank
	call   guestContext
	frozen *snapshot // nil while there is none

	alloc, runFn, errorFn, flushFn api.Function

	stack [3]uint64
	arena uint32 // where requests are written
	room  uint32 // how large the arena is
}

// clockStart is the time at which instances begin: 2024-01-01, in nanoseconds.
const clockStart = 1704067200_000000000

func newModuleInstance(m *module) *moduleInstance {
	inst := &moduleInstance{
		of: m, linear: &linear{}, output: &output{log: m.log}, random: rand.NewChaCha8(m.random), clock: clockStart,
	}
	inst.call.inst = inst
	return inst
}

// A guestContext is the context of the call under way on the way through the engine: it leads the functions that the
// module imports back to the instance.
type guestContext struct {
	context.Context
	inst *moduleInstance
}

func (inst *moduleInstance) memory() api.Memory { return inst.module.Memory() }

// overdue returns why the call under way must end, nil while it may go on.
func (inst *moduleInstance) overdue() error {
	meterOf(inst.call.Context).check()
	return context.Cause(inst.call.Context)
}

// begin instantiates, initialises and opens.
func (inst *moduleInstance) begin(ctx context.Context) (err error) {
	m := inst.of
	if inst.module, err = m.instantiate(ctx, inst.linear); err != nil {
		return err
	}
	if inst.tank, err = newTank(inst.module); err != nil {
		return err
	}
	if err := inst.prepare(ctx); err != nil {
		return err
	}
	return inst.freeze(m.state.Globals)
}

// prepare initialises and opens what has been instantiated.
func (inst *moduleInstance) prepare(ctx context.Context) error {
	inst.call.Context = ctx
	inst.tank.fill(startFuel)
	if init := inst.module.ExportedFunction("_initialize"); init != nil {
		if err := inst.invoke(init); err != nil {
			return fmt.Errorf("_initialize: %w", err)
		}
	}
	if err := inst.invoke(inst.module.ExportedFunction("dp_abi_version")); err != nil {
		return fmt.Errorf("dp_abi_version: %w", err)
	}
	if major := uint32(inst.stack[0]) >> 16; major != sdk.ABI {
		return fmt.Errorf("the module speaks version %d of the contract, this host %d", major, sdk.ABI)
	}
	inst.alloc, inst.runFn = inst.module.ExportedFunction("dp_alloc"), inst.module.ExportedFunction("dp_run")
	inst.errorFn, inst.flushFn = inst.module.ExportedFunction("dp_error"), inst.module.ExportedFunction("dp_flush")
	return inst.open(inst.of.opening)
}

// open hands over configuration, seed and grants.
func (inst *moduleInstance) open(opening []byte) error {
	open := inst.module.ExportedFunction("dp_open")
	if open == nil {
		return nil
	}
	if err := inst.place(opening); err != nil {
		return err
	}
	if err := inst.invoke(open, uint64(inst.arena), uint64(len(opening))); err != nil {
		return fmt.Errorf("dp_open: %w", err)
	}
	if code := int32(inst.stack[0]); code != 0 {
		return fmt.Errorf("the plugin does not open: %w", inst.reported(fmt.Sprintf("dp_open returns %d", code)))
	}
	return nil
}

func (inst *moduleInstance) run(ctx context.Context, kind wire.Kind, frame []byte) ([]byte, error) {
	inst.output.forget()
	inst.call.Context = ctx
	if err := inst.place(frame); err != nil {
		return nil, err
	}
	inst.tank.fill(inst.of.fuelFor(len(frame)))
	defer inst.account(len(frame))
	if err := inst.invoke(inst.runFn, uint64(kind), uint64(inst.arena), uint64(len(frame))); err != nil {
		return nil, err
	}
	return inst.answer()
}

func (inst *moduleInstance) flush(ctx context.Context, kind wire.Kind) ([]byte, error) {
	if inst.flushFn == nil {
		return nil, errors.New("the module is stateful and exports no dp_flush")
	}
	inst.call.Context = ctx
	inst.tank.fill(startFuel)
	if err := inst.invoke(inst.flushFn, uint64(kind)); err != nil {
		return nil, err
	}
	return inst.answer()
}

// minArena is the smallest arena that is asked for, in bytes.
const minArena = 64 << 10

// place writes a frame into the arena, after getting a larger one when it has to. A frame that was written there stays.
func (inst *moduleInstance) place(frame []byte) error {
	if n := uint32(len(frame)); n > inst.room {
		room := max(minArena, uint32(1)<<bits.Len32(n-1))
		inst.tank.fill(startFuel)
		if err := inst.invoke(inst.alloc, uint64(room)); err != nil {
			return fmt.Errorf("dp_alloc: %w", err)
		}
		inst.arena, inst.room = uint32(inst.stack[0]), room
		if inst.arena == 0 {
			inst.room = 0
			return fmt.Errorf("the module has no memory for a request of %d bytes", len(frame))
		}
	}
	room := inst.roomForRequest()
	if len(room) < len(frame) {
		return fmt.Errorf("the module's arena at %d lies outside its memory", inst.arena)
	}
	if &room[0] != &frame[0] {
		copy(room, frame)
	}
	return nil
}

// roomForRequest is the arena as the host sees it, empty when it does not lie in the module's memory.
func (inst *moduleInstance) roomForRequest() []byte {
	view, _ := inst.memory().Read(inst.arena, inst.room)
	return view
}

// answer returns the frame that the last call has left, a view of the module's memory.
func (inst *moduleInstance) answer() ([]byte, error) {
	packed := inst.stack[0]
	if packed == 0 {
		return nil, inst.reported("the module gives no reason")
	}
	at, n := uint32(packed>>32), uint32(packed)
	if n > wire.MaxFrame {
		return nil, fmt.Errorf("answer of %d bytes is larger than %d MiB", n, wire.MaxFrame>>20)
	}
	view, ok := inst.memory().Read(at, n)
	if !ok {
		return nil, fmt.Errorf("answer of %d bytes at %d lies outside the module's memory", n, at)
	}
	return view, nil
}

// reported asks the module why a call failed. The answer is a reportedError unless asking fails.
func (inst *moduleInstance) reported(otherwise string) error {
	if inst.errorFn == nil {
		return reportedError{otherwise}
	}
	if err := inst.invoke(inst.errorFn); err != nil {
		return fmt.Errorf("dp_error: %w", err)
	}
	at, n := uint32(inst.stack[0]>>32), uint32(inst.stack[0])
	view, ok := inst.memory().Read(at, min(n, maxLine))
	if !ok || n == 0 {
		return reportedError{otherwise}
	}
	return reportedError{string(view)}
}

// invoke is the only place where a module's code runs. The fuel in the tank and the context of the call bound it; the
// result is in stack[0].
func (inst *moduleInstance) invoke(f api.Function, args ...uint64) error {
	copy(inst.stack[:], args)
	if err := f.CallWithStack(&inst.call, inst.stack[:]); err != nil {
		return inst.failure(err)
	}
	return nil
}

// stackOverflow is what the engine says when its own bound on nested calls is reached.
const stackOverflow = "stack overflow"

// failure says why a call was broken off, in one line.
func (inst *moduleInstance) failure(err error) error {
	var fuel fuelError
	var exit *sys.ExitError
	switch cause := context.Cause(inst.call.Context); {
	case cause != nil:
		return cause
	case errors.As(err, &fuel):
		return fuel
	case errors.As(err, &exit):
		return errors.New(inst.output.explained(fmt.Sprintf("the module exited with status %d", exit.ExitCode())))
	case inst.tank.tooDeep(), err.Error() == stackOverflow:
		inst.frozen = nil // the engine keeps a stack that has grown as long as the instance
		return depthError{}
	}
	what, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(inst.output.explained(strings.TrimPrefix(what, "wasm error: ")))
}

// account counts what the call has used.
func (inst *moduleInstance) account(size int) {
	inst.of.usage.add(size, inst.tank.used(), inst.memory().Size())
}

// settle makes the instance ready for the next call. One whose memory has grown far beyond what it was opened with is
// not used again, since memory never shrinks.
func (inst *moduleInstance) settle(broken bool) bool {
	if broken {
		return inst.reset()
	}
	return int64(inst.memory().Size()) <= max(inst.of.watermark, 2*int64(inst.frozen.size)) || inst.of.stateful
}

func (inst *moduleInstance) close() {
	if inst.module != nil {
		_ = inst.module.Close(context.Background())
	}
	inst.linear.Free()
}

var _ instance = (*moduleInstance)(nil)
