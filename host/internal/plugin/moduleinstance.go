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
	broker *broker
	module api.Module
	linear *linear
	output *output
	random *rand.ChaCha8
	clock  uint64 // nanoseconds, logical

	alloc, runFn, errorFn, flushFn api.Function

	stack [3]uint64
	arena uint32 // where requests are written
	room  uint32 // how large the arena is
}

// clockStart is the time at which instances begin: 2024-01-01, in nanoseconds.
const clockStart = 1704067200_000000000

func newModuleInstance(m *module) *moduleInstance {
	return &moduleInstance{
		broker: m.broker, linear: &linear{}, output: &output{log: m.log},
		random: rand.NewChaCha8(m.random), clock: clockStart,
	}
}

type instanceKey struct{}

// instanceOf returns the instance that runs in a context of invoke.
func instanceOf(ctx context.Context) *moduleInstance {
	return ctx.Value(instanceKey{}).(*moduleInstance)
}

func (inst *moduleInstance) memory() api.Memory { return inst.module.Memory() }

// begin instantiates, initialises and opens.
func (inst *moduleInstance) begin(ctx context.Context, m *module) (err error) {
	if inst.module, err = m.instantiate(ctx, inst.linear); err != nil {
		return err
	}
	if init := inst.module.ExportedFunction("_initialize"); init != nil {
		if err := inst.invoke(ctx, init); err != nil {
			return fmt.Errorf("_initialize: %w", err)
		}
	}
	if err := inst.invoke(ctx, inst.module.ExportedFunction("dp_abi_version")); err != nil {
		return fmt.Errorf("dp_abi_version: %w", err)
	}
	if major := uint32(inst.stack[0]) >> 16; major != sdk.ABI {
		return fmt.Errorf("the module speaks version %d of the contract, this host %d", major, sdk.ABI)
	}
	inst.alloc, inst.runFn = inst.module.ExportedFunction("dp_alloc"), inst.module.ExportedFunction("dp_run")
	inst.errorFn, inst.flushFn = inst.module.ExportedFunction("dp_error"), inst.module.ExportedFunction("dp_flush")
	return inst.open(ctx, m.opening)
}

// open hands over configuration, seed and grants.
func (inst *moduleInstance) open(ctx context.Context, opening []byte) error {
	open := inst.module.ExportedFunction("dp_open")
	if open == nil {
		return nil
	}
	if err := inst.place(ctx, opening); err != nil {
		return err
	}
	if err := inst.invoke(ctx, open, uint64(inst.arena), uint64(len(opening))); err != nil {
		return fmt.Errorf("dp_open: %w", err)
	}
	if code := int32(inst.stack[0]); code != 0 {
		return fmt.Errorf("the plugin does not open: %w", inst.reported(ctx, fmt.Sprintf("dp_open returns %d", code)))
	}
	return nil
}

func (inst *moduleInstance) run(ctx context.Context, kind wire.Kind, frame []byte) ([]byte, error) {
	inst.output.forget()
	if err := inst.place(ctx, frame); err != nil {
		return nil, err
	}
	if err := inst.invoke(ctx, inst.runFn, uint64(kind), uint64(inst.arena), uint64(len(frame))); err != nil {
		return nil, err
	}
	return inst.answer(ctx)
}

func (inst *moduleInstance) flush(ctx context.Context, kind wire.Kind) ([]byte, error) {
	if inst.flushFn == nil {
		return nil, errors.New("the module is stateful and exports no dp_flush")
	}
	if err := inst.invoke(ctx, inst.flushFn, uint64(kind)); err != nil {
		return nil, err
	}
	return inst.answer(ctx)
}

// minArena is the smallest arena that is asked for, in bytes.
const minArena = 64 << 10

// place writes a frame into the arena, after getting a larger one when it has to.
func (inst *moduleInstance) place(ctx context.Context, frame []byte) error {
	if n := uint32(len(frame)); n > inst.room {
		room := max(minArena, uint32(1)<<bits.Len32(n-1))
		if err := inst.invoke(ctx, inst.alloc, uint64(room)); err != nil {
			return fmt.Errorf("dp_alloc: %w", err)
		}
		inst.arena, inst.room = uint32(inst.stack[0]), room
		if inst.arena == 0 {
			inst.room = 0
			return fmt.Errorf("the module has no memory for a request of %d bytes", len(frame))
		}
	}
	if !inst.memory().Write(inst.arena, frame) {
		return fmt.Errorf("the module's arena at %d lies outside its memory", inst.arena)
	}
	return nil
}

// answer returns the frame that the last call has left, a view of the module's memory.
func (inst *moduleInstance) answer(ctx context.Context) ([]byte, error) {
	packed := inst.stack[0]
	if packed == 0 {
		return nil, inst.reported(ctx, "the module gives no reason")
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
func (inst *moduleInstance) reported(ctx context.Context, otherwise string) error {
	if inst.errorFn == nil {
		return reportedError{otherwise}
	}
	if err := inst.invoke(ctx, inst.errorFn); err != nil {
		return fmt.Errorf("dp_error: %w", err)
	}
	at, n := uint32(inst.stack[0]>>32), uint32(inst.stack[0])
	view, ok := inst.memory().Read(at, min(n, maxLine))
	if !ok || n == 0 {
		return reportedError{otherwise}
	}
	return reportedError{string(view)}
}

// invoke is the only place where a module's code runs: what bounds its time belongs here. The result is in stack[0].
func (inst *moduleInstance) invoke(ctx context.Context, f api.Function, args ...uint64) error {
	copy(inst.stack[:], args)
	err := f.CallWithStack(context.WithValue(ctx, instanceKey{}, inst), inst.stack[:])
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var exit *sys.ExitError
	if errors.As(err, &exit) {
		return errors.New(inst.output.explained(fmt.Sprintf("the module exited with status %d", exit.ExitCode())))
	}
	what, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(inst.output.explained(strings.TrimPrefix(what, "wasm error: ")))
}

func (inst *moduleInstance) close() {
	if inst.module != nil {
		_ = inst.module.Close(context.Background())
	}
	inst.linear.Free()
}

var _ instance = (*moduleInstance)(nil)
