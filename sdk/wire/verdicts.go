package wire

import (
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/carebot-llm/carebot/sdk"
)

// EncodeVerdicts writes the answer to dialogues. A reason that the manifest does not declare is an error.
func (t *Tables) EncodeVerdicts(b *Builder, batch uint64, verdicts []sdk.Verdict) ([]byte, error) {
	n := len(verdicts)
	var reasons []uint16
	edits := 0
	for i := range verdicts {
		for _, name := range verdicts[i].Reasons {
			place, declared := t.reason[name]
			if !declared {
				return nil, fmt.Errorf("reason %q is not declared in the manifest", name)
			}
			reasons = append(reasons, uint16(place))
		}
		edits += len(verdicts[i].Edits)
	}
	b.Begin(Dialogues|Answer, n, 10, batch)
	b.u8(ColStatus, n, func(i int) uint8 { return uint8(verdicts[i].Status) })
	b.texts(ColDetail, n, func(i int) string { return detail(verdicts[i].Detail) })
	b.u8(ColAction, n, func(i int) uint8 { return uint8(verdicts[i].Action) })
	b.f32(ColScore, n, func(i int) float64 { return verdicts[i].Score })
	b.list(ColReasons, n, func(i int) int { return len(verdicts[i].Reasons) })
	b.u16(ColReason, len(reasons), func(i int) uint16 { return reasons[i] })
	b.edits(verdicts, edits)
	return b.Finish()
}

// edits adds the n edits of all verdicts.
func (b *Builder) edits(verdicts []sdk.Verdict, n int) {
	rows, all := make([]uint32, 0, n), make([]sdk.TurnEdit, 0, n)
	for i := range verdicts {
		for _, e := range verdicts[i].Edits {
			rows, all = append(rows, uint32(i)), append(all, e)
		}
	}
	b.u32(ColEditRow, n, func(i int) uint32 { return rows[i] })
	b.u32(ColEditTurn, n, func(i int) uint32 { return uint32(all[i].Turn) })
	b.u8(ColEditOp, n, func(i int) uint8 { return uint8(all[i].Op) })
	b.texts(ColEditText, n, func(i int) string { return all[i].Text })
}

// DecodeVerdicts reads the answer to dialogues. A row of status OK whose score is not finite or whose edits are not
// UTF-8 becomes a fault; a row without an answer has score NaN, never 0.
func (t *Tables) DecodeVerdicts(f *Frame) ([]sdk.Verdict, error) {
	f.expect(Dialogues | Answer)
	f.require(ColAction)
	status, details := f.status(), f.texts(ColDetail, f.Rows)
	action, score := f.u8(ColAction, f.Rows), f.f32(ColScore, f.Rows)
	reasons, edits := t.decodeReasons(f), f.edits()
	if f.err != nil {
		return nil, f.err
	}
	verdicts := make([]sdk.Verdict, f.Rows)
	for i := range verdicts {
		v := sdk.Verdict{Action: sdk.Action(action[i]), Score: score[i], Reasons: reasons[i], Edits: edits[i]}
		wrong := v.Action > sdk.Later
		switch {
		case wrong:
			return nil, fmt.Errorf("row %d has the unknown action %d", i, action[i])
		case status[i] != sdk.OK:
			v = sdk.Verdict{Status: status[i], Score: math.NaN(), Reasons: reasons[i], Detail: detail(details.at(i))}
		case !finite(score[i]):
			v = FaultyVerdict(fmt.Sprintf("score is %v", score[i]))
		case !textual(v.Edits):
			v = FaultyVerdict("the text of an edit is not valid UTF-8")
		default:
			v.Detail = detail(details.at(i))
		}
		verdicts[i] = v
	}
	return verdicts, nil
}

// FaultyVerdict returns the verdict on a dialogue on which the plugin failed.
func FaultyVerdict(why string) sdk.Verdict {
	return sdk.Verdict{Status: sdk.Fault, Score: math.NaN(), Detail: detail(why)}
}

// decodeReasons reads the reasons of each row.
func (t *Tables) decodeReasons(f *Frame) [][]string {
	from, n := f.list(ColReasons, f.Rows)
	places := f.u16(ColReason, n)
	if f.err != nil {
		return nil
	}
	flat := make([]string, n)
	for i, place := range places {
		if int(place) >= len(t.reasons) {
			f.fail("reason %d is not one of the manifest's %d", place, len(t.reasons))
			return nil
		}
		flat[i] = t.reasons[place]
	}
	rows := make([][]string, f.Rows)
	for i := range rows {
		if from[i] < from[i+1] {
			rows[i] = flat[from[i]:from[i+1]:from[i+1]]
		}
	}
	return rows
}

// edits reads the edits of each row.
func (f *Frame) edits() [][]sdk.TurnEdit {
	n := 0
	if c := f.find(ColEditRow); c != nil {
		n = c.rows
	}
	row, turn := f.u32(ColEditRow, n), f.u32(ColEditTurn, n)
	op, text := f.u8(ColEditOp, n), f.texts(ColEditText, n)
	if f.err != nil {
		return nil
	}
	rows, before := make([][]sdk.TurnEdit, f.Rows), uint32(0)
	for i := range n {
		if int64(row[i]) >= int64(f.Rows) || row[i] < before || op[i] > uint8(sdk.InsertTurn) || turn[i] > MaxRows {
			f.fail("edit %d has row %d, turn %d, operation %d", i, row[i], turn[i], op[i])
			return nil
		}
		before = row[i]
		rows[row[i]] = append(rows[row[i]], sdk.TurnEdit{Turn: int(turn[i]), Op: sdk.EditOp(op[i]), Text: text.at(i)})
	}
	return rows
}

func textual(edits []sdk.TurnEdit) bool {
	for _, e := range edits {
		if !utf8.ValidString(e.Text) {
			return false
		}
	}
	return true
}
