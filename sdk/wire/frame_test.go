package wire

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/carebot-llm/carebot/sdk"
)

// same compares what a frame carries: NaN equals NaN, and an absent list an empty one.
var same = cmp.Options{cmpopts.EquateNaNs(), cmpopts.EquateEmpty()}

var manifest = sdk.Manifest{
	Name: "test", Scores: []sdk.ScoreInfo{{Name: "a"}, {Name: "b"}}, Reasons: []string{"short", "rude"},
}

func tables(t rapid.TB) *Tables {
	tables, err := NewTables(&manifest)
	if err != nil {
		t.Fatal(err)
	}
	return tables
}

// roundTrip sends a value through a frame.
func roundTrip[T any](t rapid.TB, encode func(*Builder) ([]byte, error), decode func(*Frame) (T, error)) T {
	t.Helper()
	frame, err := encode(new(Builder))
	if err != nil {
		t.Fatal(err)
	}
	f, err := Parse(frame)
	if err != nil {
		t.Fatal(err)
	}
	out, err := decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func turnGen() *rapid.Generator[sdk.Turn] {
	return rapid.Custom(func(t *rapid.T) sdk.Turn {
		return sdk.Turn{Role: rapid.SampledFrom(roles).Draw(t, "role"), Text: rapid.String().Draw(t, "text")}
	})
}

func float32Gen() *rapid.Generator[float64] {
	return rapid.Map(rapid.Float32Range(-1e30, 1e30), func(v float32) float64 { return float64(v) })
}

func TestRecordsComeBackAsTheyWere(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		texts := rapid.String()
		docs := rapid.SliceOf(rapid.Custom(func(r *rapid.T) sdk.Document {
			return sdk.Document{ID: texts.Draw(r, "id"), Text: texts.Draw(r, "text"), Language: texts.Draw(r, "language"),
				Source: texts.Draw(r, "source"), Meta: texts.Draw(r, "meta")}
		})).Draw(r, "docs")
		turns := rapid.SliceOf(turnGen())
		dialogues := rapid.SliceOf(rapid.Custom(func(r *rapid.T) sdk.Dialogue {
			return sdk.Dialogue{ID: texts.Draw(r, "id"), Turns: turns.Draw(r, "turns"), Language: texts.Draw(r, "language"),
				Source: texts.Draw(r, "source")}
		})).Draw(r, "dialogues")
		samples := rapid.SliceOf(rapid.Custom(func(r *rapid.T) sdk.Sample {
			return sdk.Sample{ID: texts.Draw(r, "id"), History: turns.Draw(r, "history"), Response: texts.Draw(r, "response"),
				Reference: texts.Draw(r, "reference")}
		})).Draw(r, "samples")
		check(r, docs, roundTrip(r, func(b *Builder) ([]byte, error) {
			return EncodeDocuments(b, 7, ColumnsOf(Documents, nil), docs)
		}, DecodeDocuments))
		check(r, dialogues, roundTrip(r, func(b *Builder) ([]byte, error) {
			return EncodeDialogues(b, 7, ColumnsOf(Dialogues, nil), dialogues)
		}, DecodeDialogues))
		check(r, samples, roundTrip(r, func(b *Builder) ([]byte, error) {
			return EncodeSamples(b, 7, ColumnsOf(Samples, nil), samples)
		}, DecodeSamples))
	})
}

func check[T any](t rapid.TB, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got, same); diff != "" {
		t.Fatal(diff)
	}
}

