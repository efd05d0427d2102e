package plugin

import (
	"context"
	"encoding/binary"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/sys"
)

// wasiModule is the module name of WASI's functions.
const wasiModule = "wasi_snapshot_preview1"

// Error numbers of WASI.
const (
	errnoSuccess = 0
	errnoBadF    = 8
	errnoFault   = 21
	errnoInval   = 28
)

const (
	i32 = api.ValueTypeI32
	i64 = api.ValueTypeI64
)

// A hostFunc is a function that modules may import. It gets the calling instance and its arguments and returns the
// result.
type hostFunc struct {
	name    string
	params  []api.ValueType
	results []api.ValueType
	call    func(inst *moduleInstance, args []uint64) uint64
}

// wasi is all that a module gets of WASI: what the start of a Go program needs. There are no files, arguments or
// environment, the clock is the instance's own and the random numbers are seeded, so that a module's answers can be
// repeated.
var wasi = []hostFunc{
	{"args_get", []api.ValueType{i32, i32}, []api.ValueType{i32}, succeed},
	{"args_sizes_get", []api.ValueType{i32, i32}, []api.ValueType{i32}, noStrings},
	{"environ_get", []api.ValueType{i32, i32}, []api.ValueType{i32}, succeed},
	{"environ_sizes_get", []api.ValueType{i32, i32}, []api.ValueType{i32}, noStrings},
	{"clock_time_get", []api.ValueType{i32, i64, i32}, []api.ValueType{i32}, clockTime},
	{"random_get", []api.ValueType{i32, i32}, []api.ValueType{i32}, randomGet},
	{"sched_yield", nil, []api.ValueType{i32}, succeed},
	{"poll_oneoff", []api.ValueType{i32, i32, i32, i32}, []api.ValueType{i32}, pollOneoff},
	{"proc_exit", []api.ValueType{i32}, nil, procExit},
	{"fd_write", []api.ValueType{i32, i32, i32, i32}, []api.ValueType{i32}, fdWrite},
	// Package os of a Go guest asks these of its standard files, and is content to hear that there are none.
	{"fd_close", []api.ValueType{i32}, []api.ValueType{i32}, noFile},
	{"fd_fdstat_get", []api.ValueType{i32, i32}, []api.ValueType{i32}, noFile},
	{"fd_fdstat_set_flags", []api.ValueType{i32, i32}, []api.ValueType{i32}, noFile},
	{"fd_prestat_get", []api.ValueType{i32, i32}, []api.ValueType{i32}, noFile},
	{"fd_prestat_dir_name", []api.ValueType{i32, i32, i32}, []api.ValueType{i32}, noFile},
}

// export makes a host module of functions.
func export(ctx context.Context, r wazero.Runtime, module string, functions []hostFunc) error {
	b := r.NewHostModuleBuilder(module)
	for _, f := range functions {
		call := api.GoFunc(func(ctx context.Context, stack []uint64) {
			result := f.call(ctx.(*guestContext).inst, stack)
			if len(f.results) > 0 {
				stack[0] = result
			}
		})
		b.NewFunctionBuilder().WithGoFunction(call, f.params, f.results).Export(f.name)
	}
	_, err := b.Instantiate(ctx)
	return err
}

func succeed(*moduleInstance, []uint64) uint64 { return errnoSuccess }

func noFile(*moduleInstance, []uint64) uint64 { return errnoBadF }

// noStrings answers that there are no arguments and no environment.
func noStrings(inst *moduleInstance, args []uint64) uint64 {
	return errno(inst.memory().WriteUint32Le(uint32(args[0]), 0) && inst.memory().WriteUint32Le(uint32(args[1]), 0))
}

// errno is success, or that an address lies outside the memory.
func errno(ok bool) uint64 {
	if ok {
		return errnoSuccess
	}
	return errnoFault
}

// clockStep is how far the clock goes at each reading, so that a loop that waits by reading it ends.
const clockStep = 1000

