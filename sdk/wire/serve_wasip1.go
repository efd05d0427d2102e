//go:build wasip1

package wire

import (
	"context"
	"fmt"
	"unsafe"

	"github.com/carebot-llm/carebot/sdk"
)

// Serve is what a plugin's main calls. In a WebAssembly module the exports below serve, and main does not run.
func Serve() {}

//go:wasmimport dp1 log
func hostLog(level int32, text unsafe.Pointer, n uint32)

//go:wasmimport dp1 model_loglik
func hostLogLik(model int32, request unsafe.Pointer, n uint32, out unsafe.Pointer, capacity uint32) int32

//go:wasmimport dp1 model_score
func hostScore(model int32, request unsafe.Pointer, n uint32, out unsafe.Pointer, capacity uint32) int32

//go:wasmimport dp1 model_embed
func hostEmbed(model int32, request unsafe.Pointer, n uint32, out unsafe.Pointer, capacity uint32) int32

// The state of the module: one instance, the arena that the host writes requests into, and what the host reads after a
// call.
var (
	guest    *Guest
	arena    []uint64
	answer   []byte
	lastFail []byte
)

//go:wasmexport dp_abi_version
func dpABIVersion() int32 { return sdk.ABI << 16 }

//go:wasmexport dp_alloc
func dpAlloc(size uint32) unsafe.Pointer {
	if size > MaxFrame {
		return nil
	}
	if words := (int(size)+7)/8 + 1; words > len(arena) {
		arena = make([]uint64, words)
	}
	at := unsafe.Pointer(unsafe.SliceData(arena))
	if uintptr(at)%16 != 0 {
		at = unsafe.Add(at, 8)
	}
	return at
}

//go:wasmexport dp_open
func dpOpen(at unsafe.Pointer, n uint32) int32 {
	p, err := only()
	if err == nil {
		guest, err = OpenGuest(p, unsafe.Slice((*byte)(at), n), logToHost, callHost)
	}
	if err != nil {
		lastFail = []byte(err.Error())
		return -1
	}
	return 0
}

//go:wasmexport dp_run
func dpRun(kind int32, at unsafe.Pointer, n uint32) uint64 {
	if guest == nil {
		return give(nil, fmt.Errorf("the instance is not open"))
	}
	return give(guest.Run(context.Background(), Kind(kind), unsafe.Slice((*byte)(at), n)))
}

//go:wasmexport dp_flush
func dpFlush(kind int32) uint64 {
	if guest == nil {
		return give(nil, fmt.Errorf("the instance is not open"))
	}
	return give(guest.Flush(context.Background(), Kind(kind)))
}

//go:wasmexport dp_error
func dpError() uint64 { return packed(lastFail) }

// give keeps the outcome of a call where the host finds it.
func give(frame []byte, err error) uint64 {
	if err != nil {
		lastFail = []byte(err.Error())
		return 0
	}
	answer = frame
	return packed(answer)
}

// packed returns address and length in one number.
func packed(b []byte) uint64 {
	return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(b))))<<32 | uint64(len(b))
}

func logToHost(level sdk.Level, message string) {
	hostLog(int32(level), unsafe.Pointer(unsafe.StringData(message)), uint32(len(message)))
}

// callHost is the ModelCall of the module.
func callHost(_ context.Context, kind Kind, model int, request []byte, capacity int) ([]byte, error) {
	out := make([]byte, capacity)
	from, to := unsafe.Pointer(unsafe.SliceData(request)), unsafe.Pointer(unsafe.SliceData(out))
	var n int32
	switch kind {
	case LogLik:
		n = hostLogLik(int32(model), from, uint32(len(request)), to, uint32(capacity))
	case Texts:
		n = hostScore(int32(model), from, uint32(len(request)), to, uint32(capacity))
	case Embed:
		n = hostEmbed(int32(model), from, uint32(len(request)), to, uint32(capacity))
	}
	if n < 0 || int(n) > capacity {
		return nil, fmt.Errorf("the host answers %d to a model request", n)
	}
	return out[:n], nil
}