func TestAnswersComeBackAsTheyWere(t *testing.T) {
	tables := tables(t)
	rapid.Check(t, func(r *rapid.T) {
		scores := func(r *rapid.T) map[string]float64 {
			return map[string]float64{"a": float32Gen().Draw(r, "a"), "b": float32Gen().Draw(r, "b")}
		}
		ratings := rapid.SliceOf(rapid.Custom(func(r *rapid.T) sdk.Rating {
			return sdk.Rating{Scores: scores(r), Detail: rapid.StringN(0, 20, 100).Draw(r, "detail")}
		})).Draw(r, "ratings")
		judgements := rapid.SliceOf(rapid.Custom(func(r *rapid.T) sdk.Judgement {
			return sdk.Judgement{Reward: float32Gen().Draw(r, "reward"), Parts: scores(r)}
		})).Draw(r, "judgements")
		reasons := rapid.SliceOf(rapid.SampledFrom(manifest.Reasons))
		verdicts := rapid.SliceOf(rapid.Custom(func(r *rapid.T) sdk.Verdict {
			return sdk.Verdict{
				Action: rapid.SampledFrom([]sdk.Action{sdk.Keep, sdk.Drop, sdk.Edit, sdk.Later}).Draw(r, "action"),
				Score:  float32Gen().Draw(r, "score"), Reasons: reasons.Draw(r, "reasons"),
				Edits: rapid.SliceOf(rapid.Custom(func(r *rapid.T) sdk.TurnEdit {
					return sdk.TurnEdit{Turn: rapid.IntRange(0, 99).Draw(r, "turn"), Text: rapid.String().Draw(r, "text"),
						Op: rapid.SampledFrom([]sdk.EditOp{sdk.ReplaceTurn, sdk.DeleteTurn, sdk.InsertTurn}).Draw(r, "op")}
				})).Draw(r, "edits"),
			}
		})).Draw(r, "verdicts")
		check(r, ratings, roundTrip(r, func(b *Builder) ([]byte, error) {
			return tables.EncodeRatings(b, 1, ratings)
		}, tables.DecodeRatings))
		check(r, judgements, roundTrip(r, func(b *Builder) ([]byte, error) {
			return tables.EncodeJudgements(b, 1, judgements)
		}, tables.DecodeJudgements))
		check(r, verdicts, roundTrip(r, func(b *Builder) ([]byte, error) {
			return tables.EncodeVerdicts(b, 1, verdicts)
		}, tables.DecodeVerdicts))
	})
}

func TestModelRequestsComeBackAsTheyWere(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		turns := rapid.SliceOf(turnGen())
		requests := rapid.SliceOf(rapid.Custom(func(r *rapid.T) sdk.LogLikRequest {
			q := sdk.LogLikRequest{Context: turns.Draw(r, "context"), Continuation: rapid.String().Draw(r, "continuation")}
			if rapid.Bool().Draw(r, "second") {
				q.Context2 = append([]sdk.Turn{}, turns.Draw(r, "context2")...)
			}
			return q
		})).Draw(r, "requests")
		got := roundTrip(r, func(b *Builder) ([]byte, error) {
			return EncodeLogLikRequests(b, requests)
		}, DecodeLogLikRequests)
		check(r, requests, got)
		for i := range got {
			if (got[i].Context2 == nil) != (requests[i].Context2 == nil) {
				r.Fatal("an empty second context and none were mixed up")
			}
		}
		vectors := rapid.SliceOf(rapid.SliceOf(rapid.Float64())).Draw(r, "vectors")
		check(r, vectors, roundTrip(r, func(b *Builder) ([]byte, error) { return EncodeVectors(b, Embed, vectors) },
			func(f *Frame) ([][]float64, error) { return DecodeVectors(f, Embed) }))
		answers := []sdk.LogLik{{LogProb: math.Inf(-1), LogProb2: -1.0 / 3, Tokens: 3}}
		check(r, answers, roundTrip(r, func(b *Builder) ([]byte, error) { return EncodeLogLiks(b, answers) }, DecodeLogLiks))
	})
}

func TestOpeningComesBackAsItWas(t *testing.T) {
	o := Opening{Config: []byte(`{"a":1}`), Seed: math.MaxUint64, Models: []Grant{
		{Name: "lm", Info: sdk.ModelInfo{Name: "boost", MaxTokens: 512, Hidden: 64}},
		{Name: "rater", Info: sdk.ModelInfo{Name: "rate-model", Outputs: 1}},
	}}
	check(t, o, roundTrip(t, func(b *Builder) ([]byte, error) { return EncodeOpening(b, o) }, DecodeOpening))
}

