package wire

import "github.com/carebot-llm/carebot/sdk"

// EncodeDialogues writes a request for verdicts with the given columns (of ColumnsOf).
func EncodeDialogues(b *Builder, batch uint64, columns []Column, dialogues []sdk.Dialogue) ([]byte, error) {
	n, children := len(dialogues), 0
	if hasList(columns, ColTurns) {
		children = 2
	}
	b.Begin(Dialogues, n, len(columns)+children, batch)
	for _, c := range columns {
		switch c {
		case ColID:
			b.texts(c, n, func(i int) string { return dialogues[i].ID })
		case ColTurns:
			if err := b.turns(turnsOf, n, func(i int) []sdk.Turn { return dialogues[i].Turns }); err != nil {
				return nil, err
			}
		case ColLanguage:
			b.texts(c, n, func(i int) string { return dialogues[i].Language })
		case ColSource:
			b.texts(c, n, func(i int) string { return dialogues[i].Source })
		}
	}
	return b.Finish()
}

// DecodeDialogues reads a request for verdicts. Columns that were not sent are empty.
func DecodeDialogues(f *Frame) ([]sdk.Dialogue, error) {
	f.expect(Dialogues)
	id, turns := f.texts(ColID, f.Rows), f.turns(turnsOf, f.Rows)
	language, source := f.texts(ColLanguage, f.Rows), f.texts(ColSource, f.Rows)
	if f.err != nil {
		return nil, f.err
	}
	dialogues := make([]sdk.Dialogue, f.Rows)
	for i := range dialogues {
		dialogues[i] = sdk.Dialogue{ID: id.at(i), Turns: turns[i], Language: language.at(i), Source: source.at(i)}
	}
	return dialogues, nil
}
