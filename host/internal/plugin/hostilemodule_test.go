package plugin

import (
	"bytes"
	"errors"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/sdk"
)

const (
	slack  = 50 * time.Millisecond // after its deadline a call may take as long
	growth = 128 << 20             // bytes that the host's memory may grow by
	plenty = 1 << 40               // fuel that only the deadline ends
)

// A request of one document is a header, a directory entry, two offsets and the text.
const textAt = 64

// answered is a body of dp_run that answers one document in order: with the frame in the data, for the request's batch.
func answered(frame []byte) []byte {
	return code(number(dataAt), get(1), op(0x29, 3, 24), op(0x37, 3, 24), returns(true, dataAt<<32|int64(len(frame))))
}

// misbehaving is a module that does the deed on documents that start with an x, and then answers as it does for others.
func misbehaving(t testing.TB, deed ...[]byte) bareModule {
	frame := ratingsFrame(t, 1, 0.5)
	m := honest(frame)
	first := code(get(1), op(0x2d, 0, textAt)) // byte of the text
	m.run = code(first, number('x'), equal, when(deed...), answered(frame))
	m.manifest = textOnly()
	return m
}

// strict are the limits of the hostile suite: one document in a call.
func strict(use string) Spec {
	s := spec(use)
	s.Plugin.Limits.Memory, s.Plugin.Limits.Batch = 64<<20, 1
	s.Plugin.Limits.Deadline, s.Plugin.Limits.Fuel = recipe.Duration(300*time.Millisecond), plenty
	return s
}

// A hostileCase is a module that is asked for good documents and one on which it misbehaves.
type hostileCase struct {
	name   string
	module bareModule
	fuel   int    // for each KB; 0 is plenty, and a deadline that is near
	want   string // reason of the fault; none when the verdict must be right
}

func TestHostile(t *testing.T) {
	for _, c := range slices.Concat(runaways(t), growths(t), outputs(t), scribbles(t), traps(t), overreaches(t)) {
		t.Run(c.name, func(t *testing.T) { c.check(t) })
	}
	t.Run("flood of messages", hostileFlood)
	t.Run("frames that lie", hostileFrames)
	t.Run("verdicts that lie", hostileVerdicts)
	t.Run("trap in open", hostileOpen)
	t.Run("trap in flush", hostileFlush)
	t.Run("compile bomb", hostileCompileBomb)
	t.Run("corrupt cache", hostileCache)
	t.Run("forged manifest", hostileManifest)
	t.Run("WASI beyond what is given", hostileWASI)
	t.Run("modules that are not opened", hostileContract)
}

// check asks for the documents until the time is right once, since the machine may be busy with other things.
func (c hostileCase) check(t *testing.T) {
	s := strict(c.module.file(t))
	if c.fuel > 0 {
		s.Plugin.Limits.Fuel, s.Plugin.Limits.Deadline = c.fuel, recipe.Duration(20*time.Second)
	}
	p := opened(t, s)
	var took time.Duration
	for range 5 {
		before := resetPeak(t)
		began := time.Now()
		ratings, err := p.Score(t.Context(), documents("good", "x", "better"))
		took = time.Since(began)
		if err != nil {
			t.Fatal(err)
		}
		c.verdicts(t, ratings)

		if grown := peak(t) - before; grown > growth {
			t.Errorf("the host's memory grew by %d MiB", grown>>20)
		}
		if took <= time.Duration(s.Plugin.Limits.Deadline)+slack {
			return
		}
	}
	t.Errorf("stopped after %v", took)
}

func (c hostileCase) verdicts(t *testing.T, ratings []sdk.Rating) {
	t.Helper()
	want := "ofo"
	if c.want == "" {
		want = "ooo"
	}
	if got := statuses(ratings); got != want {
		t.Fatalf("statuses %s, want %s: %v", got, want, ratings)
	}
	if !strings.Contains(ratings[1].Detail, c.want) {
		t.Errorf("detail %q, want %q in it", ratings[1].Detail, c.want)
	}
	for i, r := range ratings {
		if r.Status == sdk.OK && r.Scores["length"] != 0.5 {
			t.Errorf("record %d is rated %v", i, r)
		}
	}
}

