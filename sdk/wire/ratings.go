package wire

import "github.com/carebot-llm/carebot/sdk"

// EncodeRatings writes the answer to documents. A score that the manifest does not declare is an error.
func (t *Tables) EncodeRatings(b *Builder, batch uint64, ratings []sdk.Rating) ([]byte, error) {
	n := len(ratings)
	b.Begin(Documents|Answer, n, 2+len(t.scores), batch)
	b.u8(ColStatus, n, func(i int) uint8 { return uint8(ratings[i].Status) })
	b.texts(ColDetail, n, func(i int) string { return detail(ratings[i].Detail) })
	if err := t.encodeScores(b, n, func(i int) map[string]float64 { return ratings[i].Scores }); err != nil {
		return nil, err
	}
	return b.Finish()
}

// DecodeRatings reads the answer to documents. Each rating has a value for every declared score, NaN where the plugin
// gave none; a row of status OK whose value is there and not finite becomes a fault.
func (t *Tables) DecodeRatings(f *Frame) ([]sdk.Rating, error) {
	f.expect(Documents | Answer)
	status, details, scores := f.status(), f.texts(ColDetail, f.Rows), t.decodeScores(f)
	if f.err != nil {
		return nil, f.err
	}
	ratings := make([]sdk.Rating, f.Rows)
	for i := range ratings {
		values, wrong := scores.row(i)
		switch {
		case status[i] != sdk.OK:
			ratings[i] = sdk.Rating{Status: status[i], Scores: t.none(), Detail: detail(details.at(i))}
		case wrong != "":
			ratings[i] = t.FaultyRating(wrong)
		default:
			ratings[i] = sdk.Rating{Scores: values, Detail: detail(details.at(i))}
		}
	}
	return ratings, nil
}

// FaultyRating returns the rating of a document on which the plugin failed.
func (t *Tables) FaultyRating(why string) sdk.Rating {
	return sdk.Rating{Status: sdk.Fault, Scores: t.none(), Detail: detail(why)}
}
