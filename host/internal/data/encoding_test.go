package data

import (
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/host/internal/recipe"
	"golang.org/x/text/encoding/simplifiedchinese"
)

func gb18030(t *testing.T, text string) string {
	t.Helper()
	encoded, err := simplifiedchinese.GB18030.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

func TestEncodingIsFoundForTheWholeFile(t *testing.T) {
	const text = "头痛发热，鼻塞流涕。𠮷"
	cases := map[string]string{
		"UTF-8":                        text,
		"UTF-8 with mark":              "\uFEFF" + text,
		"GB18030":                      gb18030(t, text),
		"GB18030 with mark":            gb18030(t, "\uFEFF"+text),
		"GB18030 far behind its ASCII": strings.Repeat(" ", 200_000) + gb18030(t, text),
	}
	for name, content := range cases {
		records, _, _, err := readFiles(t, dataset("text", nil), files{"a.txt": content})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		wantTexts(t, records, text)
	}
}

func TestWrongEncodingIsNeverReadSilently(t *testing.T) {
	const text = "高血压患者要注意控制食盐摄入量。\n"
	as := func(encoding string) recipe.Dataset {
		return dataset("text", func(ds *recipe.Dataset) { ds.Encoding = encoding })
	}
	_, _, _, err := readFiles(t, as("utf-8"), files{"a.txt": "plain\n" + gb18030(t, text)})
	wantError(t, err, "a.txt", "line 2 is not UTF-8", "set encoding to gb18030")
	_, _, _, err = readFiles(t, as("gb18030"), files{"a.txt": text})
	wantError(t, err, "a.txt", "the whole file is UTF-8", "set encoding to utf-8")
	_, _, _, err = readFiles(t, as("gb18030"), files{"a.txt": "caf\xe9 au lait"})
	wantError(t, err, "a.txt", "not the whole file is valid")
	wantTexts(t, mustRead(t, as("gb18030"), files{"a.txt": gb18030(t, text)}), strings.TrimSpace(text))
}

func TestStrayBytesMakeTheirRecordMalformed(t *testing.T) {
	records, _, bad, err := readFiles(t, dataset("text", anyBad), files{
		"a.jsonl": "{\"text\": \"good\"}\n{\"text\": \"don\x92t\"}\n{\"text\": \"na\xefve\"}\n{\"text\": \"也好\"}\n",
	})
	if err != nil || len(bad) != 2 || bad[0].Line != 2 || bad[0].Reason != errNotUTF8.Error() {
		t.Fatalf("malformed %+v, %v", bad, err)
	}
	wantTexts(t, records, "good", "也好")
}

func TestWindowsTextIsNotTakenForChinese(t *testing.T) {
	// Each of these byte pairs is an ideograph in GB18030.
	windows := files{"a.txt": "It\x92s na\xefve, don\x92t you see? The patient\x92s caf\xe9s"}
	_, _, bad, err := readFiles(t, dataset("text", anyBad), windows)
	if err != nil || len(bad) != 1 {
		t.Errorf("malformed %v, %v", bad, err)
	}
}

func TestLineEndsOfAllSystems(t *testing.T) {
	wantTexts(t, mustRead(t, dataset("text", nil), files{"a.txt": "\uFEFFone\r\ntwo\rthree\n"}), "one\ntwo\nthree")
	lines := files{"a.jsonl": "\uFEFF{\"text\": \"a\\r\\nb\"}\r\n{\"text\": \"c\"}\r\n"}
	wantTexts(t, mustRead(t, dataset("text", nil), lines), "a\nb", "c")
}