// runaways do not end by themselves.
func runaways(t *testing.T) []hostileCase {
	const late, spent = "longer than the deadline of 300ms", "fuel of 100000001 instructions"
	recursive := misbehaving(t, call(moreAt))
	recursive.more = []function{{"", toNothing, nil, call(moreAt)}}
	wide := misbehaving(t, call(moreAt))
	wide.more = []function{{"", toNothing, bytes.Repeat([]byte{0x7e}, 1000), wideFrame(1000)}}
	tall := misbehaving(t, call(moreAt))
	tall.more = []function{{"", toNothing, nil, tallFrame(5000)}}
	exponential := misbehaving(t, call(moreAt))
	for i := range int64(40) {
		twice := code(call(moreAt+i+1), call(moreAt+i+1))
		exponential.more = append(exponential.more, function{"", toNothing, nil, twice})
	}
	exponential.more = append(exponential.more, function{"", toNothing, nil, nil})
	filling := misbehaving(t, endlessly(number(0), number(0), number(512<<10), memoryFill))
	return []hostileCase{
		{name: "endless loop", module: misbehaving(t, endless), want: late},
		{name: "endless loop without fuel", module: misbehaving(t, endless), fuel: 1, want: spent},
		{name: "exponential calls", module: exponential, want: late},
		{name: "exponential calls without fuel", module: exponential, fuel: 1, want: spent},
		{name: "deep recursion", module: recursive, fuel: plenty, want: "nested too deep"},
		{name: "deep recursion of wide frames", module: wide, fuel: plenty, want: "nested too deep"},
		{name: "deep recursion of tall frames", module: tall, fuel: plenty, want: "nested too deep"},
		{name: "endless filling", module: filling, want: late},
	}
}

// endlessly is a loop without end.
func endlessly(parts ...[]byte) []byte {
	return loop(code(parts...), number(1), branchIf(0))
}

// wideFrame is a body that calls itself with n numbers at hand, which the engine has to keep on the stack.
func wideFrame(n int64) []byte {
	var load, store []byte
	for i := range n {
		load = append(load, code(number(8*i), load64, set(i))...)
		store = append(store, code(number(8*i), get(i), store64)...)
	}
	return code(load, call(moreAt), store)
}

// tallFrame is a body that calls itself with n numbers on its operand stack.
func tallFrame(n int64) []byte {
	var load []byte
	for i := range n {
		load = append(load, code(number(8*i), load64)...)
	}
	return code(number(0), load, call(moreAt), bytes.Repeat(add64, int(n-1)), store64)
}

// growths take all the memory that there is.
func growths(t *testing.T) []hostileCase {
	grow := func(pages int64) []byte { return code(number(pages), memoryGrow) }
	touch := code(memorySize, number(16), shift32, number(4), sub32, number(1), store32) // the last word there is
	paged := loop(grow(1), number(-1), unequal, when(touch, op(0x0c, 1)))
	rest := int64(1024 - 8)
	once := code(grow(rest), drop, number(8<<16), number(1), number(rest<<16), memoryFill)
	return []hostileCase{
		{name: "memory page by page", module: misbehaving(t, paged)},
		{name: "memory page by page and a trap", module: misbehaving(t, paged, unreachable), want: "unreachable"},
		{name: "memory at once", module: misbehaving(t, once)},
		{name: "more memory than there is", module: misbehaving(t, grow(2000), number(-1), equal, when(unreachable)),
			want: "unreachable"},
	}
}

// outputs are answers that cannot be.
func outputs(t *testing.T) []hostileCase {
	give := func(packed int64) []byte { return code(returns(true, packed), leave) }
	const outside = "outside the module's memory"
	return []hostileCase{
		{name: "output of 200 MB", module: misbehaving(t, give(dataAt<<32|200_000_000)), want: "larger than 16 MiB"},
		{name: "output outside the memory", module: misbehaving(t, give(512<<10<<32|64)), want: outside},
		{name: "output at the end of addresses", module: misbehaving(t, give(-1<<32|64)), want: outside},
		{name: "no output", module: misbehaving(t, give(0)), want: "gives no reason"},
	}
}

