package data

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/host/internal/jinja"
	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/host/internal/tokenizer"
	"github.com/carebot-llm/carebot/sdk"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// byteTokenizer gives each byte of a text its own token and has a chat template of one token around turns.
type byteTokenizer struct{}

const (
	bosID, eosID, startID, endID = 1, 2, 3, 4
	byteID                       = 10
)

func (byteTokenizer) Encode(text string) []int32 {
	ids := make([]int32, len(text))
	for i := range len(text) {
		ids[i] = byteID + int32(text[i])
	}
	return ids
}

func (byteTokenizer) BOS() (int32, bool) { return bosID, true }
func (byteTokenizer) EOS() (int32, bool) { return eosID, true }

func (t byteTokenizer) Chat(turns []sdk.Turn, _ bool) ([]int32, error) {
	ids, _, err := t.Learned(turns, false)
	return ids, err
}

func (byteTokenizer) ChatMessages([]*jinja.Object, []any, bool) ([]int32, error) {
	return nil, tokenizer.ErrTemplate
}

func (byteTokenizer) LearnedMessages([]*jinja.Object, []any, bool) ([]int32, []tokenizer.Span, error) {
	return nil, nil, tokenizer.ErrTemplate
}

func (t byteTokenizer) Learned(turns []sdk.Turn, _ bool) (ids []int32, assistant []tokenizer.Span, err error) {
	for _, turn := range turns {
		ids = append(ids, startID, byteID+int32(turn.Role[0]))
		from := len(ids)
		ids = append(append(ids, t.Encode(turn.Text)...), endID)
		if turn.Role == sdk.RoleAssistant {
			assistant = append(assistant, tokenizer.Span{From: from, To: len(ids)})
		}
		ids = append(ids, byteID+'\n')
	}
	return ids, assistant, nil
}

func decode(ids []int32) string {
	var b strings.Builder
	for _, id := range ids {
		if id >= byteID {
			b.WriteByte(byte(id - byteID))
		} else {
			b.WriteByte("0^$<>"[id])
		}
	}
	return b.String()
}

func textRecord1(text, language string) *Record {
	r := &Record{Text: text, Language: language, File: "f", Line: 1}
	r.Identify()
	return r
}

func options(set func(*recipe.Train)) PlanOptions {
	yes := true
	o := PlanOptions{Seed: 7, Context: 64, Train: recipe.Train{
		Objective: "next_token", Learn: "all", OverLength: "error", Packing: &yes,
		BatchSize: 2, Epochs: 1, Label: "label",
		Data: recipe.Mix{Mix: map[string]float64{"a": 1}},
	}}
	if set != nil {
		set(&o.Train)
	}
	return o
}

func mustPlan(t testing.TB, sources map[string][]*Record, o PlanOptions) *Plan {
	t.Helper()
	p, err := NewPlan(t.Context(), sources, byteTokenizer{}, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// sequencesOf decodes the inputs and the targets (a dot where there is no weight) of a batch's sequences.
func sequencesOf(b Batch) (inputs, targets []string) {
	for s := range len(b.Offsets) - 1 {
		from, to := b.Offsets[s], b.Offsets[s+1]
		inputs = append(inputs, decode(b.Tokens[from:to]))
		if b.Targets == nil {
			continue
		}
		var target strings.Builder
		for i := from; i < to; i++ {
			if b.Weights[i] == 0 {
				target.WriteByte('.')
			} else {
				target.WriteString(decode(b.Targets[i : i+1]))
			}
		}
		targets = append(targets, target.String())
	}
	return inputs, targets
}

func TestTargetsAreTheNextTokens(t *testing.T) {
	dialogue := &Record{Turns: turns("u", "hi", "a", "yes", "u", "x", "a", "no")}
	const (
		text    = "^one"
		spoken  = "<uhi>\n<ayes>\n<ux>\n<ano>"
		all     = "uhi>\n<ayes>\n<ux>\n<ano>\n"
		learned = ".......yes>........no>."
	)
	cases := []struct {
		learn           string
		record          *Record
		inputs, targets string
	}{
		{"all", textRecord1("one", "en"), text, "one$"},
		{"all", dialogue, spoken, all},
		{"assistant", dialogue, spoken, learned},
	}
	for _, c := range cases {
		p := mustPlan(t, map[string][]*Record{"a": {c.record}}, options(func(s *recipe.Train) { s.Learn = c.learn }))
		b := p.Batch(0)
		inputs, targets := sequencesOf(b)
		if inputs[0] != c.inputs || targets[0] != c.targets {
			t.Errorf("%s: inputs %q, targets %q; want %q, %q", c.learn, inputs[0], targets[0], c.inputs, c.targets)
		}
		for i, w := range b.Weights {
			if (w == 0) != (b.Targets[i] == -1) {
				t.Errorf("weight %g, target %d", w, b.Targets[i])
			}
		}
	}
}

func TestPairsShareTheirPrompt(t *testing.T) {
	pair := &Record{Prompt: turns("u", "why"), Chosen: "because", Rejected: "no"}
	p := mustPlan(t, map[string][]*Record{"a": {pair}}, options(func(s *recipe.Train) { s.Objective = "dpo" }))
	inputs, targets := sequencesOf(p.Batch(0))
	if diff := cmp.Diff([]string{"<uwhy>\n<abecause>", "<uwhy>\n<ano>"}, inputs); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"........because>.", "........no>."}, targets); diff != "" {
		t.Error(diff)
	}
	p = mustPlan(t, map[string][]*Record{"a": {pair}}, options(func(s *recipe.Train) { s.Objective = "pairwise" }))
	inputs, targets = sequencesOf(p.Batch(0))
	if diff := cmp.Diff([]string{"<uwhy>\n<abecause>\n", "<uwhy>\n<ano>\n"}, inputs); diff != "" || targets != nil {
		t.Error(diff, targets)
	}
}

