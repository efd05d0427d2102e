//go:build cuda

package cuda

import (
	"fmt"
	"math"
	"unsafe"

	"gorgonia.org/cu"

	"github.com/carebot-llm/carebot/accelerators/cuda/driver"
	"github.com/carebot-llm/carebot/accelerators/cuda/images"
)

// maxArguments is how many arguments a kernel may have.
const maxArguments = 40

// A launch holds the arguments of one launch, each in eight bytes.
type launch struct {
	values [maxArguments]uint64
	at     [maxArguments]unsafe.Pointer
}

// A kernel is a function of a module.
type kernel struct {
	function cu.Function
	shared   int // bytes of dynamic shared memory that it has been allowed so far
}

// A shape is how many blocks of how many threads run a kernel, with how many bytes of dynamic shared memory.
type shape struct {
	X, Y, Z int // blocks
	Threads int
	Shared  int
}

// defaultShared is the dynamic shared memory that any kernel may use without asking.
const defaultShared = 48 << 10

// launch enqueues a kernel of a family, which is the name of its file. Arguments are addresses, integers, and floats as
// f32 makes them; how many bytes of each count is the kernel's business.
func (d *Device) launch(family, name string, s shape, arguments ...uint64) {
	if d.err != nil || s.X == 0 || s.Y == 0 || s.Z == 0 {
		return
	}
	defer d.enter()()
	k := d.kernel(family, name, s.Shared)
	if k == nil {
		return
	}
	l := &d.launched
	copy(l.values[:], arguments)
	for i := range arguments {
		l.at[i] = unsafe.Pointer(&l.values[i])
	}
	err := k.function.Launch(s.X, s.Y, s.Z, s.Threads, 1, 1, s.Shared, d.stream, l.at[:len(arguments)])
	d.note(err, "launch "+name)
}

// enqueue adds a piece of work to the stream that is none of our kernels: a copy, a product of cublasLt. issue does it, at
// once or, within a unit (Together), by the time that the unit ends; a unit that comes again may be repeated as a graph,
// without calling issue. Therefore
//
//   - issue only enqueues on d.stream. It does not wait, allocate or free, and what it refers to (descriptors, workspaces)
//     stays as it is until the work is done; who changes or frees such a thing calls d.wait() before.
//   - key is all that the work depends on besides the contents of memory: addresses, sizes, factors, the number of a plan.
//     Work of equal names and keys is the same work.
//
// The device's context is that of the thread when issue is called. name is for errors. Whoever uses the stream by himself
// (to time plans, say) calls d.flush() before, which issues what a unit has collected so far; d.wait() does so too.
func (d *Device) enqueue(name string, issue func() error, key ...uint64) {
	if d.err == nil {
		defer d.enter()()
		d.note(issue(), name)
	}
}

// flush issues what the running unit has collected.
func (d *Device) flush() {}

// f32 is a float as an argument.
func f32(x float32) uint64 { return uint64(math.Float32bits(x)) }

// kernel looks a function up, once, and raises its limit of shared memory where need be.
func (d *Device) kernel(family, name string, shared int) *kernel {
	k := d.kernels[name]
	if k == nil {
		module, err := d.module(family)
		if err != nil {
			d.note(err, "load the kernels "+family)
			return nil
		}
		function, err := module.Function(name)
		if err != nil {
			d.note(err, "find the kernel "+name)
			return nil
		}
		k = &kernel{function, defaultShared}
		d.kernels[name] = k
	}
	if shared > k.shared {
		d.note(driver.AllowShared(k.function, shared), fmt.Sprintf("give %s %d bytes of shared memory", name, shared))
		k.shared = shared
	}
	return k
}

func (d *Device) module(family string) (cu.Module, error) {
	if m, loaded := d.modules[family]; loaded {
		return m, nil
	}
	image, err := images.Find(family, d.major, d.minor)
	if err != nil {
		return cu.Module{}, err
	}
	m, err := cu.LoadData(string(image))
	if err == nil {
		d.modules[family] = m
	}
	return m, err
}

// blocks is how many blocks of size cover n.
func blocks(n, size int) int { return (n + size - 1) / size }

// covering is the shape of a kernel in which each thread does one of n, up to a number of blocks beyond which threads
// do several.
func covering(n int) shape {
	const threads, most = 256, 1 << 16
	return shape{min(blocks(n, threads), most), 1, 1, threads, 0}
}
