package plugin

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/host/internal/wasm"
	"github.com/carebot-llm/carebot/sdk"
	"github.com/carebot-llm/carebot/sdk/wire"
)

const (
	slack  = 50 * time.Millisecond // after its deadline a call may take as long
	growth = 128 << 20             // bytes that the host's memory may grow by
	plenty = 1 << 40               // fuel that only the deadline ends
)

// code joins instructions.
func code(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func op(code byte, numbers ...int64) []byte {
	b := []byte{code}
	for _, n := range numbers {
		b = binary.AppendUvarint(b, uint64(n))
	}
	return b
}

func get(local int64) []byte     { return op(0x20, local) }
func set(local int64) []byte     { return op(0x21, local) }
func call(function int64) []byte { return op(0x10, function) }
func number(v int64) []byte      { return returns(false, v) }

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
	m.run = code(get(1), op(0x2d, 0, textAt), number('x'), []byte{0x46, 0x04, 0x40}, code(deed...), []byte{0x0b}, answered(frame))
	m.manifest = &sdk.Manifest{}
	*m.manifest = bareManifest
	m.manifest.Columns = []string{"text"}
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
	fuel   int    // for each KB; plenty when 0
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
	t.Run("modules that are not opened", hostileContract)
}

// check asks for the documents until the time is right once, since the machine may be busy with other things.
func (c hostileCase) check(t *testing.T) {
	s := strict(c.module.file(t))
	if c.fuel > 0 {
		s.Plugin.Limits.Fuel = c.fuel
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
	const late = "longer than the deadline of 300ms"
	recursive := misbehaving(t, call(moreAt))
	recursive.more = []function{{"", toNothing, nil, call(moreAt)}}
	wide := misbehaving(t, call(moreAt))
	wide.more = []function{{"", toNothing, bytes.Repeat([]byte{0x7e}, 1000), wideFrame(1000)}}
	tall := misbehaving(t, call(moreAt))
	tall.more = []function{{"", toNothing, nil, tallFrame(5000)}}
	exponential := misbehaving(t, call(moreAt))
	for i := range int64(40) {
		exponential.more = append(exponential.more, function{"", toNothing, nil, code(call(moreAt+i+1), call(moreAt+i+1))})
	}
	exponential.more = append(exponential.more, function{"", toNothing, nil, nil})
	filling := misbehaving(t, endlessly(number(0), number(0), number(512<<10), []byte{0xfc, 11, 0}))
	return []hostileCase{
		{name: "endless loop", module: misbehaving(t, endless), want: late},
		{name: "endless loop without fuel", module: misbehaving(t, endless), fuel: 1, want: "fuel of 100000001 instructions"},
		{name: "exponential calls", module: exponential, want: late},
		{name: "exponential calls without fuel", module: exponential, fuel: 1, want: "fuel of 100000001 instructions"},
		{name: "deep recursion", module: recursive, want: "nested too deep"},
		{name: "deep recursion of wide frames", module: wide, want: "nested too deep"},
		{name: "deep recursion of tall frames", module: tall, want: "nested too deep"},
		{name: "endless filling", module: filling, want: late},
	}
}

// endlessly is a loop without end.
func endlessly(parts ...[]byte) []byte {
	return code([]byte{0x03, 0x40}, code(parts...), []byte{0x0c, 0x00, 0x0b})
}

// wideFrame is a body that calls itself with n numbers at hand, which the engine has to keep on the stack.
func wideFrame(n int64) []byte {
	var load, store []byte
	for i := range n {
		load = append(load, code(number(8*i), op(0x29, 3, 0), set(i))...)
		store = append(store, code(number(8*i), get(i), op(0x37, 3, 0))...)
	}
	return code(load, call(moreAt), store)
}

// tallFrame is a body that calls itself with n numbers on its operand stack.
func tallFrame(n int64) []byte {
	var load []byte
	for i := range n {
		load = append(load, code(number(8*i), op(0x29, 3, 0))...)
	}
	return code(number(0), load, call(moreAt), bytes.Repeat([]byte{0x7c}, int(n-1)), op(0x37, 3, 0))
}

// growths take all the memory that there is.
func growths(t *testing.T) []hostileCase {
	grow := func(pages int64) []byte { return code(number(pages), []byte{0x40, 0}) }
	// loop: if memory.grow(1) != -1, write to the new page and go on
	paged := code([]byte{0x03, 0x40}, grow(1), []byte{0x41, 0x7f, 0x47, 0x04, 0x40, 0x3f, 0}, number(16),
		[]byte{0x74}, number(4), []byte{0x6b}, number(1), []byte{0x36, 2, 0, 0x0c, 1, 0x0b, 0x0b})
	at := code(grow(1024-8), []byte{0x1a}, number(8<<16), number(1), number((1024-8)<<16), []byte{0xfc, 11, 0})
	return []hostileCase{
		{name: "memory page by page", module: misbehaving(t, paged)},
		{name: "memory page by page and a trap", module: misbehaving(t, paged, unreachable), want: "unreachable"},
		{name: "memory at once", module: misbehaving(t, at)},
		{name: "more memory than there is", module: misbehaving(t, grow(2000), []byte{0x41, 0x7f, 0x46, 0x04, 0x40, 0x00, 0x0b}), want: "unreachable"},
	}
}

// outputs are answers that cannot be.
func outputs(t *testing.T) []hostileCase {
	give := func(packed int64) []byte { return code(returns(true, packed), []byte{0x0f}) }
	return []hostileCase{
		{name: "output of 200 MB", module: misbehaving(t, give(dataAt<<32|200_000_000)), want: "larger than 16 MiB"},
		{name: "output outside the memory", module: misbehaving(t, give(512<<10<<32|64)), want: "outside the module's memory"},
		{name: "output at the end of addresses", module: misbehaving(t, give(-1<<32|64)), want: "outside the module's memory"},
		{name: "no output", module: misbehaving(t, give(0)), want: "gives no reason"},
	}
}

// scribbles write into the arena that the host has written the request to.
func scribbles(t *testing.T) []hostileCase {
	batch := code(number(dataAt), get(1), op(0x29, 3, 24), op(0x37, 3, 24))
	fill := code(get(1), number(0xff), get(2), []byte{0xfc, 11, 0})
	length := int64(len(ratingsFrame(t, 1, 0.5)))
	moved := code(get(1), number(dataAt), number(length), []byte{0xfc, 10, 0, 0},
		get(1), []byte{0xad}, returns(true, 32), []byte{0x86}, returns(true, length), []byte{0x84, 0x0f})
	return []hostileCase{
		{name: "arena overwritten", module: misbehaving(t, batch, fill, returns(true, dataAt<<32|length), []byte{0x0f})},
		{name: "answer in the arena", module: misbehaving(t, batch, moved)},
	}
}

// traps end a call in the middle, after the module has spoilt its own memory.
func traps(t *testing.T) []hostileCase {
	spoil := code(number(dataAt), number(0), number(256), []byte{0xfc, 11, 0})
	return []hostileCase{
		{name: "trap", module: misbehaving(t, spoil, unreachable), want: "unreachable"},
		{name: "division by zero", module: misbehaving(t, spoil, number(1), number(0), []byte{0x6d, 0x1a}), want: "divide by zero"},
		{name: "reading outside the memory", module: misbehaving(t, spoil, number(-1), op(0x28, 2, 0), []byte{0x1a}),
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
	// The answer is a frame that says no; the module trusts it to be there.
	ask := code(number(7), number(dataAt), number(64), number(8192), number(1024), call(0), number(0), []byte{0x4c, 0x04, 0x40, 0x00, 0x0b})
	far := code(number(0), number(-8), number(64), number(8192), number(1024), call(0), number(resultFault), []byte{0x47, 0x04, 0x40, 0x00, 0x0b})
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

// parrot is a module that answers with the text of the document.
func parrot(t *testing.T, manifest sdk.Manifest, text int64) *Plugin {
	m := honest(nil)
	m.run = code(get(1), number(text), []byte{0x6a, 0xad}, returns(true, 32), []byte{0x86},
		get(2), number(text), []byte{0x6b, 0xad, 0x84})
	m.manifest = &manifest
	return opened(t, func() Spec {
		s := strict(m.file(t))
		s.Plugin.Limits.Faults = 1 << 20
		return s
	}())
}

// lies are what stands in the places of a frame instead of the truth.
var lies = []uint32{0, 1, 2, 3, 7, 8, 0x7f, 0x80, 0xff, 0x100, 1 << 16, 1<<20 + 1, 1<<24 + 1, 0x7fffffff, 0xfffffff8, math.MaxUint32}

// liesOf are the frames with one lie each, in every place of four bytes up to limit, and cut or too long.
func liesOf(frame []byte, limit int) [][]byte {
	all := [][]byte{nil, frame[:len(frame)-1], append(bytes.Clone(frame), 0)}
	for at := 0; at+4 <= min(limit, len(frame)); at += 2 {
		for _, lie := range lies {
			changed := bytes.Clone(frame)
			binary.LittleEndian.PutUint32(changed[at:], lie)
			all = append(all, changed)
		}
	}
	return all
}

// hostileFrames sends the host every kind of lie as the answer of one document between good ones. A lie that happens to
// be true is a good answer.
func hostileFrames(t *testing.T) {
	manifest := bareManifest
	manifest.Columns = []string{"text"}
	p := parrot(t, manifest, textAt)
	base := [][]byte{ratingsFrame(t, 1, 0.5), ratingsFrame(t, 0, 1), ratingsFrame(t, 2, 0.5), ratingsFrame(t, 1, nan)}
	var texts []string
	honestly := func() string { return string(numbered(base[0], len(texts))) }
	for _, frame := range base {
		for _, lie := range liesOf(frame, len(frame)) {
			texts = append(texts, honestly())
			texts = append(texts, string(numbered(lie, len(texts))))
		}
	}
	ratings, err := p.Score(t.Context(), documents(texts...))
	if err != nil {
		t.Fatal(err)
	}
	faults := 0
	for i, r := range ratings {
		switch {
		case i%2 == 0 && (r.Status != sdk.OK || r.Scores["length"] != 0.5):
			t.Fatalf("good document %d: %v", i, r)
		case r.Status == sdk.Fault:
			faults++
		case r.Status == sdk.OK && !finite(r.Scores["length"]) && !math.IsNaN(r.Scores["length"]):
			t.Fatalf("document %d: %v", i, r)
		}
	}
	if faults < len(texts)/4 {
		t.Errorf("%d faults of %d lies", faults, len(texts)/2)
	}
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// numbered is an answer to the batch of that number, if it is long enough to say so.
func numbered(frame []byte, batch int) []byte {
	if len(frame) < 32 {
		return frame
	}
	frame = bytes.Clone(frame)
	binary.LittleEndian.PutUint64(frame[24:], binary.LittleEndian.Uint64(frame[24:])^uint64(batch))
	return frame
}

// hostileVerdicts does the same for filters, whose answers have enumerations, tables and edits.
func hostileVerdicts(t *testing.T) {
	manifest := sdk.Manifest{
		ABI: sdk.ABI, Name: "bare", Version: "1", Kinds: []sdk.Kind{sdk.KindFilter}, Purity: sdk.Pure,
		Columns: []string{"source"}, Reasons: []string{"a", "b"},
	}
	tables, err := wire.NewTables(&manifest)
	if err != nil {
		t.Fatal(err)
	}
	frame, err := tables.EncodeVerdicts(new(wire.Builder), 0, []sdk.Verdict{{
		Action: sdk.Edit, Reasons: []string{"b"}, Edits: []sdk.TurnEdit{{Op: sdk.ReplaceTurn, Text: "new"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	p := parrot(t, manifest, textAt)
	var asked []sdk.Dialogue
	for _, lie := range liesOf(frame, len(frame)) {
		asked = append(asked, sdk.Dialogue{Source: string(numbered(frame, len(asked)))})
		asked = append(asked, sdk.Dialogue{Source: string(numbered(lie, len(asked)))})
	}
	verdicts, err := p.Filter(t.Context(), asked)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range verdicts {
		if i%2 == 0 && (v.Status != sdk.OK || v.Action != sdk.Edit || v.Edits[0].Text != "new") {
			t.Fatalf("good dialogue %d: %v", i, v)
		}
	}
}

func hostileOpen(t *testing.T) {
	for _, c := range []struct {
		name, want string
		open       []byte
	}{
		{"trap", "start an instance: dp_open: unreachable", unreachable},
		{"endless", "longer than the deadline of 300ms", endless},
		{"refusal", "dp_open returns -3", number(-3)},
	} {
		m := misbehaving(t)
		m.open = c.open
		if c.name == "endless" {
			m.open = append(bytes.Clone(endless), number(0)...)
		}
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

// bomb is a module whose compilation takes minutes and gigabytes: n loops after each other, with many locals.
func bomb(n int) []byte {
	var body []byte
	for i := range n {
		v := int64(i % 100)
		body = append(body, code([]byte{0x03, 0x40}, get(v), returns(true, 1), []byte{0x7c}, set(v), get(v), []byte{0xa7}, op(0x0d, 0),
			[]byte{0x0b})...)
	}
	m := honest(nil)
	m.more = []function{{"", toNothing, bytes.Repeat([]byte{0x7e}, 200), body}}
	return m.assemble()
}

func hostileCompileBomb(t *testing.T) {
	for _, c := range []struct {
		name, want string
		bounds     bounds
	}{
		{"time", "compiling takes more than 500ms", bounds{500 * time.Millisecond, 1 << 30}},
		{"memory", "compiling takes more than 192 MiB of memory", bounds{30 * time.Second, 192 << 20}},
	} {
		before := resetPeak(t)
		began := time.Now()
		err := compile(t.Context(), t.TempDir(), bomb(8000), c.bounds)
		took := time.Since(began)
		wantError(t, err, "the module: ", c.want)
		if took > c.bounds.time+time.Second {
			t.Errorf("%s: stopped after %v", c.name, took)
		}
		if grown := peak(t) - before; grown > growth {
			t.Errorf("%s: the host's memory grew by %d MiB", c.name, grown>>20)
		}
		t.Logf("%s: %v", c.name, took)
	}
}

// hostileCache damages each file of an installed module in each way.
func hostileCache(t *testing.T) {
	s := strict(misbehaving(t).file(t))
	s.CacheDir = t.TempDir()
	opened(t, s)
	damages := map[string]func(path string, content []byte) error{
		"cut":     func(path string, content []byte) error { return os.Truncate(path, int64(len(content)/2)) },
		"emptied": func(path string, _ []byte) error { return os.Truncate(path, 0) },
		"flipped": func(path string, content []byte) error {
			content[len(content)/2] ^= 0x10
			return os.WriteFile(path, content, 0o600)
		},
		"removed": func(path string, _ []byte) error { return os.Remove(path) },
		"joined":  func(path string, content []byte) error { return os.WriteFile(path+".new", content, 0o600) },
	}
	files := filesBelow(t, s.CacheDir)
	if len(files) != 4 {
		t.Fatalf("a module is installed as %v", files)
	}
	entry := filepath.Dir(files[0])
	for name, damage := range damages {
		for _, path := range files {
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := damage(path, content); err != nil {
				t.Fatal(err)
			}
			if intact(entry) {
				t.Errorf("%s %s: not noticed", filepath.Base(path), name)
			}
			ratings, err := opened(t, s).Score(t.Context(), documents("good"))
			if err != nil || statuses(ratings) != "o" {
				t.Fatalf("%s %s: %v, %v", filepath.Base(path), name, ratings, err)
			}
		}
	}
	if left := filesBelow(t, s.CacheDir); !slices.Equal(left, files) {
		t.Errorf("left in the cache: %v", left)
	}
}

// filesBelow are all files below a folder, which must be closed to others.
func filesBelow(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files = append(files, path)
		} else if info, err := d.Info(); err == nil && path != dir && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is open to others: %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// section is a custom section.
func customSection(name string, body []byte) []byte {
	return append([]byte{sectionCustom}, sized(append(named(name), body...))...)
}

func hostileManifest(t *testing.T) {
	m := honest(nil)
	good := mustJSON(t, bareManifest)
	for name, c := range map[string]struct {
		sections []byte
		want     string
	}{
		"two":       {append(customSection(manifestSection, good), customSection(manifestSection, good)...), "two custom sections"},
		"none":      {nil, "no custom section dp.manifest"},
		"no JSON":   {customSection(manifestSection, []byte("{")), "manifest: "},
		"other ABI": {customSection(manifestSection, bytes.Replace(good, []byte(`"abi":1`), []byte(`"abi":9`), 1)), "abi is 9"},
		"huge":      {customSection(manifestSection, bytes.Repeat(good, 1000)), "is larger than 65536"},
		"too long":  {append(customSection(manifestSection, good), 0, 0xff, 0xff, 0xff, 0x7f), "does not fit"},
	} {
		m.sections = c.sections
		path := filepath.Join(t.TempDir(), "forged.wasm")
		if err := os.WriteFile(path, m.assemble(), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), strict(path)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A manifest that promises what the code does not keep.
	claims := misbehaving(t)
	claims.manifest.Kinds = append(claims.manifest.Kinds, sdk.KindFilter)
	verdicts, err := opened(t, strict(claims.file(t))).Filter(t.Context(), []sdk.Dialogue{{}})
	if err != nil || verdicts[0].Status != sdk.Fault || !strings.Contains(verdicts[0].Detail, "frame of kind") {
		t.Errorf("%v, %v", verdicts, err)
	}
}

func hostileContract(t *testing.T) {
	imports := func(module, name string, typ byte) func(*bareModule) {
		return func(m *bareModule) { m.imports = []imported{{module, name, typ}} }
	}
	runs := func(parts ...[]byte) func(*bareModule) {
		return func(m *bareModule) { m.run = code(append(parts, returns(true, 0))...) }
	}
	for _, c := range []struct {
		name, want string
		change     func(*bareModule)
	}{
		{"unknown import", "imports env.abort, which plugins do not get", imports("env", "abort", toNothing)},
		{"files", "imports wasi_snapshot_preview1.path_open", imports(wasiModule, "path_open", modelType)},
		{"sockets", "imports wasi_snapshot_preview1.sock_accept", imports(wasiModule, "sock_accept", runType)},
		{"known import of another signature", "dp1.log with another signature", imports(importModule, "log", toNothing)},
		{"the host's own import", "carebot.yield is the host's own", imports(wasm.YieldModule, wasm.YieldName, toNothing)},
		{"writes to the gauge", "global 0, there are 0", runs(returns(true, 1<<60), op(0x24, 0))},
		{"calls the yield", "function 3, there are 3", runs(call(3))},
		{"start section", "start section", func(m *bareModule) { m.start = true }},
		{"other version", "version 2 of the contract, this host 1", func(m *bareModule) { m.abi = 2 << 16 }},
		{"missing export", "exports no dp_run", func(m *bareModule) { m.noRun = true }},
		{"other signature", "dp_alloc has another signature", func(m *bareModule) { m.params = 2 }},
		{"too much memory", "memory limit 64 MiB", func(m *bareModule) { m.pages = 1025 }},
		{"model that the recipe does not grant", "models.lm: bare asks for a model", func(m *bareModule) {
			m.manifest = &sdk.Manifest{}
			*m.manifest = bareManifest
			m.manifest.Capabilities = []string{"model:lm"}
		}},
		{"network", "asks for the network", func(m *bareModule) {
			m.manifest = &sdk.Manifest{}
			*m.manifest = bareManifest
			m.manifest.Capabilities = []string{"network"}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := honest(nil)
			c.change(&m)
			_, err := Open(t.Context(), strict(m.file(t)))
			if err == nil {
				t.Fatal("it is opened")
			}
			wantError(t, err, "plugin subject: ", c.want)
		})
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