func TestLongPairsLoseTheBeginningOfTheirPrompt(t *testing.T) {
	pair := &Record{Prompt: turns("u", strings.Repeat("p", 50)), Chosen: "because", Rejected: "no"}
	p := mustPlan(t, map[string][]*Record{"a": {pair}}, options(func(s *recipe.Train) {
		s.Objective, s.SequenceLen, s.OverLength = "dpo", 16, "cut"
	}))
	inputs, targets := sequencesOf(p.Batch(0))
	if diff := cmp.Diff([]string{"pppp>\n<abecause>", "pppp>\n<ano>"}, inputs); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{".......because>.", ".......no>."}, targets); diff != "" {
		t.Error(diff)
	}
	if r := p.Report(); r.Cut != 2*48 || r.Trained != int64(len("because>no>")) {
		t.Errorf("%+v", r.Tally)
	}
}

func TestHeadsReadWholeRecordsWithLabels(t *testing.T) {
	rated := func(text string, label float32) *Record {
		r := textRecord1(text, "en")
		r.Scores = map[string]float32{"label": label}
		return r
	}
	records := []*Record{rated("good", 4), rated("bad", 1), rated("?", float32(math.NaN())), textRecord1("none", "en")}
	p := mustPlan(t, map[string][]*Record{"a": records}, options(func(s *recipe.Train) { s.Objective = "regression" }))
	b := p.Batch(0)
	inputs, _ := sequencesOf(b)
	got := map[string]float32{inputs[0]: b.Labels[0], inputs[1]: b.Labels[1]}
	if diff := cmp.Diff(map[string]float32{"^good$": 4, "^bad$": 1}, got); diff != "" || p.Steps() != 1 {
		t.Error(diff, p.Steps())
	}
	if r := p.Report(); r.Dropped != int64(len("^?$^none$")) || r.In != r.Trained+r.Dropped {
		t.Errorf("%+v", r.Tally)
	}
	_, err := NewPlan(t.Context(), map[string][]*Record{"a": records[3:]}, byteTokenizer{},
		options(func(s *recipe.Train) { s.Objective = "classification" }))
	wantError(t, err, "source a", "without a label")
}

func TestOverLengthPolicies(t *testing.T) {
	records := []*Record{textRecord1("0123456789", "en"), textRecord1("abc", "en")}
	with := func(policy string) PlanOptions {
		no := false
		return options(func(s *recipe.Train) { s.OverLength, s.SequenceLen, s.Packing = policy, 4, &no })
	}
	inputs := func(policy string) []string {
		p := mustPlan(t, map[string][]*Record{"a": records}, with(policy))
		in, _ := sequencesOf(p.Range(0, p.Sequences()))
		if err := p.Report().check(); err != nil {
			t.Error(err)
		}
		return in
	}
	for policy, want := range map[string][]string{
		"cut": {"^012", "^abc"}, "split": {"^012", "3456", "789", "^abc"}, "drop": {"^abc"},
	} {
		if diff := cmp.Diff(want, inputs(policy)); diff != "" {
			t.Errorf("%s:\n%s", policy, diff)
		}
	}
	_, err := NewPlan(t.Context(), map[string][]*Record{"a": records}, byteTokenizer{}, with("error"))
	wantError(t, err, "f:1", "11 tokens are more than sequence_len 4")
}