func clockTime(inst *moduleInstance, args []uint64) uint64 {
	inst.clock += clockStep
	return errno(inst.memory().WriteUint64Le(uint32(args[2]), inst.clock))
}

func randomGet(inst *moduleInstance, args []uint64) uint64 {
	buf, ok := inst.memory().Read(uint32(args[0]), uint32(args[1]))
	if ok {
		_, _ = inst.random.Read(buf)
	}
	return errno(ok)
}

// procExit ends the instance.
func procExit(inst *moduleInstance, args []uint64) uint64 {
	code := uint32(args[0])
	_ = inst.module.CloseWithExitCode(inst.call.Context, code)
	panic(sys.NewExitError(code))
}

// maxVectors bounds the buffers of one fd_write and the subscriptions of one poll_oneoff.
const maxVectors = 1 << 10

// fdWrite writes standard output and error to the log.
func fdWrite(inst *moduleInstance, args []uint64) uint64 {
	fd, vectors, n, written := uint32(args[0]), uint32(args[1]), uint32(args[2]), uint32(args[3])
	if fd != 1 && fd != 2 {
		return errnoBadF
	}
	if n > maxVectors {
		return errnoInval
	}
	list, ok := inst.memory().Read(vectors, 8*n)
	total := uint32(0)
	for ; ok && len(list) > 0; list = list[8:] {
		var buf []byte
		buf, ok = inst.memory().Read(binary.LittleEndian.Uint32(list), binary.LittleEndian.Uint32(list[4:]))
		_, _ = inst.output.Write(buf)
		total += uint32(len(buf))
	}
	return errno(ok && inst.memory().WriteUint32Le(written, total))
}

// Sizes and places in the subscriptions and events of poll_oneoff.
const (
	subscriptionSize = 48
	eventSize        = 32
	subType          = 8  // u8: 0 is a clock
	subTimeout       = 24 // u64, nanoseconds
	subFlags         = 40 // u16: 1 is an absolute time
	eventError       = 8  // u16
	eventType        = 10 // u8
)

// pollOneoff does not wait: the earliest clock subscription has come, and the clock has gone there. Subscriptions to
// files fail.
func pollOneoff(inst *moduleInstance, args []uint64) uint64 {
	in, out, n, events := uint32(args[0]), uint32(args[1]), uint32(args[2]), uint32(args[3])
	if n == 0 || n > maxVectors {
		return errnoInval
	}
	subs, ok := inst.memory().Read(in, n*subscriptionSize)
	if !ok {
		return errnoFault
	}
	earliest := inst.earliest(subs)
	inst.clock = max(inst.clock, earliest)
	fired := uint32(0)
	for ; len(subs) > 0; subs = subs[subscriptionSize:] {
		at, clock := inst.due(subs)
		if clock && at > earliest {
			continue
		}
		event := make([]byte, eventSize)
		copy(event, subs[:8])
		event[eventType] = subs[subType]
		if !clock {
			binary.LittleEndian.PutUint16(event[eventError:], errnoBadF)
		}
		ok = ok && inst.memory().Write(out+fired*eventSize, event)
		fired++
	}
	return errno(ok && inst.memory().WriteUint32Le(events, fired))
}

// earliest returns the time of the earliest clock subscription, or now.
func (inst *moduleInstance) earliest(subs []byte) uint64 {
	first, found := inst.clock, false
	for ; len(subs) > 0; subs = subs[subscriptionSize:] {
		if at, clock := inst.due(subs); clock && (!found || at < first) {
			first, found = at, true
		}
	}
	return first
}

// due returns when a subscription's time comes, and whether it is to a clock at all.
func (inst *moduleInstance) due(sub []byte) (at uint64, clock bool) {
	at = binary.LittleEndian.Uint64(sub[subTimeout:])
	if binary.LittleEndian.Uint16(sub[subFlags:])&1 == 0 {
		at += inst.clock
	}
	return at, sub[subType] == 0
}
