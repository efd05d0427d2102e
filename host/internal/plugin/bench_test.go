package plugin

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"golang.org/x/sys/unix"

	"github.com/carebot-llm/carebot/recipes/samples"
	"github.com/carebot-llm/carebot/sdk"
	"github.com/carebot-llm/carebot/sdk/wire"
)

// A contestant is one side of a comparison: what it does takes the same work as the others.
type contestant struct {
	name string
	do   func()
}

// compare lets the contestants take turns and reports the best time of each for one of units, and its ratio to the
// first. The machine may be busy: it is the time of processors, and the ratio is what counts. It returns the best times.
func compare(b *testing.B, units int, unit string, contestants ...contestant) []time.Duration {
	best := make([]time.Duration, len(contestants))
	for i := range best {
		best[i] = time.Hour
	}
	for b.Loop() {
		for i, c := range contestants {
			began := processorTime(b)
			c.do()
			best[i] = min(best[i], processorTime(b)-began)
		}
	}
	b.ReportMetric(0, "ns/op")
	for i, c := range contestants {
		b.ReportMetric(float64(best[i].Nanoseconds())/float64(units), c.name+"-ns/"+unit)
		if i > 0 {
			b.ReportMetric(float64(best[i])/float64(best[0]), c.name+"/"+contestants[0].name)
		}
	}
	return best
}

// processorTime is what the process has had of processors.
func processorTime(b *testing.B) time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t); err != nil {
		b.Fatal(err)
	}
	return time.Duration(t.Nano())
}

// null is a module that answers every request of rows documents with the same ratings.
func null(t testing.TB, rows int) *Plugin {
	m := honest(nil)
	m.data = ratingsFrame(t, rows, 0.5)
	m.run, m.pages = answered(m.data), 128
	m.arena = 64 << 10
	m.manifest = textOnly()
	s := spec(m.file(t))
	s.Plugin.Limits.Batch = rows
	return opened(t, s)
}

// A nullBatch asks for the same documents again and again and looks at no answer.
type nullBatch struct {
	p       *Plugin
	c       *caller
	columns []wire.Column
	docs    []sdk.Document
}

func newNullBatch(t testing.TB, rows, size int) *nullBatch {
	n := &nullBatch{p: null(t, rows), columns: []wire.Column{wire.ColText}}
	n.c = n.p.newCaller(t.Context())
	t.Cleanup(n.c.stop)
	for range rows {
		n.docs = append(n.docs, sdk.Document{Text: strings.Repeat("x", size)})
	}
	return n
}

