package plugin

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"

	"github.com/carebot-llm/carebot/sdk"
	"github.com/carebot-llm/carebot/sdk/wire"
)

// parrot is a module that answers with the text of the document.
func parrot(t *testing.T, manifest sdk.Manifest) *Plugin {
	m := honest(nil)
	m.run = packed(code(get(1), number(textAt), add32), code(get(2), number(textAt), sub32))
	m.manifest = &manifest
	s := strict(m.file(t))
	s.Plugin.Limits.Faults = 1 << 20
	return opened(t, s)
}

// lies are what stands in the places of a frame instead of the truth.
var lies = []uint32{
	0, 1, 2, 3, 7, 8, 0x7f, 0x80, 0xff, 0x100, 1 << 16, 1<<20 + 1, 1<<24 + 1, 0x7fffffff, 0xfffffff8, math.MaxUint32,
}

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
	p := parrot(t, *textOnly())
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
	p := parrot(t, manifest)
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
