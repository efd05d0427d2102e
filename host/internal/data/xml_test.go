package data

import (
	"bufio"
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/host/internal/recipe"
)

func xmlDataset(record string, fields ...string) recipe.Dataset {
	return dataset("text", func(ds *recipe.Dataset) {
		ds.Record, ds.Fields = record, map[string]recipe.Fields{"text": fields}
	})
}

const pairsXML = `<?xml version="1.0" encoding="GBK"?>
<!DOCTYPE Document SYSTEM "none.dtd">
<d:Document xmlns:d="urn:x"><Focus>F</Focus>
<d:QAPair pid="1"><Question>What  is
 it?</Question><d:Answer>It &lt; that &nbsp;&amp; &#x4e00;.

Second <b>par</b>agraph.</d:Answer></d:QAPair>
<QAPair><Question>Why?</Question><Answer><![CDATA[a <b>]]></Answer></QAPair>
</d:Document>`

func TestXMLRecordsAreElementsWhateverTheirNamespace(t *testing.T) {
	records := mustRead(t, xmlDataset("QAPair", "Question", "Answer"), files{"a.xml": pairsXML})
	wantTexts(t, records, "What is it?\nIt < that & 一.\n\nSecond paragraph.", "Why?\na <b>")
	if records[0].Line != 4 || records[1].Line != 8 {
		t.Errorf("lines %d, %d", records[0].Line, records[1].Line)
	}
}

const moduleXML = `<document>
<title>The Liver</title>
<metadata><md:title xmlns:md="m">The Liver (metadata)</md:title></metadata>
<content><para>The <term>liver</term> is H<sub>2</sub>O-rich: <list><item>one</item><item>two</item></list>
and so on.</para>
<section><title><emphasis>Lobes</emphasis> <term>of it</term></title>
<para>Left.</para><para><term>Right</term></para></section>
<table><row><entry>a</entry><entry>b</entry></row></table>
</content></document>`

func TestXMLTextKeepsParagraphs(t *testing.T) {
	records := mustRead(t, xmlDataset("", "metadata/title", "content"), files{"a.cnxml": moduleXML})
	wantTexts(t, records, "The Liver (metadata)\nThe liver is H2O-rich:\n\none\n\ntwo\n\nand so on.\n\n"+
		"Lobes of it\n\nLeft.\n\nRight\n\na b")
	records = mustRead(t, xmlDataset("section", "."), files{"a.cnxml": moduleXML})
	wantTexts(t, records, "Lobes of it\n\nLeft.\n\nRight")
	records = mustRead(t, xmlDataset("", "title"), files{"a.cnxml": moduleXML})
	wantTexts(t, records, "The Liver\nThe Liver (metadata)\nLobes of it")
}

func TestBrokenXML(t *testing.T) {
	records, _, bad, err := readFiles(t, dataset("text", func(ds *recipe.Dataset) {
		ds.Fields, ds.MaxBad = map[string]recipe.Fields{"text": {"."}}, 1
	}), files{"a.xml": "<a>one</a>", "b.xml": "<a>\n<b></a>", "c.xml": "<a>three</a>", "d.xml": "<a>four"})
	if err != nil || len(bad) != 2 {
		t.Fatalf("malformed %v, %v", bad, err)
	}
	wantTexts(t, records, "one", "three")
	_, counts, _, err := readFiles(t, xmlDataset("b", "."), files{"a.xml": "<a><b>1</b>\n<b>2</a>"})
	wantError(t, err, "a.xml", "line 2")
	if counts.Records != 1 {
		t.Errorf("counts %+v", counts)
	}
	_, _, _, err = readFiles(t, xmlDataset("", "."), files{"a.xml": strings.Repeat("<a>", 1000)})
	wantError(t, err, "nested deeper")
}

func FuzzXMLReader(f *testing.F) {
	f.Add(pairsXML, "QAPair")
	f.Add(moduleXML, "")
	f.Fuzz(func(t *testing.T, text, record string) {
		in := input{text: bufio.NewReader(strings.NewReader(text)), ds: recipe.Dataset{Record: record}}
		readXML(in, func(r row) bool {
			if r.fields == nil {
				t.Error("a row without fields")
			}
			return true
		})
	})
}