// scribbles write into the arena that the host has written the request to.
func scribbles(t *testing.T) []hostileCase {
	batch := code(number(dataAt), get(1), op(0x29, 3, 24), op(0x37, 3, 24))
	fill := code(get(1), number(0xff), get(2), memoryFill)
	length := int64(len(ratingsFrame(t, 1, 0.5)))
	there := code(packed(number(dataAt), number(length)), leave)
	moved := code(get(1), number(dataAt), number(length), memoryCopy, packed(get(1), number(length)), leave)
	return []hostileCase{
		{name: "arena overwritten", module: misbehaving(t, batch, fill, there)},
		{name: "answer in the arena", module: misbehaving(t, batch, moved)},
	}
}

// traps end a call in the middle, after the module has spoilt its own memory.
func traps(t *testing.T) []hostileCase {
	spoil := code(number(dataAt), number(0), number(256), memoryFill)
	divide := code(number(1), number(0), div32, drop)
	return []hostileCase{
		{name: "trap", module: misbehaving(t, spoil, unreachable), want: "unreachable"},
		{name: "division by zero", module: misbehaving(t, spoil, divide), want: "divide by zero"},
		{name: "reading outside the memory", module: misbehaving(t, spoil, number(-1), load32, drop),
			want: "out of bounds memory access"},
	}
}

// overreaches ask the host for what is not theirs.
func overreaches(t *testing.T) []hostileCase {
	with := func(name string, typ byte, deed ...[]byte) bareModule {
		m := misbehaving(t, deed...)
		m.imports = []imported{{importModule, name, typ}}
		return m
	}
	room := code(number(8192), number(1024))
	ask := code(number(7), number(dataAt), number(64), room, call(0), number(0), atMost, when(unreachable)) // no answer
	far := code(number(0), number(-8), number(64), room, call(0), number(resultFault), unequal, when(unreachable))
	return []hostileCase{
		{name: "model that is not granted", module: with("model_embed", modelType, ask)},
		{name: "model request outside the memory", module: with("model_embed", modelType, far)},
		{name: "message outside the memory", module: with("log", logType, number(0), number(-8), number(64), call(0))},
	}
}

func hostileFlood(t *testing.T) {
	m := misbehaving(t, endlessly(number(0), number(0), number(4000), call(0)))
	m.imports = []imported{{importModule, "log", logType}}
	var log logged
	s := strict(m.file(t))
	s.Log = log.logger()
	p := opened(t, s)
	before := resetPeak(t)
	ratings, err := p.Score(t.Context(), documents("good", "x", "better"))
	if err != nil || statuses(ratings) != "ofo" {
		t.Fatalf("%v, %v", ratings, err)
	}
	if n := len(log.String()); n > 8*logQuota {
		t.Errorf("%d bytes are logged", n)
	}
	if grown := peak(t) - before; grown > growth {
		t.Errorf("the host's memory grew by %d MiB", grown>>20)
	}
}

func hostileOpen(t *testing.T) {
	for _, c := range []struct {
		name, want string
		open       []byte
	}{
		{"trap", "start an instance: dp_open: unreachable", unreachable},
		{"endless", "longer than the deadline of 300ms", code(endless, number(0))},
		{"refusal", "dp_open returns -3", number(-3)},
	} {
		m := misbehaving(t)
		m.open = c.open
		began := time.Now()
		_, err := Open(t.Context(), strict(m.file(t)))
		wantError(t, err, "plugin subject: ", c.want)
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s: it took %v to say so", c.name, took)
		}
	}
}

func hostileFlush(t *testing.T) {
	m := honest(nil)
	m.flush = unreachable
	m.manifest = &sdk.Manifest{
		ABI: sdk.ABI, Name: "bare", Version: "1", Kinds: []sdk.Kind{sdk.KindFilter}, Purity: sdk.Stateful,
	}
	p := opened(t, strict(m.file(t)))
	_, err := p.Finish(t.Context())
	wantError(t, err, "plugin subject: finish: ", "unreachable")
	_, err = p.Filter(t.Context(), []sdk.Dialogue{{}})
	if !errors.Is(err, ErrStateLost) {
		t.Errorf("after it: %v", err)
	}
}

// resetPeak gives back what memory can be and returns what the process has, in bytes; peak tells from then on.
func resetPeak(t testing.TB) int64 {
	t.Helper()
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		t.Fatal(err)
	}
	return peak(t)
}

// peak is the most memory that the process has had since resetPeak, in bytes.
func peak(t testing.TB) int64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := bytes.Cut(status, []byte("VmHWM:"))
	kib, err := strconv.ParseInt(string(bytes.Fields(after)[0]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}