func TestMasksOfNothingAndOfAllStop(t *testing.T) {
	assistant := options(func(s *recipe.Train) { s.Learn = "assistant" })
	_, err := NewPlan(t.Context(), map[string][]*Record{"a": {textRecord1("text", "en")}}, byteTokenizer{}, assistant)
	wantError(t, err, "source a", "none of the 6 tokens of the 1 records would be trained")
	dialogue := &Record{Turns: turns("u", "a", "a", "b")}
	_, err = NewPlan(t.Context(), map[string][]*Record{"a": {dialogue}}, allLearned{}, assistant)
	wantError(t, err, "source a", "all of the")
}

// allLearned marks everything as the assistant's, as a broken template would.
type allLearned struct{ byteTokenizer }

func (t allLearned) Learned(turns []sdk.Turn, _ bool) ([]int32, []tokenizer.Span, error) {
	ids, err := t.byteTokenizer.Chat(turns, false)
	return ids, []tokenizer.Span{{From: 0, To: len(ids)}}, err
}

func TestWrongPlansAreRefused(t *testing.T) {
	text := textRecord1("text", "en")
	pair := &Record{Prompt: turns("u", "q"), Chosen: "x", Rejected: "y", File: "p", Line: 3}
	question := &Record{Question: "q", Options: []string{"x", "y"}, File: "q", Line: 4}
	cases := []struct {
		records []*Record
		set     func(*recipe.Train)
		want    string
	}{
		{nil, nil, "source a: it has no records"},
		{[]*Record{text}, func(s *recipe.Train) { s.Objective = "dpo" }, "objective dpo cannot learn from"},
		{[]*Record{pair}, nil, "p:3: objective next_token cannot learn from a record of kind pair"},
		{[]*Record{question}, nil, "q:4: objective next_token cannot learn from a record of kind choice"},
		{[]*Record{text}, func(s *recipe.Train) { s.Steps = 5 }, "exactly one of tokens, epochs and steps"},
		{[]*Record{text}, func(s *recipe.Train) { s.SequenceLen = 65 }, "more than the model's context of 64"},
		{[]*Record{text}, func(s *recipe.Train) { s.OverLength = "" }, "over_length"},
		{[]*Record{pair}, func(s *recipe.Train) { s.Objective, s.OverLength = "dpo", "split" }, "does not go with"},
		{[]*Record{text}, mixOf("a[quality>3]", 1), `no record has a score "quality"`},
		{[]*Record{text}, mixOf("a", -1), "share -1 of a"},
		{[]*Record{text}, func(s *recipe.Train) { s.Data.Language = mapOf("zh", 1) }, "a share for their language"},
	}
	for _, c := range cases {
		_, err := NewPlan(t.Context(), map[string][]*Record{"a": c.records}, byteTokenizer{}, options(c.set))
		wantError(t, err, "plan: ", c.want)
	}
}

func mapOf(name string, share float64) map[string]float64 { return map[string]float64{name: share} }

func mixOf(ref string, share float64) func(*recipe.Train) {
	return func(s *recipe.Train) { s.Data.Mix = mapOf(ref, share) }
}

func TestSelectionsChooseRecords(t *testing.T) {
	var records []*Record
	for i := range 10 {
		r := textRecord1(fmt.Sprint("text ", i), "en")
		r.Scores = map[string]float32{"rater.quality": float32(i)}
		records = append(records, r)
	}
	p := mustPlan(t, map[string][]*Record{"a": records}, options(mixOf("a[quality>=8]", 1)))
	inputs, _ := sequencesOf(p.Range(0, p.Sequences()))
	if diff := cmp.Diff([]string{"^text 8", "^text 9"}, inputs); diff != "" {
		t.Error(diff)
	}
	if r, source := p.Origin(1); r != records[9] || source != "a[quality>=8]" {
		t.Errorf("sequence 1 is of %s, %v", source, r)
	}
}