func (n *nullBatch) ask(t testing.TB) {
	err := n.c.call(func(ctx context.Context, inst instance) error {
		frame, err := wire.EncodeDocuments(n.c.builderFor(inst), 0, n.columns, n.docs)
		if err == nil {
			_, err = inst.run(ctx, wire.Documents, frame)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func BenchmarkNullBatch(b *testing.B) {
	for _, size := range []int{1 << 10, 8 << 10} {
		b.Run(fmt.Sprintf("%dKB", size>>10), func(b *testing.B) {
			rows := min(256, batchBytes(TransportWasm)/size-1)
			n := newNullBatch(b, rows, size)
			target := make([]byte, rows*size)
			copied := func() {
				at := 0
				for i := range n.docs {
					at += copy(target[at:], n.docs[i].Text)
				}
			}
			answered := func() {
				if _, err := n.p.Score(b.Context(), n.docs); err != nil {
					b.Fatal(err)
				}
			}
			compare(b, rows, "doc", contestant{"memcpy", copied}, contestant{"module", func() { n.ask(b) }},
				contestant{"answers", answered})
			b.ReportMetric(testing.AllocsPerRun(100, func() { n.ask(b) }), "allocs/batch")
		})
	}
}

func TestCallsAllocateNothing(t *testing.T) {
	n := newNullBatch(t, 256, 1<<10)
	n.ask(t)
	if allocs := testing.AllocsPerRun(100, func() { n.ask(t) }); allocs != 0 {
		t.Errorf("a batch makes %v allocations", allocs)
	}
}

// texts are documents of about size bytes, put together from the sample data of a language.
func texts(t testing.TB, language string, size, n int) []sdk.Document {
	f, err := samples.FS.Open("general/" + language + ".jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var docs []sdk.Document
	for lines := json.NewDecoder(z); len(docs) < n; {
		doc := sdk.Document{Language: language}
		for len(doc.Text) < size {
			var line struct{ Text string }
			if err := lines.Decode(&line); err != nil {
				return docs
			}
			doc.Text += line.Text + "\n"
		}
		docs = append(docs, doc)
	}
	return docs
}

// A gauge is a global of a module that has none.
type gauge struct {
	api.MutableGlobal
	value uint64
}

func (g *gauge) Get() uint64  { return g.value }
func (g *gauge) Set(v uint64) { g.value = v }

// plainInstance starts an instance of the module as it was before it was instrumented.
func plainInstance(t testing.TB, m *module, path string) *moduleInstance {
	code, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	plain := &module{opening: m.opening, broker: m.broker, log: m.log, fuel: m.fuel}
	plain.runtime = wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler().WithMemoryLimitPages(4096).
		WithMemoryCapacityFromMax(true))
	t.Cleanup(func() { _ = plain.runtime.Close(ctx) })
	if plain.compiled, err = plain.runtime.CompileModule(ctx, code); err != nil {
		t.Fatal(err)
	}
	for name, functions := range offers {
		if err := export(ctx, plain.runtime, name, functions); err != nil {
			t.Fatal(err)
		}
	}
	inst := newModuleInstance(plain)
	inst.tank = &tank{gauge: &gauge{}, depth: &gauge{}}
	if inst.module, err = plain.instantiate(ctx, inst.linear); err != nil {
		t.Fatal(err)
	}
	if err := inst.prepare(ctx); err != nil {
		t.Fatal(err)
	}
	return inst
}

// BenchmarkCallback measures what it costs a module to call a function of the host 1000 times: one that writes eight
// bytes, and one that reads a request of 64 bytes and writes as many.
func BenchmarkCallback(b *testing.B) {
	asking := func(name string, params []byte) func() {
		const calls = 1000
		frame := ratingsFrame(b, 1, 0.5)
		m := honest(frame)
		m.locals = []byte{0x7f}
		m.run = code(number(calls), set(3), loop(params, call(0), drop, get(3), number(1), sub32, set(3), get(3),
			branchIf(0)), answered(frame))
		m.imports = []imported{{wasiModule, name, openType}}
		if name == "fd_write" {
			m.imports[0].typ = fdWriteType
		}
		m.manifest = textOnly()
		n := &nullBatch{p: opened(b, strict(m.file(b))), columns: []wire.Column{wire.ColText}, docs: documents("x")}
		n.c = n.p.newCaller(b.Context())
		b.Cleanup(n.c.stop)
		return func() { n.ask(b) }
	}
	b.Run("args_sizes_get", func(b *testing.B) {
		compare(b, 1000, "call", contestant{"host", asking("args_sizes_get", code(number(dataAt), number(dataAt)))})
	})
	b.Run("random_get", func(b *testing.B) {
		compare(b, 1000, "call", contestant{"host", asking("random_get", code(number(8192), number(64)))})
	})
}

// BenchmarkRestore compares what a fault costs: a call after going back to the snapshot and without, going back by
// copying all memory, and a new instance.
func BenchmarkRestore(b *testing.B) {
	for name, path := range map[string]string{"Go": moduleOf(b, hostile), "bare": null(b, 1).info.Path} {
		b.Run(name, func(b *testing.B) {
			p := opened(b, spec(path))
			m, inst := p.pool.engine.(*module), p.pool.idle[0].(*moduleInstance)
			columns := wire.ColumnsOf(wire.Documents, nil)
			frame, err := wire.EncodeDocuments(new(wire.Builder), 0, columns, documents("good"))
			if err != nil {
				b.Fatal(err)
			}
			run := func() {
				if _, err := inst.run(b.Context(), wire.Documents, frame); err != nil {
					b.Fatal(err)
				}
			}
			all := bytes.Clone(inst.linear.mapped[:inst.frozen.size])
			target := bytes.Clone(all)
			best := compare(b, 1, "call", contestant{"run", run},
				contestant{"restored", func() {
					if !inst.reset() {
						b.Fatal("it does not go back")
					}
					run()
				}},
				contestant{"copied", func() { copy(target, all); run() }},
				contestant{"started", func() {
					inst, err := m.start(b.Context())
					if err != nil {
						b.Fatal(err)
					}
					inst.close()
				}})
			b.ReportMetric(float64((best[1] - best[0]).Nanoseconds()), "restore-ns")
			b.ReportMetric(float64(inst.frozen.size>>10), "KiB")
		})
	}
}

// BenchmarkWarmStart opens plugins whose modules have been installed before.
func BenchmarkWarmStart(b *testing.B) {
	for name, path := range map[string]string{"Go": moduleOf(b, hostile), "bare": misbehaving(b).file(b)} {
		b.Run(name, func(b *testing.B) {
			opened(b, spec(path))
			compare(b, 1, "start", contestant{"open", func() {
				p, err := Open(b.Context(), spec(path))
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				if err := p.Close(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}})
		})
	}
}
