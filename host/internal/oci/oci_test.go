package oci

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carebot-llm/carebot/sdk/sdktest/toolchain"
)

var sample = Plugin{
	Name: "my-filter", Version: "1.2.3", Manifest: []byte(`{"name": "my-filter"}`), Module: []byte("\x00asm\x01\x00\x00\x00"),
}

func TestReferenceIsReadAndWritten(t *testing.T) {
	const digest = "@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	for _, text := range []string{
		"oci://localhost:5000/plugins/my-filter:1.2.3", "oci://example.org/a" + digest, "oci-layout://./dir:latest",
		"oci-layout:///a/b" + digest,
	} {
		r, err := parse(text)
		if err != nil || r.String() != text || r.pinned() != strings.HasSuffix(text, digest) || !IsReference(text) {
			t.Errorf("%s is read as %s, %v", text, r, err)
		}
	}
	for text, want := range map[string]string{
		"my-filter":             "no reference",
		"oci://host/name":       "names no version",
		"oci://host":            "reference oci://host",
		"oci-layout://dir":      "names no version",
		"oci-layout://a:b/c":    "names no version",
		"oci-layout://dir@sha1": "no digest",
	} {
		if _, err := parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", text, err, want)
		}
	}
}

func TestPluginGoesThroughALayout(t *testing.T) {
	shared(t, "oci-layout://"+filepath.Join(t.TempDir(), "layout"))
}

func TestPluginGoesThroughARegistry(t *testing.T) {
	shared(t, "oci://"+startRegistry(t)+"/plugins/my-filter")
}

// shared pushes a plugin and gets it back by tag and by digest.
func shared(t *testing.T, where string) {
	pinned, err := Push(t.Context(), where+":1", sample)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Push(t.Context(), where+":2", sample)
	if err != nil || again != pinned {
		t.Errorf("the same plugin is %s and %s, %v", pinned, again, err)
	}
	for _, from := range []string{where + ":1", pinned} {
		got, at, err := Pull(t.Context(), from)
		if err != nil || !bytes.Equal(got.Module, sample.Module) || got.Name != sample.Name || got.Version != sample.Version {
			t.Errorf("%s: %+v, %v", from, got, err)
		}
		if at != pinned {
			t.Errorf("%s is %s, want %s", from, at, pinned)
		}
	}
	if _, _, err := Pull(t.Context(), where+":3"); err == nil || !strings.Contains(err.Error(), where+":3") {
		t.Errorf("a tag that is not there: %v", err)
	}
	if _, err := Push(t.Context(), pinned, sample); err == nil || !strings.Contains(err.Error(), "want a tag") {
		t.Errorf("push to a digest: %v", err)
	}
}

// startRegistry starts Debian's docker-registry on loopback and returns its address.
func startRegistry(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("docker-registry")
	toolchain.Need(t, err)
	address := freeAddress(t)
	config := filepath.Join(t.TempDir(), "config.yml")
	text := fmt.Sprintf("version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: %s}\n",
		t.TempDir(), address)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, program, "serve", config)
	cmd.Stdout, cmd.Stderr = io.Discard, os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		_ = cmd.Wait()
	})
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if reply, err := http.Get("http://" + address + "/v2/"); err == nil {
			_ = reply.Body.Close()
			return address
		} else if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestFetchedModuleIsKeptAndChecked(t *testing.T) {
	layout, cache := filepath.Join(t.TempDir(), "layout"), filepath.Join(t.TempDir(), "cache")
	pinned, err := Push(t.Context(), "oci-layout://"+layout+":1", sample)
	if err != nil {
		t.Fatal(err)
	}
	path, err := Fetch(t.Context(), pinned, cache)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time the layout is gone
		if path, err = Fetch(t.Context(), pinned, cache); err != nil {
			t.Fatal(err)
		}
		if module, err := os.ReadFile(path); err != nil || !bytes.Equal(module, sample.Module) {
			t.Errorf("%q, %v", module, err)
		}
		if err := os.RemoveAll(layout); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Fetch(t.Context(), "oci-layout://"+layout+":1", cache); err == nil || !strings.Contains(err.Error(), "plugin pull") {
		t.Errorf("a tag in a recipe: %v", err)
	}
}

func TestArtifactThatIsNoPluginIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		`{`:                                 "the artifact's manifest",
		`{"artifactType": "application/x"}`: "not a plugin",
		`{"artifactType": "` + artifactType + `", "config": {"mediaType": "x"}}`:                    "the plugin's manifest is",
		`{"artifactType": "` + artifactType + `", "config": {"mediaType": "` + manifestType + `"}}`: "not one layer",
	} {
		if _, err := parseRoot([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", text, err, want)
		}
	}
}

func FuzzParseRoot(f *testing.F) {
	f.Add([]byte(`{"artifactType": "` + artifactType + `", "layers": [{}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if r, err := parseRoot(text); err == nil && len(r.Layers) != 1 {
			t.Error("a plugin without its module")
		}
	})
}
