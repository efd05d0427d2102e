package tokenizer

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// componentRow is what the Hugging Face library makes of the fixture's texts with one element of tokenizer.json.
type componentRow struct {
	Element json.RawMessage
	Digest  string
	Texts   []string
	Pieces  [][]string
	Tokens  [][]string
}

type componentFixture struct {
	Texts         []string
	Forms         []componentRow
	Categories    map[string]string
	Normalizers   []componentRow
	PreTokenizers []componentRow `json:"pre_tokenizers"`
	Decoders      []componentRow
	Tokenizers    []struct {
		Name       string
		File       json.RawMessage
		IDs        [][]int32
		All        [][]int32
		Around     []int32
		Plain      []int32
		Random     [][]int32
		Decoded    []string
		DecodedAll []string `json:"decoded_all"`
	}
}

func TestEachCodePointBecomesWhatHuggingFaceMakesOfIt(t *testing.T) {
	for _, row := range readFixture[componentFixture](t, "components.json").Forms {
		normalize, _, err := readNormalizer(row.Element)
		if err != nil {
			t.Fatal(err)
		}
		digest := sha256.New()
		for r := rune(0); r <= utf8.MaxRune; r++ {
			if utf8.ValidRune(r) {
				if r > 0 {
					digest.Write([]byte{'\n'})
				}
				digest.Write([]byte(normalize(string(r))))
			}
		}
		if got := hex.EncodeToString(digest.Sum(nil)); got != row.Digest {
			t.Errorf("%s: digest %s, want %s", row.Element, got, row.Digest)
		}
	}
}

func TestCategoriesInPatternsHaveHuggingFacesCodePoints(t *testing.T) {
	fixture := readFixture[componentFixture](t, "components.json")
	for name := range newer {
		table := unicode.Categories[name]
		if table == nil {
			table = unicode.Scripts[name]
		}
		digest := sha256.New()
		for r := rune(0); r <= utf8.MaxRune; r++ {
			if utf8.ValidRune(r) && unicode.In(r, table, newer[name]) {
				digest.Write([]byte(string(r)))
			}
		}
		if got := hex.EncodeToString(digest.Sum(nil)); got != fixture.Categories[name] {
			t.Errorf("%s: digest %s, want %s", name, got, fixture.Categories[name])
		}
	}
}

func TestNormalizersGiveHuggingFacesTexts(t *testing.T) {
	fixture := readFixture[componentFixture](t, "components.json")
	for _, row := range fixture.Normalizers {
		normalize, _, err := readNormalizer(row.Element)
		if err != nil {
			t.Errorf("%s: %v", row.Element, err)
			continue
		}
		for i, text := range fixture.Texts {
			if got := normalize(text); got != row.Texts[i] {
				t.Errorf("%.200s: %+q becomes %+q, want %+q", row.Element, text, got, row.Texts[i])
			}
		}
	}
}

func TestPreTokenizersGiveHuggingFacesPieces(t *testing.T) {
	fixture := readFixture[componentFixture](t, "components.json")
	for _, row := range fixture.PreTokenizers {
		elements, err := flatten(row.Element, "pretokenizers")
		if err != nil {
			t.Fatal(err)
		}
		cut, err := readPreTokenizer(elements, false, "")
		if err != nil {
			t.Errorf("%s: %v", row.Element, err)
			continue
		}
		for i, text := range fixture.Texts {
			if got := pieces(cut.start, text); !slices.Equal(got, row.Pieces[i]) {
				t.Errorf("%s: %+q is cut into %+q, want %+q", row.Element, text, got, row.Pieces[i])
			}
		}
	}
}

func TestDecodersGiveHuggingFacesTexts(t *testing.T) {
	for _, row := range readFixture[componentFixture](t, "components.json").Decoders {
		decoding, err := readDecoder(row.Element)
		if err != nil {
			t.Errorf("%s: %v", row.Element, err)
			continue
		}
		for i, tokens := range row.Tokens {
			list := slices.Clone(tokens)
			if decoding.bytes {
				for i := range list {
					list[i] = spelledBytes(list[i])
				}
			}
			if got := decoding.text(list); got != row.Texts[i] {
				t.Errorf("%s: %q becomes %q, want %q", row.Element, tokens, got, row.Texts[i])
			}
		}
	}
}

