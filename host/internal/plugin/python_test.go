package plugin

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/sdk"
)

// python skips the test unless the Python that a script finds has grpcio.
func python(t *testing.T) {
	t.Helper()
	cmd := exec.Command("/usr/bin/env", "python3", "-c", "import grpc")
	cmd.Env = []string{"PATH=" + defaultPath}
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("NOT TESTED: python3 has no grpcio (Debian: python3-grpcio): %v\n%s", err, said)
	}
}

func TestPluginInPythonRunsContained(t *testing.T) {
	python(t)
	s := spec("testdata/python/plugin.py")
	s.Workers = 1
	p := prober{opened(t, s), nil}
	texts := []string{"one", "two two", strings.Repeat("long ", sharedFrom)}
	ratings, err := p.Score(t.Context(), documents(texts...))
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range ratings {
		if r.Status != sdk.OK || r.Scores["length"] != float64(len(texts[i])) {
			t.Errorf("document %d is rated %v", i, r)
		}
	}
	if contains().Namespaces {
		secret := write(t, filepath.Join(t.TempDir(), "secret"), "secret")
		p.wants(t, "read "+secret, "No such file or directory")
	}
	digest, err := digestFile("testdata/python/plugin.py")
	if err != nil || p.Digest() != digest {
		t.Errorf("digest %s, the script's is %s, %v", p.Digest(), digest, err)
	}
}

func TestInterpreterIsSeenWithItsInstallation(t *testing.T) {
	python(t)
	home := t.TempDir()
	t.Setenv("HOME", home)
	venv := filepath.Join(home, "venv")
	if said, err := exec.Command("/usr/bin/python3", "-m", "venv", "--without-pip", "--system-site-packages", venv).
		CombinedOutput(); err != nil {
		t.Skipf("NOT TESTED: python3 makes no environments (Debian: python3-venv): %v\n%s", err, said)
	}
	script, err := os.ReadFile("testdata/python/plugin.py")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(string(script), "\n")
	code = strings.Replace(code, "import grpc\n", "import grpc\nassert sys.prefix.endswith('venv')\n", 1)
	path := write(t, filepath.Join(home, "plugins", "plugin.py"), "#!"+venv+"/bin/python3\n"+code)
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatal(err)
	}
	opened(t, spec(path))
}