func TestOnlyWantedColumnsTravel(t *testing.T) {
	docs := []sdk.Document{{ID: "1", Text: "text", Language: "en", Meta: "{}"}}
	got := roundTrip(t, func(b *Builder) ([]byte, error) {
		return EncodeDocuments(b, 0, ColumnsOf(Documents, []string{"text", "turns"}), docs)
	}, DecodeDocuments)
	check(t, []sdk.Document{{Text: "text"}}, got)
}

func TestScoresThatAreNoNumbersAreFaults(t *testing.T) {
	tables := tables(t)
	ratings := []sdk.Rating{
		{Scores: map[string]float64{"a": 1, "b": math.NaN()}},
		{Scores: map[string]float64{"a": 1e300, "b": 1}},
		{Scores: map[string]float64{"b": 2}},
		{Status: sdk.Abstain, Scores: map[string]float64{"a": 1, "b": 1}},
	}
	got := roundTrip(t, func(b *Builder) ([]byte, error) {
		return tables.EncodeRatings(b, 0, ratings)
	}, tables.DecodeRatings)
	nan := math.NaN()
	none := map[string]float64{"a": nan, "b": nan}
	check(t, []sdk.Rating{
		{Status: sdk.Fault, Scores: none, Detail: `score "b" is NaN`},
		{Status: sdk.Fault, Scores: none, Detail: `score "a" is +Inf`},
		{Scores: map[string]float64{"a": nan, "b": 2}},
		{Status: sdk.Abstain, Scores: none},
	}, got)
}

func TestUndeclaredNamesAreErrors(t *testing.T) {
	tables, b := tables(t), new(Builder)
	_, err := tables.EncodeRatings(b, 0, []sdk.Rating{{Scores: map[string]float64{"c": 1, "d": 1}}})
	wantError(t, err, `score "c" is not declared`)
	_, err = tables.EncodeJudgements(b, 0, []sdk.Judgement{{Parts: map[string]float64{"a": 1, "b": 1, "x": 1}}})
	wantError(t, err, `score "x" is not declared`)
	_, err = tables.EncodeVerdicts(b, 0, []sdk.Verdict{{Reasons: []string{"long"}}})
	wantError(t, err, `reason "long" is not declared`)
	_, err = EncodeDialogues(b, 0, ColumnsOf(Dialogues, nil), []sdk.Dialogue{{Turns: []sdk.Turn{{Role: "nurse"}}}})
	wantError(t, err, `unknown role "nurse"`)
}

func wantError(t rapid.TB, err error, part string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), part) {
		t.Fatalf("error %v, want one with %q", err, part)
	}
}

func TestFrameBeyondTheLimitIsNotBuilt(t *testing.T) {
	huge := strings.Repeat("x", MaxFrame/2)
	docs := []sdk.Document{{Text: huge}, {Text: huge}, {Text: "more"}}
	_, err := EncodeDocuments(new(Builder), 0, ColumnsOf(Documents, nil), docs)
	wantError(t, err, "larger than 16 MiB")
}

func TestFrameThatOthersWriteInto(t *testing.T) {
	b, docs := new(Builder), []sdk.Document{{ID: "1", Text: "one"}, {ID: "2", Text: "two"}}
	memory := make([]byte, 4096)
	for _, scribble := range []byte{0x00, 0x5a, 0xff} {
		b.Use(memory)
		b.Begin(Documents, len(docs), 2, 0)
		b.texts(ColID, len(docs), func(i int) string { return docs[i].ID })
		b.texts(ColText, len(docs), func(i int) string {
			for at := range memory {
				memory[at] = scribble
			}
			return docs[i].Text
		})
		if frame, err := b.Finish(); err != nil || &frame[0] != &memory[0] {
			t.Errorf("a frame of %d bytes, %v", len(frame), err)
		}
	}
}