func drawTextRecords(t *rapid.T, label string) []*Record {
	n := rapid.IntRange(1, 30).Draw(t, label+" records")
	longest := rapid.IntRange(1, 60).Draw(t, label+" longest")
	var all []*Record
	for i := range n {
		text := strings.Repeat(string(rune('a'+i%26)), rapid.IntRange(1, longest).Draw(t, "length"))
		if rapid.Bool().Draw(t, "dialogue") {
			spoken := turns("u", text, "a", fmt.Sprint(i), "u", "x", "a", text)
			all = append(all, &Record{Turns: spoken, Language: "en", Line: i})
		} else {
			all = append(all, &Record{Text: text + fmt.Sprint(i), Language: []string{"en", "zh"}[i%2], Line: i})
		}
	}
	return all
}

// drawPlan draws data and options of a next_token stage; the plan may have nothing to train, which is an error.
func drawPlan(t *rapid.T, set func(*recipe.Train)) (*Plan, []*Record) {
	records := drawTextRecords(t, "a")
	packing := rapid.Bool().Draw(t, "packing")
	o := options(func(s *recipe.Train) {
		s.OverLength = rapid.SampledFrom([]string{"cut", "split", "drop"}).Draw(t, "policy")
		s.SequenceLen = rapid.IntRange(2, 64).Draw(t, "sequence_len")
		s.Learn = rapid.SampledFrom([]string{"all", "assistant"}).Draw(t, "learn")
		s.Packing, s.BatchSize = &packing, rapid.IntRange(1, 5).Draw(t, "batch_size")
		set(s)
	})
	p, err := NewPlan(t.Context(), map[string][]*Record{"a": records}, byteTokenizer{}, o)
	if err != nil {
		if !strings.Contains(err.Error(), "would be trained") && !strings.Contains(err.Error(), "are dropped") {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return p, records
}

func TestTokensAreConserved(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, records := drawPlan(t, func(*recipe.Train) {})
		in := int64(0)
		for _, r := range records {
			ids, _ := encoder{tok: byteTokenizer{}}.whole(r)
			in += int64(len(ids))
		}
		r := p.Report()
		if r.In != in || r.Records != len(records) {
			t.Fatalf("%d tokens of %d records in, want %d of %d", r.In, r.Records, in, len(records))
		}
		var sum Tally
		for _, c := range r.Cells {
			if err := c.check(); err != nil {
				t.Fatal(err)
			}
			sum.add(c.Tally)
		}
		if sum != r.Tally {
			t.Fatalf("cells add up to %+v, want %+v", sum, r.Tally)
		}
		trained, read := int64(0), int64(0)
		for step := range p.Steps() {
			for _, w := range p.Batch(step).Weights {
				trained += int64(w)
				read++
			}
		}
		if trained != r.Trained || read != r.Trained+r.Masked-r.first || read != r.Seen {
			t.Fatalf("batches train %d of %d tokens, the report says %+v", trained, read, r)
		}
	})
}

func TestEachSequenceIsSeenOncePerEpoch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		epochs := rapid.IntRange(1, 3).Draw(t, "epochs")
		p, _ := drawPlan(t, func(s *recipe.Train) { s.Epochs = float64(epochs) })
		seen := make([]int, p.Sequences())
		for step := range p.Steps() {
			for _, number := range p.Batch(step).Sequences {
				seen[number]++
			}
		}
		for number, n := range seen {
			if n != epochs {
				t.Fatalf("sequence %d was seen %d times in %d epochs", number, n, epochs)
			}
		}
	})
}

func TestTargetsNeverCrossRecords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, _ := drawPlan(t, func(*recipe.Train) {})
		for step := range p.Steps() {
			b := p.Batch(step)
			n := len(b.Tokens)
			if int(b.Offsets[len(b.Offsets)-1]) != n || len(b.Positions) != n || len(b.Targets) != n {
				t.Fatalf("lengths of %+v", b)
			}
			for s, number := range b.Sequences {
				record, _ := p.Origin(int(number))
				ids, _ := encoder{tok: byteTokenizer{}}.whole(record)
				checkWithin(t, b, s, ids)
			}
			for r := range len(b.Rows) - 1 {
				if used := b.Offsets[b.Rows[r+1]] - b.Offsets[b.Rows[r]]; int(used) > p.Report().SequenceLen {
					t.Fatalf("row %d has %d tokens", r, used)
				}
			}
		}
	})
}

