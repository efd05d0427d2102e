package hub

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	commit = "0123456789abcdef0123456789abcdef01234567"
	secret = "hf_secret"
)

// A stand is a hub on this machine.
type stand struct {
	*httptest.Server
	files    map[string]string // of org/name, a model and a data set
	large    []string          // kept as LFS files: redirected to the store, known by sha256
	announce map[string]string // digests that are announced instead
	cut      map[string]int    // answers that break off in the middle, by path
	refuse   int               // status of all answers
	ranges   []string
	store    *httptest.Server // another host
	auth     struct{ hub, store []string }
	lock     sync.Mutex
}

func newStand(t *testing.T) *stand {
	t.Helper()
	t.Setenv("HF_HOME", t.TempDir())
	for _, name := range []string{"HF_HUB_CACHE", "HF_TOKEN", "HF_TOKEN_PATH", "HF_HUB_OFFLINE"} {
		t.Setenv(name, "")
	}
	s := &stand{files: map[string]string{}, announce: map[string]string{}, cut: map[string]int{}}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	s.store = httptest.NewServer(http.HandlerFunc(s.content))
	t.Cleanup(s.Close)
	t.Cleanup(s.store.Close)
	return s
}

func (s *stand) serve(w http.ResponseWriter, r *http.Request) {
	s.lock.Lock()
	s.auth.hub = append(s.auth.hub, r.Header.Get("Authorization"))
	s.lock.Unlock()
	switch {
	case s.refuse != 0:
		w.WriteHeader(s.refuse)
	case r.URL.Path == "/api/models/org/name/revision/main", r.URL.Path == "/api/datasets/org/name/revision/main":
		s.list(w)
	case strings.Contains(r.URL.Path, "org/name/resolve/"+commit+"/"):
		_, path, _ := strings.Cut(r.URL.Path, commit+"/")
		if slices.Contains(s.large, path) {
			http.Redirect(w, r, s.store.URL+"/"+path+"?Signature=secret", http.StatusFound)
			return
		}
		r.URL.Path = "/" + path
		s.content(w, r)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (s *stand) list(w http.ResponseWriter) {
	siblings := []map[string]any{}
	for path, text := range s.files {
		sha := sha1.Sum(fmt.Appendf(nil, "blob %d\x00%s", len(text), text))
		one := map[string]any{"rfilename": path, "size": len(text), "blobId": hex.EncodeToString(sha[:])}
		if slices.Contains(s.large, path) {
			sha := sha256.Sum256([]byte(text))
			one["lfs"] = map[string]any{"sha256": hex.EncodeToString(sha[:]), "size": len(text), "pointerSize": 130}
		}
		if digest, ok := s.announce[path]; ok {
			one["blobId"] = digest
		}
		siblings = append(siblings, one)
	}
	json.NewEncoder(w).Encode(map[string]any{"id": "org/name", "sha": commit, "siblings": siblings})
}

func (s *stand) content(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/")
	s.lock.Lock()
	defer s.lock.Unlock()
	s.auth.store = append(s.auth.store, r.Header.Get("Authorization"))
	s.ranges = append(s.ranges, r.Header.Get("Range"))
	if s.cut[path] > 0 {
		s.cut[path]--
		w.Header().Set("Content-Length", fmt.Sprint(len(s.files[path])))
		w.Write([]byte(s.files[path][:len(s.files[path])/2]))
		panic(http.ErrAbortHandler)
	}
	http.ServeContent(w, r, path, time.Time{}, strings.NewReader(s.files[path]))
}

func (s *stand) client(t *testing.T, token string) *Client {
	t.Helper()
	c, err := NewClient(s.URL, token, "test", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	c.pause = time.Millisecond
	return c
}

var model = Ref{Kind: Model, ID: "org/name", Revision: "main"}

// fetch gets all files.
func (s *stand) fetch(t *testing.T, c *Client, ref Ref) (Snapshot, error) {
	t.Helper()
	l, err := c.List(t.Context(), ref)
	if err != nil {
		return Snapshot{}, err
	}
	return c.Fetch(t.Context(), l, func(string) bool { return true }, func(File) {})
}

// holds compares what lies in a snapshot.
func holds(t *testing.T, s Snapshot, want map[string]string) {
	t.Helper()
	got := map[string]string{}
	for path := range want {
		text, err := os.ReadFile(filepath.Join(s.Dir, path))
		if err != nil {
			t.Error(err)
		}
		got[path] = string(text)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestWhatIsFetchedIsFoundOffline(t *testing.T) {
	for _, ref := range []Ref{model, {Kind: Dataset, ID: "org/name", Revision: "main"}} {
		s := newStand(t)
		s.files = map[string]string{"config.json": "{}", "data/a b.jsonl": "{}\n", "empty": "", "big": strings.Repeat("x", 1<<16)}
		s.large = []string{"big"}
		if _, err := Locate(ref); !errors.Is(err, ErrAbsent) {
			t.Errorf("error %v, want %v", err, ErrAbsent)
		}
		if _, err := s.fetch(t, s.client(t, ""), ref); err != nil {
			t.Fatal(err)
		}
		s.Close()
		found, err := Locate(ref)
		if err != nil {
			t.Fatal(err)
		}
		holds(t, found, s.files)
		ref.Revision = commit
		if pinned, err := Locate(ref); err != nil || pinned != found {
			t.Errorf("by its commit: %v, %v", pinned, err)
		}
	}
}

func TestAnInterruptedDownloadGoesOn(t *testing.T) {
	s := newStand(t)
	s.files = map[string]string{"big": strings.Repeat("0123456789", 1000)}
	s.large, s.cut = []string{"big"}, map[string]int{"big": 2}
	snapshot, err := s.fetch(t, s.client(t, ""), model)
	if err != nil {
		t.Fatal(err)
	}
	holds(t, snapshot, s.files)
	if len(s.ranges) != 3 || s.ranges[0] != "" || s.ranges[2] != "bytes=5000-" {
		t.Errorf("ranges %q", s.ranges)
	}
}

func TestAnotherRunGoesOnWithWhatIsThere(t *testing.T) {
	s := newStand(t)
	s.files = map[string]string{"big": strings.Repeat("0123456789", 1000)}
	s.large, s.cut = []string{"big"}, map[string]int{"big": 2}
	c := s.client(t, "")
	c.attempts = 1
	if _, err := s.fetch(t, c, model); err == nil {
		t.Fatal("no error after an interruption")
	}
	if _, err := Locate(model); !errors.Is(err, ErrAbsent) {
		t.Errorf("a half snapshot is found: %v", err)
	}
	snapshot, err := s.fetch(t, c, model)
	if err != nil {
		t.Fatal(err)
	}
	holds(t, snapshot, s.files)
	if !slices.Contains(s.ranges, "bytes=5000-") {
		t.Errorf("ranges %q", s.ranges)
	}
}

func TestTheTokenGoesToTheEndpointOnly(t *testing.T) {
	s := newStand(t)
	s.files, s.large = map[string]string{"big": "content"}, []string{"big"}
	t.Setenv("HF_TOKEN", secret)
	token, err := Token()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.fetch(t, s.client(t, token), model); err != nil {
		t.Fatal(err)
	}
	if want := []string{"Bearer " + secret, "Bearer " + secret}; !slices.Equal(s.auth.hub, want) {
		t.Errorf("the hub got %q", s.auth.hub)
	}
	if !slices.Equal(s.auth.store, []string{""}) {
		t.Errorf("the store got %q", s.auth.store)
	}
	if _, err := NewClient("http://hub.example.com", secret, "test", 1); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("a token over http: %v", err)
	}
}

func TestTokensStandInFiles(t *testing.T) {
	newStand(t)
	if token, err := Token(); token != "" || err != nil {
		t.Errorf("without any: %q, %v", token, err)
	}
	if err := os.WriteFile(filepath.Join(os.Getenv("HF_HOME"), "token"), []byte("one\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if token, err := Token(); token != "one" || err != nil {
		t.Errorf("in HF_HOME: %q, %v", token, err)
	}
	file := filepath.Join(t.TempDir(), "t")
	t.Setenv("HF_TOKEN_PATH", file)
	if err := os.WriteFile(file, []byte("two"), 0o600); err != nil {
		t.Fatal(err)
	}
	if token, err := Token(); token != "two" || err != nil {
		t.Errorf("in HF_TOKEN_PATH: %q, %v", token, err)
	}
}

func TestRefusalsSayWhatToDo(t *testing.T) {
	for _, c := range []struct {
		status int
		token  string
		want   string
	}{
		{401, "", "HF_TOKEN is not set"},
		{401, secret, "the token is not valid"},
		{403, secret, "has terms to accept"},
		{404, "", "no such repository, revision or file"},
		{503, "", "given up after 6 attempts"},
	} {
		s := newStand(t)
		s.refuse = c.status
		_, err := s.fetch(t, s.client(t, c.token), model)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%d: error %v, want %s", c.status, err, c.want)
		}
	}
}

func TestWhatAHubMustNotSendIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		set  func(s *stand)
		want string
	}{
		"other bytes": {func(s *stand) {
			s.files["a"], s.announce["a"] = "text", strings.Repeat("0", 40)
		}, "other bytes than it announced"},
		"a name up":          {func(s *stand) { s.files["../../a"] = "" }, `"../../a", which leads out of the folder`},
		"an absolute name":   {func(s *stand) { s.files["/etc/a"] = "" }, "leads out of the folder"},
		"a name of Windows":  {func(s *stand) { s.files[`..\a`] = "" }, "leads out of the folder"},
		"no digest":          {func(s *stand) { s.files["a"], s.announce["a"] = "", "../x" }, "has no digest"},
		"a file and folder":  {func(s *stand) { s.files["a"], s.files["a/b"] = "1", "2" }, "a"},
		"more than allowed":  {func(s *stand) { s.files["a"] = strings.Repeat("x", 1<<20+1) }, "more than the 1048576"},
		"a redirect to ftp:": {func(s *stand) { s.files["a"], s.large, s.store.URL = "1", []string{"a"}, "ftp://h" }, "redirects to ftp://h"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStand(t)
			c.set(s)
			_, err := s.fetch(t, s.client(t, ""), model)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %s", err, c.want)
			}
			if _, err := Locate(model); !errors.Is(err, ErrAbsent) && name != "a file and folder" {
				t.Errorf("a snapshot is found: %v", err)
			}
			if left, _ := filepath.Glob(filepath.Join(CacheDir(), "*", "blobs", strings.Repeat("0", 40)+"*")); len(left) > 0 {
				t.Errorf("what was wrong is kept: %s", left)
			}
		})
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string]Ref{
		"hf://gpt2":                       {Model, "gpt2", "main", ""},
		"hf://org/name":                   {Model, "org/name", "main", ""},
		"hf://org/name@v1.0":              {Model, "org/name", "v1.0", ""},
		"hf://datasets/org/name":          {Dataset, "org/name", "main", ""},
		"hf://datasets/org/name/a/*.json": {Dataset, "org/name", "main", "a/*.json"},
		"hf://datasets/org/name@refs%2Fconvert%2Fparquet/d": {Dataset, "org/name", "refs/convert/parquet", "d"},
		"hf://datasets/squad@" + commit:                     {Dataset, "squad", commit, ""},
	} {
		if got, err := Parse(name); err != nil || got != want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for _, name := range []string{
		"hf://", "org/name", "hf://org/name/file", "hf://../name", "hf://org/na--me", "hf://org/name@..%2F..%2Fx",
		"hf://datasets/org/name/../x", "hf://datasets/org/name@%zz", "hf:///name", "hf://org/name@",
	} {
		if got, err := Parse(name); err == nil {
			t.Errorf("%s: %+v, want an error", name, got)
		}
	}
}