// damage is a change to a sound frame of one document that Parse must refuse.
var damage = []struct {
	name, want string
	change     func(frame []byte) []byte
}{
	{"no header", "shorter than its header", func(b []byte) []byte { return b[:31] }},
	{"magic", "does not start with DPF1", func(b []byte) []byte { b[0] = 'X'; return b }},
	{"version", "version 9", func(b []byte) []byte { b[4] = 9; return b }},
	{"length", "frame says", func(b []byte) []byte { return append(b, 0) }},
	{"rows", "rows, more than", func(b []byte) []byte { return put(b, 8, 1<<30) }},
	{"columns", "columns", func(b []byte) []byte { b[13] = 0xf; return b }},
	{"type", "unknown type 99", func(b []byte) []byte { b[headerSize+2] = 99; return b }},
	{"child flag", "child flag", func(b []byte) []byte { b[headerSize+3] = flagChild; return b }},
	{"twice", "stands twice", func(b []byte) []byte { b[headerSize+entrySize] = b[headerSize]; return b }},
	{"data beyond the end", "do not fit", func(b []byte) []byte {
		return put(b, headerSize+entryDataLen, math.MaxUint32)
	}},
	{"data in the header", "do not fit", func(b []byte) []byte { return put(b, headerSize+entryData, 8) }},
	{"unaligned", "do not fit", func(b []byte) []byte { return put(b, headerSize+entryOffsets, 0x5c) }},
	{"offsets beyond the end", "do not fit", func(b []byte) []byte {
		return put(b, headerSize+entryOffsets, math.MaxUint32&^7)
	}},
	{"validity beyond the end", "do not fit", func(b []byte) []byte {
		b[headerSize+3] = flagNullable
		return put(b, headerSize+entryValid, math.MaxUint32&^7)
	}},
	{"falling offsets", "offset 1 is", func(b []byte) []byte {
		return put(b, int(binary.LittleEndian.Uint32(b[headerSize+entrySize+entryOffsets:])), 10)
	}},
	{"offset beyond the data", "offset 1 is", func(b []byte) []byte {
		return put(b, int(binary.LittleEndian.Uint32(b[headerSize+entryOffsets:]))+4, 1<<20)
	}},
}

func put(b []byte, at int, v uint32) []byte {
	binary.LittleEndian.PutUint32(b[at:], v)
	return b
}

func TestDamagedFramesAreRefused(t *testing.T) {
	for _, d := range damage {
		t.Run(d.name, func(t *testing.T) {
			docs := []sdk.Document{{ID: "1", Text: "some text"}, {ID: "2", Text: "end"}}
			frame, err := EncodeDocuments(new(Builder), 0, ColumnsOf(Documents, []string{"id", "text"}), docs)
			if err != nil {
				t.Fatal(err)
			}
			_, err = Parse(d.change(frame))
			wantError(t, err, d.want)
		})
	}
}

func TestAnswersThatLieAreRefused(t *testing.T) {
	tables, b := tables(t), new(Builder)
	b.Begin(Documents|Answer, 2, 1, 0)
	b.u8(ColStatus, 2, func(i int) uint8 { return uint8(7 * i) })
	_, err := tables.DecodeRatings(parsed(t, b))
	wantError(t, err, "row 1 has the unknown status 7")

	b.Begin(Dialogues|Answer, 1, 2, 0)
	b.u8(ColStatus, 1, func(int) uint8 { return 0 })
	b.u8(ColAction, 1, func(int) uint8 { return 9 })
	_, err = tables.DecodeVerdicts(parsed(t, b))
	wantError(t, err, "unknown action 9")

	b.Begin(Dialogues|Answer, 1, 4, 0)
	b.u8(ColStatus, 1, func(int) uint8 { return 0 })
	b.u8(ColAction, 1, func(int) uint8 { return 0 })
	b.list(ColReasons, 1, func(int) int { return 1 })
	b.u16(ColReason, 1, func(int) uint16 { return 2 })
	_, err = tables.DecodeVerdicts(parsed(t, b))
	wantError(t, err, "reason 2 is not one of")

	b.Begin(Samples|Answer, 1, 1, 0)
	b.u8(ColStatus, 1, func(int) uint8 { return 0 })
	_, err = tables.DecodeJudgements(parsed(t, b))
	wantError(t, err, "column 0x25 is missing")

	b.Begin(LogLik, 1, 2, 0)
	b.list(ColContext, 1, func(int) int { return 1 << 23 })
	b.texts(ColContinuation, 1, func(int) string { return "" })
	_, err = DecodeLogLikRequests(parsed(t, b))
	wantError(t, err, "is missing")
}