// checkWithin checks that a sequence is a stretch of its record's tokens, and its targets the tokens after them.
func checkWithin(t *rapid.T, b Batch, s int, ids []int32) {
	from, to := b.Offsets[s], b.Offsets[s+1]
	for i := from; i < to; i++ {
		if b.Positions[i] != i-from {
			t.Fatalf("position %d at place %d", b.Positions[i], i-from)
		}
	}
	for at := 0; at+int(to-from) < len(ids); at++ {
		if isStretch(b.Tokens[from:to], b.Targets[from:to], ids[at:]) {
			return
		}
	}
	t.Fatalf("%q is not part of %q, or its targets are not", decode(b.Tokens[from:to]), decode(ids))
}

func isStretch(tokens, targets, ids []int32) bool {
	for i := range tokens {
		if tokens[i] != ids[i] || (targets[i] != ids[i+1] && targets[i] != -1) {
			return false
		}
	}
	return true
}

func TestBatchDependsOnItsStepOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, records := drawPlan(t, func(s *recipe.Train) { s.Epochs = 2 })
		var inOrder []Batch
		for step := range p.Steps() {
			inOrder = append(inOrder, p.Batch(step))
		}
		for _, step := range rapid.Permutation(steps(p)).Draw(t, "order") {
			if diff := cmp.Diff(inOrder[step], p.Batch(step)); diff != "" {
				t.Fatalf("step %d:\n%s", step, diff)
			}
		}
		if len(records) == 0 {
			t.Fatal("no records")
		}
	})
}

func steps(p *Plan) []int {
	all := make([]int, p.Steps())
	for i := range all {
		all[i] = i
	}
	return all
}

func TestMicroBatchesMakeUpTheBatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, _ := drawPlan(t, func(*recipe.Train) {})
		size := rapid.IntRange(1, 6).Draw(t, "micro_batch_size")
		for step := range p.Steps() {
			whole := p.Batch(step)
			var joined Batch
			for i, part := range whole.Split(size) {
				diff := cmp.Diff(part, p.Micro(step, i, size))
				if diff != "" || len(part.Rows) > size+1 || part.Rows[0] != 0 {
					t.Fatalf("micro-batch %d has rows %v\n%s", i, part.Rows, diff)
				}
				base, sequences := int32(len(joined.Tokens)), int32(len(joined.Sequences))
				for _, row := range part.Rows[:len(part.Rows)-1] {
					joined.Rows = append(joined.Rows, row+sequences)
				}
				for _, o := range part.Offsets[:len(part.Offsets)-1] {
					joined.Offsets = append(joined.Offsets, o+base)
				}
				joined.Tokens = append(joined.Tokens, part.Tokens...)
				joined.Positions = append(joined.Positions, part.Positions...)
				joined.Targets = append(joined.Targets, part.Targets...)
				joined.Weights = append(joined.Weights, part.Weights...)
				joined.Sequences = append(joined.Sequences, part.Sequences...)
			}
			joined.Rows = append(joined.Rows, int32(len(joined.Sequences)))
			joined.Offsets = append(joined.Offsets, int32(len(joined.Tokens)))
			if diff := cmp.Diff(whole, joined); diff != "" {
				t.Fatalf("step %d:\n%s", step, diff)
			}
		}
	})
}

func TestDigestFollowsData(t *testing.T) {
	records := []*Record{textRecord1("one", "en"), textRecord1("two", "en"), textRecord1("three", "en")}
	digest := func(records []*Record, o PlanOptions) string {
		return mustPlan(t, map[string][]*Record{"a": records}, o).Digest()
	}
	base := digest(records, options(nil))
	if base != digest(records, options(nil)) {
		t.Error("the digest is not stable")
	}
	seeded := options(nil)
	seeded.Seed++
	for name, other := range map[string]string{
		"seed": digest(records, seeded), "records": digest(records[:2], options(nil)),
		"batch size": digest(records, options(func(s *recipe.Train) { s.BatchSize = 3 })),
		"objective": digest([]*Record{{Turns: turns("u", "x", "a", "y")}}, options(func(s *recipe.Train) {
			s.Learn = "assistant"
		})),
	} {
		if other == base {
			t.Errorf("another %s has the same digest", name)
		}
	}
}
