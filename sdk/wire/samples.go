package wire

import "github.com/carebot-llm/carebot/sdk"

// EncodeSamples writes a request for judgements with the given columns (of ColumnsOf).
func EncodeSamples(b *Builder, batch uint64, columns []Column, samples []sdk.Sample) ([]byte, error) {
	n, children := len(samples), 0
	if hasList(columns, ColHistory) {
		children = 2
	}
	b.Begin(Samples, n, len(columns)+children, batch)
	for _, c := range columns {
		switch c {
		case ColID:
			b.texts(c, n, func(i int) string { return samples[i].ID })
		case ColHistory:
			if err := b.turns(historyOf, n, func(i int) []sdk.Turn { return samples[i].History }); err != nil {
				return nil, err
			}
		case ColResponse:
			b.texts(c, n, func(i int) string { return samples[i].Response })
		case ColReference:
			b.texts(c, n, func(i int) string { return samples[i].Reference })
		}
	}
	return b.Finish()
}

// DecodeSamples reads a request for judgements. Columns that were not sent are empty.
func DecodeSamples(f *Frame) ([]sdk.Sample, error) {
	f.expect(Samples)
	id, history := f.texts(ColID, f.Rows), f.turns(historyOf, f.Rows)
	response, reference := f.texts(ColResponse, f.Rows), f.texts(ColReference, f.Rows)
	if f.err != nil {
		return nil, f.err
	}
	samples := make([]sdk.Sample, f.Rows)
	for i := range samples {
		samples[i] = sdk.Sample{ID: id.at(i), History: history[i], Response: response.at(i), Reference: reference.at(i)}
	}
	return samples, nil
}