func parsed(t rapid.TB, b *Builder) *Frame {
	t.Helper()
	frame, err := b.Finish()
	if err != nil {
		t.Fatal(err)
	}
	f, err := Parse(frame)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestColumnsThatOverlapAreRefused(t *testing.T) {
	b := new(Builder)
	b.Begin(Documents, 1000, 3, 0)
	for c := range 3 {
		b.u8(Column(c+1), 1000, func(int) uint8 { return 0 })
	}
	frame, _ := b.Finish()
	first := binary.LittleEndian.Uint32(frame[headerSize+entryData:])
	frame = put(put(frame, headerSize+entrySize+entryData, first), headerSize+2*entrySize+entryData, first)
	_, err := Parse(put(frame[:first+1000], 16, first+1000))
	wantError(t, err, "overlap")
}

func FuzzFrame(f *testing.F) {
	tables, b := tables(f), new(Builder)
	seed := func(frame []byte, err error) {
		if err != nil {
			f.Fatal(err)
		}
		f.Add(append([]byte(nil), frame...))
	}
	turns := []sdk.Turn{{Role: sdk.RoleUser, Text: "问"}, {Role: sdk.RoleAssistant, Text: "答"}}
	seed(EncodeDocuments(b, 1, ColumnsOf(Documents, nil), []sdk.Document{{ID: "1", Text: "text"}}))
	seed(EncodeDialogues(b, 1, ColumnsOf(Dialogues, nil), []sdk.Dialogue{{Turns: turns}, {}}))
	seed(EncodeSamples(b, 1, ColumnsOf(Samples, nil), []sdk.Sample{{History: turns, Response: "r"}}))
	seed(tables.EncodeRatings(b, 1, []sdk.Rating{{Scores: map[string]float64{"a": 1}}}))
	seed(tables.EncodeVerdicts(b, 1, []sdk.Verdict{
		{Action: sdk.Edit, Reasons: manifest.Reasons, Edits: []sdk.TurnEdit{{Turn: 1}}},
	}))
	seed(tables.EncodeJudgements(b, 1, []sdk.Judgement{{Reward: 1}}))
	seed(EncodeLogLikRequests(b, []sdk.LogLikRequest{{Context: turns, Context2: turns[:1], Continuation: "c"}}))
	seed(EncodeLogLiks(b, []sdk.LogLik{{Tokens: 1}}))
	seed(EncodeVectors(b, Texts, [][]float64{{1, 2}, {}}))
	seed(EncodeOpening(b, Opening{Config: []byte("{}"), Models: []Grant{{Name: "m"}}}))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, decode := range []func(*Frame) error{
			decoding(DecodeDocuments), decoding(DecodeDialogues), decoding(DecodeSamples), decoding(tables.DecodeRatings),
			decoding(tables.DecodeVerdicts), decoding(tables.DecodeJudgements), decoding(DecodeLogLikRequests),
			decoding(DecodeLogLiks), decoding(DecodeTexts), decoding(DecodeEmbed), decoding(DecodeOpening),
			decoding(func(f *Frame) ([][]float64, error) { return DecodeVectors(f, Texts) }),
		} {
			frame, err := Parse(data)
			if err != nil || frame.Rows > 1<<12 {
				return
			}
			frame.failure()
			if err := decode(frame); err != nil && err.Error() == "" {
				t.Fatal("an error without words")
			}
		}
	})
}

func decoding[T any](decode func(*Frame) (T, error)) func(*Frame) error {
	return func(f *Frame) error { _, err := decode(f); return err }
}
