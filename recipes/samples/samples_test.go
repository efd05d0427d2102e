package samples

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// lines reads the records of an embedded file.
func lines(t *testing.T, name string) []map[string]any {
	t.Helper()
	raw, err := FS.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var in io.Reader = bytes.NewReader(raw)
	if strings.HasSuffix(name, ".gz") {
		if in, err = gzip.NewReader(in); err != nil {
			t.Fatal(err)
		}
	}
	var all []map[string]any
	for s := bufio.NewScanner(in); s.Scan(); {
		var r map[string]any
		if err := json.Unmarshal(s.Bytes(), &r); err != nil {
			t.Fatalf("%s:%d: %v", name, len(all)+1, err)
		}
		all = append(all, r)
	}
	return all
}

func TestTheGeneratorMakesTheseBytes(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command("go", "run", "./generate", "-out", dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("generate: %v\n%s", err, out)
	}
	err := fs.WalkDir(FS, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		want, err := FS.ReadFile(name)
		if err != nil {
			return err
		}
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err == nil && !bytes.Equal(got, want) {
			t.Errorf("%s differs: run go generate", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFilesHoldWhatTheReadmeSays(t *testing.T) {
	sizes := map[string]int{
		"medical/en.jsonl.gz": 2000, "medical/zh.jsonl.gz": 800, "general/en.jsonl.gz": 400, "general/zh.jsonl.gz": 200,
		"rated.jsonl.gz": 1000, "rated-heldout.jsonl": 200, "dialogues.jsonl.gz": 900, "pairs.jsonl.gz": 600,
		"pairs-heldout.jsonl": 150, "exam-en.jsonl": 150, "exam-zh.jsonl": 150, "heldout/en.jsonl": 60, "heldout/zh.jsonl": 60,
	}
	for name, least := range sizes {
		if n := len(lines(t, name)); n < least {
			t.Errorf("%s has %d records, want at least %d", name, n, least)
		}
	}
}

func TestExamAnswersAreBalanced(t *testing.T) {
	for _, name := range []string{"exam-en.jsonl", "exam-zh.jsonl"} {
		count := map[any]int{}
		all := lines(t, name)
		for _, q := range all {
			if len(q["options"].([]any)) != 4 {
				t.Errorf("%s: %v has not four options", name, q["id"])
			}
			count[q["answer"]]++
		}
		for _, letter := range []string{"A", "B", "C", "D"} {
			if share := float64(count[letter]) / float64(len(all)); share < 0.2 || share > 0.3 {
				t.Errorf("%s: %s is right in %.0f %% of the questions", name, letter, 100*share)
			}
		}
	}
}

func TestPlantedRecordsAreThere(t *testing.T) {
	for name, want := range map[string]map[string]float64{
		"dialogues.jsonl.gz": {"unrelated": 0.04, "redundant": 0.04}, "pairs.jsonl.gz": {"swapped": 0.02},
	} {
		count := map[string]int{}
		all := lines(t, name)
		for _, r := range all {
			if planted, ok := r["planted"].(string); ok {
				count[planted]++
			}
		}
		for kind, least := range want {
			if share := float64(count[kind]) / float64(len(all)); share < least || share > 0.09 {
				t.Errorf("%s: %.1f %% are %s", name, 100*share, kind)
			}
		}
	}
}

func TestNoExamQuestionOrHeldOutDocumentIsInTheTrainingFiles(t *testing.T) {
	stretches, documents := map[string]bool{}, map[string]bool{}
	for _, name := range []string{
		"medical/en.jsonl.gz", "medical/zh.jsonl.gz", "general/en.jsonl.gz", "general/zh.jsonl.gz", "rated.jsonl.gz",
	} {
		for _, r := range lines(t, name) {
			text := r["text"].(string)
			documents[text] = true
			for _, run := range runs(text) {
				stretches[run] = true
			}
		}
	}
	for _, name := range []string{"exam-en.jsonl", "exam-zh.jsonl"} {
		for _, r := range lines(t, name) {
			for _, run := range runs(r["question"].(string)) {
				if stretches[run] {
					t.Errorf("%s: %v has %q, which a training file has too", name, r["id"], run)
				}
			}
		}
	}
	for _, name := range []string{"heldout/en.jsonl", "heldout/zh.jsonl", "rated-heldout.jsonl"} {
		for _, r := range lines(t, name) {
			if documents[r["text"].(string)] {
				t.Errorf("%s: %v is in a training file too", name, r["id"])
			}
		}
	}
}

// runs are the stretches that count as a leak: 13 words of English, 20 characters of Chinese.
func runs(text string) []string {
	units, n, joint := strings.Fields(text), 13, " "
	if len(units) < len([]rune(text))/12 {
		units, n, joint = strings.Split(text, ""), 20, ""
	}
	var all []string
	for i := 0; i+n <= len(units); i++ {
		all = append(all, strings.Join(units[i:i+n], joint))
	}
	return all
}