func TestTokenizersOfAllKindsGiveHuggingFacesTokens(t *testing.T) {
	fixture := readFixture[componentFixture](t, "components.json")
	for _, row := range fixture.Tokenizers {
		t.Run(row.Name, func(t *testing.T) {
			tok, err := assemble(tokenizerJSON(row.File))
			if err != nil {
				t.Fatal(err)
			}
			for i, text := range fixture.Texts {
				if got := tok.Encode(text); !slices.Equal(got, row.IDs[i]) {
					t.Errorf("%+q: %v, want %v", text, got, row.IDs[i])
				}
				if got := tok.EncodeAll(text); !slices.Equal(got, row.All[i]) {
					t.Errorf("%+q with special tokens: %v, want %v", text, got, row.All[i])
				}
			}
			for i, ids := range row.Random {
				if got := tok.Decode(ids); got != row.Decoded[i] {
					t.Errorf("%v decoded: %q, want %q", ids, got, row.Decoded[i])
				}
				if got := tok.DecodeAll(ids); got != row.DecodedAll[i] {
					t.Errorf("%v decoded with special tokens: %q, want %q", ids, got, row.DecodedAll[i])
				}
			}
			if before, after := tok.Around(); row.Around != nil &&
				!slices.Equal(slices.Concat(before, row.Plain, after), row.Around) {
				t.Errorf("around a text %v and %v, want %v", before, after, row.Around)
			}
		})
	}
}

type formatFixture struct {
	Texts   []string
	Formats []struct {
		Name    string
		Files   map[string][]byte
		IDs     [][]int32
		Around  [][]int32
		Random  [][]int32
		Decoded []string
	}
}

func TestDirectoriesWithoutTokenizerFileGiveTheTokensOfTheirLibraries(t *testing.T) {
	fixture := readFixture[formatFixture](t, "formats.json")
	for _, row := range fixture.Formats {
		t.Run(row.Name, func(t *testing.T) {
			dir := t.TempDir()
			for name, content := range row.Files {
				if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			tok, err := Load(dir)
			if err != nil {
				t.Fatal(err)
			}
			for i, text := range fixture.Texts {
				if got := tok.Encode(text); !slices.Equal(got, row.IDs[i]) {
					t.Errorf("%+q: %v, want %v", text, got, row.IDs[i])
				}
			}
			for i, ids := range row.Random {
				if got := tok.Decode(ids); got != row.Decoded[i] {
					t.Errorf("%v decoded: %q, want %q", ids, got, row.Decoded[i])
				}
			}
			if before, after := tok.Around(); row.Around != nil &&
				!(slices.Equal(before, row.Around[0]) && slices.Equal(after, row.Around[1])) {
				t.Errorf("around a text %v and %v, want %v", before, after, row.Around)
			}
			assertSavedUnchanged(t, tok, row.Files)
		})
	}
}

func assertSavedUnchanged(t *testing.T, tok *Tokenizer, want map[string][]byte) {
	t.Helper()
	dir := t.TempDir()
	if err := tok.Save(dir); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != len(want) {
		t.Errorf("%d files are saved, want %d", len(entries), len(want))
	}
	for name, content := range want {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%s is not saved as it was: %v", name, err)
		}
	}
}

func TestFilesWithoutTokenizerFileThatAreBrokenAreNamed(t *testing.T) {
	for _, c := range []struct {
		files map[string]string
		want  string
	}{
		{map[string]string{"tokenizer.model": "\n\x05abc"}, "tokenizer.model: it is not a protocol buffer"},
		{map[string]string{"tokenizer.model": "\n\x03\n\x01a"}, "0 pieces are of type unknown"},
		{map[string]string{"tokenizer.model": "\n\x05\n\x01a\x18\x07"}, `piece 0, "a": type 7`},
		{map[string]string{"tokenizer.model": "\n\x03\n\x01a\x12\x02\x18\x03"}, "model_type 3"},
		{map[string]string{"tokenizer.model": "YQ== 0\nYQ= 1"}, "line 2 is not a token in base64"},
		{map[string]string{"tokenizer.model": "YQ== 0\nYQ== 1"}, "line 2: the token is there twice"},
		{map[string]string{"tokenizer.model": "YQ== 0\n"}, "no token for byte 0x00"},
		{map[string]string{"vocab.txt": "a\nb\n"}, "[CLS] or [SEP] is not in the vocabulary"},
		{map[string]string{"vocab.txt": "a\n", "tokenizer_config.json": `{"tokenizer_class": "T5"}`}, `class "T5"`},
		{map[string]string{"vocab.json": `{"a": 0}`, "merges.txt": "a b c\n"}, "merges: line 1 is not of two tokens"},
		{map[string]string{"vocab.json": `{"a": "b"}`, "merges.txt": ""}, "vocab.json, merges.txt: cannot unmarshal"},
		{map[string]string{"vocab.json": `{"a": 0}`}, "vocab.json with merges.txt"},
	} {
		dir := t.TempDir()
		for name, content := range c.files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error %v, want %q in it", c.files, err, c.want)
		}
	}
}
