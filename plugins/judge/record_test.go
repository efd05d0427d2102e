package judge

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/carebot-llm/carebot/sdk"
)

func TestRunIsRepeatedFromItsRecord(t *testing.T) {
	path := filepath.Join(t.TempDir(), "record.jsonl")
	e := answering(t, rating(3, 4, 5, 5))
	j, _, _ := opened(t, e.URL, `, "record": "`+path+`"`)
	first := score(t, j, "one", "two")
	e.Close()

	only, _, _ := opened(t, e.URL, `, "replay": "only", "record": "`+path+`"`)
	if diff := cmp.Diff(first, score(t, only, "one", "two")); diff != "" {
		t.Errorf("first run (-), replay (+):\n%s", diff)
	}
	if got := score(t, only, "three")[0]; got.Status != sdk.Fault || !strings.Contains(got.Detail, "not in the record") {
		t.Errorf("unknown document: %+v", got)
	}

	other := answering(t, rating(1))
	fill, _, _ := opened(t, other.URL, `, "record": "`+path+`"`)
	if diff := cmp.Diff(first, score(t, fill, "one", "two", "three")[:2]); diff != "" || other.asked() != 2 {
		t.Errorf("%d requests; first run (-), filled (+):\n%s", other.asked(), diff)
	}
	whole, _, _ := opened(t, e.URL, `, "replay": "only", "record": "`+path+`"`)
	if got := score(t, whole, "three")[0]; got.Scores["quality"] != 1 {
		t.Errorf("filled document: %+v", got)
	}
}

func TestKeyIsSentAndNeitherLoggedNorRecorded(t *testing.T) {
	const secret = "sk-secret-123"
	t.Setenv("JUDGE_TEST_KEY", secret)
	path := filepath.Join(t.TempDir(), "record.jsonl")
	e := answering(t, func(w http.ResponseWriter, n int, _ string) {
		if n == 0 {
			http.Error(w, "key "+secret+" is busy", http.StatusTooManyRequests)
			return
		}
		if n > 2 {
			http.Error(w, "key "+secret+" is invalid", http.StatusUnauthorized)
			return
		}
		say(w, "Your key is "+secret+". Quality score: 4")
	})
	j, _, h := opened(t, e.URL, `, "api_key_env": "JUDGE_TEST_KEY", "record": "`+path+`"`)
	got := score(t, j, "one", "two")
	if e.headers[0].Get("Authorization") != "Bearer "+secret {
		t.Errorf("headers %v", e.headers[0])
	}
	written, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{
		"record": string(written), "log": strings.Join(h.lines, "\n"), "detail": got[0].Detail + got[1].Detail,
	} {
		if text == "" || strings.Contains(text, secret) {
			t.Errorf("the %s is %q", what, text)
		}
	}
	if got[0].Scores["quality"] != 4 || got[1].Status != sdk.Fault {
		t.Errorf("%+v", got)
	}
}

func TestTornLineOfARecordIsDropped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "record.jsonl")
	whole := `{"key":"a","request":{},"response":{"content":"first","tokens":1}}` + "\n" +
		`{"key":"a","request":{},"response":{"content":"second","tokens":1}}` + "\n"
	if err := os.WriteFile(path, []byte(whole+`{"key":"b","requ`), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := openRecord(path, false)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := r.add("a", []byte("{}"), reply{"third", 1}); got.Content != "first" || err != nil {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := r.add("c", []byte("{}"), reply{"new", 1}); err != nil {
		t.Fatal(err)
	}
	want := whole + `{"key":"c","request":{},"response":{"content":"new","tokens":1}}` + "\n"
	if got, err := os.ReadFile(path); string(got) != want || err != nil {
		t.Errorf("%s, %v", got, err)
	}
}

func TestDamagedRecordIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "record.jsonl")
	if err := os.WriteFile(path, []byte("{}\n{\"key\"\n{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openRecord(path, false); err == nil || !strings.Contains(err.Error(), path+":2:") {
		t.Errorf("error %v", err)
	}
	if _, err := openRecord(path+".missing", true); err == nil {
		t.Error("a missing record is read")
	}
}
