// Package cpu is the device that every machine has. Each kernel exists in plain Go and, where that pays, in assembly
// for AVX2, AVX-512, AMX and NEON that the nested module _asm generates; the best set that the processor has is taken
// once, when the device opens. The environment variable CAREBOT_CPU (generic, avx2, avx512, avx512bf16, amx, neon)
// forces one.
//
// Work is cut into blocks by shape alone, so results have the same bits for any number of threads. They may differ in
// the last bits between instruction sets.
package cpu

import (
	"fmt"
	"os"
	"runtime"

	"github.com/carebot-llm/carebot/accelerators"
)

//go:generate go run -C _asm . -out ../kernels_amd64.s -stubs ../kernels_amd64.go -pkg cpu

func init() {
	accelerators.Register("cpu", 0, open)
}

// Device is the processor with its worker threads. Like every device it is used by one goroutine at a time.
// Operations are done when their call returns; an operation that cannot be done sets the error that Sync returns, and
// until then the device does nothing more.
//
// While an operation runs, its goroutine and the workers carry the pprof label op with the operation's name, so that
// go tool pprof -tags splits a profile by operation. The goroutine has no labels afterwards: those that it had before
// cannot be read back.
type Device struct {
	set *kernelSet
	// streaming is the set for destinations of streamFrom elements and more.
	streaming  *kernelSet
	streamFrom int
	blockBytes int // of the second-level cache that the packed columns of a task of a product may take
	pool       *pool
	scratch    []scratch // one for each worker
	shared     scratch   // of the operation as a whole
	shares     shares    // of its work, one for each worker
	checks     call      // of the operation's arguments
	ops        operations
	ranges     ranges // the task that each, parts and columns run
	labels     labels
	peak       accelerators.Peak
	err        error
	used       int64 // bytes allocated
	room       int64 // bytes that may be
}

func open(index int) (accelerators.Device, error) {
	if index != 0 {
		return nil, fmt.Errorf("there is one cpu device, number 0, not %d", index)
	}
	return New(runtime.GOMAXPROCS(0))
}

// New opens the device with a number of threads of its own choice, the caller's included; the registered device uses
// GOMAXPROCS. It fails when CAREBOT_CPU names a kernel set that does not exist or that this processor cannot run.
func New(threads int) (*Device, error) {
	set, err := chooseSet(os.Getenv("CAREBOT_CPU"))
	if err != nil {
		return nil, err
	}
	return newDevice(threads, set), nil
}

func newDevice(threads int, set *kernelSet) *Device {
	threads = max(1, threads)
	return &Device{
		set: set, streaming: set.streamed(), streamFrom: streamFrom, blockBytes: blockBytes(secondLevel()),
		pool: newPool(threads), scratch: make([]scratch, threads), shares: make(shares, threads), labels: labels{},
		ops: operations{sample: sampling{orders: make([][]int, threads)}}, room: physicalMemory(),
	}
}

// operations are the operations with their arguments of the last call. One runs at a time; that they are kept here is
// what makes running one free of allocations.
type operations struct {
	product       product
	bf16          bf16Product
	head          head
	attention     attention
	decode        decode
	unary         unary
	binary        binary
	scaling       scaling
	axpy          axpy
	fill          filling
	sums          sums
	adamw         adamw
	adamwBF16     adamwBF16
	adamw8        adamw8
	swiglu        swiglu
	swigluGrad    swigluGrad
	geglu         geglu
	gegluGrad     gegluGrad
	rmsNorm       rmsNorm
	rmsNormGrad   rmsNormGrad
	headNorm      headNorm
	headNormGrad  headNormGrad
	layerNorm     layerNorm
	layerNormGrad layerNormGrad
	rope          rope
	addBias       addBias
	biasGrad      biasGrad
	gather        gather
	scatter       scatter
	sample        sampling
	upload        upload
	widening      widening
	packNF4       packNF4
	unpackNF4     unpackNF4
}

// Name is "cpu".
func (d *Device) Name() string { return "cpu" }

// Describe names the processor, the threads and the kernel set.
func (d *Device) Describe() string {
	return fmt.Sprintf("cpu: %s, threads: %d, kernels: %s", processorName(), d.pool.threads, d.set.name)
}

// HoldsBF16 is false: bfloat16 here is what products round to on the way.
func (d *Device) HoldsBF16() bool { return false }

// Together is work itself.
func (d *Device) Together(work func()) { work() }

// Close stops the workers. The device must not be used after it.
func (d *Device) Close() error {
	d.pool.close()
	return nil
}

var _ accelerators.Device = (*Device)(nil)
