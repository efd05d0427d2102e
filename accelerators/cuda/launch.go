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

// arguments are those of one launch, each in eight bytes, and where they are.
type arguments struct {
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

// A step is one piece of work on the stream: a kernel in a shape, or whatever issue enqueues.
type step struct {
	name   string
	kernel *kernel
	shape  shape
	issue  func() error
}

// mostX and mostYZ bound a launch's blocks, on every GPU. Larger numbers would lose their upper bits in the driver's.
const mostX, mostYZ = math.MaxInt32, 1<<16 - 1

// defaultShared is the dynamic shared memory that any kernel may use without asking.
const defaultShared = 48 << 10

// launch enqueues a kernel of a family, which is the name of its file. Arguments are addresses, integers, and floats as
// f32 makes them; how many bytes of each count is the kernel's business.
func (d *Device) launch(family, name string, s shape, arguments ...uint64) {
	if d.err != nil || s.X == 0 || s.Y == 0 || s.Z == 0 {
		return
	}
	defer d.enter()()
	if s.X > mostX || s.Y > mostYZ || s.Z > mostYZ {
		d.note(fmt.Errorf("%d x %d x %d blocks are more than a launch may have", s.X, s.Y, s.Z), name)
	} else if k := d.kernel(family, name, s.Shared); k != nil {
		d.add(step{name: name, kernel: k, shape: s}, arguments)
	}
}

// enqueue adds a piece of work to the stream that is none of our kernels: a copy, a product of cublasLt. issue does it,
// at once or, within a unit (Together), by the time that the unit ends; a unit that comes again may be repeated as a
// graph, without calling issue. Therefore
//
//   - issue only enqueues on d.stream. It does not wait, allocate or free, and what it refers to (descriptors,
//     workspaces) stays as it is until the work is done; who changes or frees such a thing calls d.wait() before.
//   - key is all that the work depends on besides the contents of memory: addresses, sizes, factors, the number of a
//     plan. Work of equal names and keys is the same work.
//
// The device's context is that of the thread when issue is called. name is for errors. Whoever uses the stream by
// himself (to time plans, say) calls d.flush() before, which issues what a unit has collected so far; d.wait() does so
// too.
func (d *Device) enqueue(name string, issue func() error, key ...uint64) {
	if d.err == nil {
		defer d.enter()()
		d.add(step{name: name, issue: issue}, key)
	}
}

// add issues a step, or collects it while a unit is open. words are a kernel's arguments, or a key.
func (d *Device) add(s step, words []uint64) {
	if d.unit.open {
		d.unit.add(s, words)
	} else {
		d.note(d.issue(&s, words), s.name)
	}
}

func (d *Device) issue(s *step, words []uint64) error {
	if s.issue != nil {
		return s.issue()
	}
	of, a := s.shape, &d.arguments
	for i := range words {
		a.values[i], a.at[i] = words[i], unsafe.Pointer(&a.values[i])
	}
	return s.kernel.function.Launch(of.X, of.Y, of.Z, of.Threads, 1, 1, of.Shared, d.stream, a.at[:len(words)])
}

// f32 is a float as an argument.
func f32(x float32) uint64 { return uint64(math.Float32bits(x)) }

// kernel looks a function up, once, and raises its limit of shared memory where need be. Without one there is an error.
func (d *Device) kernel(family, name string, shared int) *kernel {
	k := d.kernels[name]
	if k == nil {
		function, err := d.function(family, name)
		if err != nil {
			d.note(err, "load the kernel "+name)
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

func (d *Device) function(family, name string) (cu.Function, error) {
	m, loaded := d.modules[family]
	if !loaded {
		image, err := images.Find(family, d.major, d.minor)
		if err != nil {
			return cu.Function{}, err
		}
		if m, err = cu.LoadData(string(image)); err != nil {
			return cu.Function{}, err
		}
		d.modules[family] = m
	}
	return m.Function(name)
}

// blocks is how many blocks of size cover n.
func blocks(n, size int) int { return (n + size - 1) / size }

// covering is the shape of a kernel in which each thread does one of n, up to a number of blocks beyond which threads
// do several.
func covering(n int) shape {
	const threads, most = 256, 1 << 16
	return shape{min(blocks(n, threads), most), 1, 1, threads, 0}
}
