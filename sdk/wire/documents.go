package wire

import "github.com/carebot-llm/carebot/sdk"

// EncodeDocuments writes a request for ratings with the given columns (of ColumnsOf).
func EncodeDocuments(b *Builder, batch uint64, columns []Column, docs []sdk.Document) ([]byte, error) {
	b.Begin(Documents, len(docs), len(columns), batch)
	for _, c := range columns {
		switch c {
		case ColID:
			b.texts(c, len(docs), func(i int) string { return docs[i].ID })
		case ColText:
			b.texts(c, len(docs), func(i int) string { return docs[i].Text })
		case ColLanguage:
			b.texts(c, len(docs), func(i int) string { return docs[i].Language })
		case ColSource:
			b.texts(c, len(docs), func(i int) string { return docs[i].Source })
		case ColMeta:
			b.texts(c, len(docs), func(i int) string { return docs[i].Meta })
		}
	}
	return b.Finish()
}

// DecodeDocuments reads a request for ratings. Columns that were not sent are empty strings.
func DecodeDocuments(f *Frame) ([]sdk.Document, error) {
	f.expect(Documents)
	id, text, language := f.texts(ColID, f.Rows), f.texts(ColText, f.Rows), f.texts(ColLanguage, f.Rows)
	source, meta := f.texts(ColSource, f.Rows), f.texts(ColMeta, f.Rows)
	if f.err != nil {
		return nil, f.err
	}
	docs := make([]sdk.Document, f.Rows)
	for i := range docs {
		docs[i] = sdk.Document{
			ID: id.at(i), Text: text.at(i), Language: language.at(i), Source: source.at(i), Meta: meta.at(i),
		}
	}
	return docs, nil
}
