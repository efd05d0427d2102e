package plugin

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/host/internal/recipe"
)

func TestContainedProcessSeesItsOwnFilesOnly(t *testing.T) {
	executableOf(t, "prober") // before go build would look for its cache in another home
	home, run := t.TempDir(), ""
	t.Setenv("HOME", home)
	secret := write(t, filepath.Join(home, ".ssh", "id"), "secret")
	granted := write(t, filepath.Join(home, "lists", "stop.txt"), "the and of")
	p := probing(t, recipe.Grant{Read: []string{filepath.Dir(granted)}}, func(s *Spec) {
		write(t, filepath.Join(s.Dir, "words.txt"), "words")
		run = filepath.Dir(write(t, filepath.Join(s.Dir, "runs", "ledger"), "ledger"))
		s.Hidden = []string{run}
	})
	p.wants(t, "read words.txt", "words")
	p.wants(t, "read "+granted, "the and of")
	for _, hidden := range []string{secret, "/etc/shadow", "/proc/1/environ", run + "/ledger"} {
		p.wants(t, "read "+hidden, "error: open ")
	}
	for _, empty := range []string{"/root", "/home", "/var", "/run", home + "/.", run} {
		if said := p.try(t, "list "+empty); strings.Contains(said, "ssh") || said != "" && empty != home+"/." {
			t.Errorf("%s holds %s", empty, said)
		}
	}
}

func TestContainedProcessWritesWhatIsGrantedOnly(t *testing.T) {
	var dir string
	p := probing(t, recipe.Grant{Write: []string{"record.jsonl", "scratch/"}}, func(s *Spec) { dir = s.Dir })
	p.wants(t, "write record.jsonl", "written")
	p.wants(t, "write scratch/new", "written")
	p.wants(t, "write /tmp/private", "written")
	p.wants(t, "write /dev/shm/private", "written")
	for _, refused := range []string{
		"recipe.yaml", "/usr/bin/new", "/etc/hosts", "/new", "/proc/sys/kernel/core_pattern", "/dev/new",
		executableOf(t, "prober"),
	} {
		p.wants(t, "write "+refused, "error: open ")
	}
	for name, want := range map[string]string{"record.jsonl": "by the plugin", "scratch/new": "by the plugin"} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			t.Errorf("%s holds %q, %v", name, got, err)
		}
	}
	if _, err := os.Stat("/tmp/private"); err == nil {
		t.Error("the process has written to the host's /tmp")
	}
}

func TestContainedProcessHasNoPrivileges(t *testing.T) {
	p := probing(t, recipe.Grant{})
	p.wants(t, "self", "CapInh:0000000000000000 CapPrm:0000000000000000 CapEff:0000000000000000 "+
		"CapBnd:0000000000000000 CapAmb:0000000000000000 NoNewPrivs:1 Seccomp:2")
	p.wants(t, "unshare", "error: ")
	p.wants(t, "trace", "error: operation not permitted")
	p.wants(t, "child cat /proc/sys/kernel/hostname", "plugin")
	p.wants(t, "child ulimit -c", "0\n")
	p.wants(t, "child kill -9 1; sleep 0.1; echo lives", "lives")
	if said := p.try(t, "child ls -d /proc/[0-9]* | wc -l"); len(strings.TrimSpace(said)) > 1 {
		t.Errorf("it sees %s processes", said)
	}
}

// serving starts a server on loopback and returns its host:port.
func serving(t *testing.T, text string) string {
	t.Helper()
	answer := func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }
	server := httptest.NewServer(http.HandlerFunc(answer))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func TestProcessWithoutGrantHasNoNetwork(t *testing.T) {
	server := serving(t, "reached")
	p := probing(t, recipe.Grant{})
	p.wants(t, "dial "+server, "connection refused")
	p.wants(t, "dial 192.0.2.1:80", "network is unreachable")
	p.wants(t, "dial example.org:80", "error: ")
	p.wants(t, "env HTTP_PROXY", "")
}

func TestProcessReachesGrantedHostsOnly(t *testing.T) {
	granted, other := serving(t, "the granted server"), serving(t, "another server")
	_, port, _ := strings.Cut(granted, ":")
	p := probing(t, recipe.Grant{
		Network: []string{granted, "localhost:" + port, "unknown.invalid:443", "192.0.2.7:81"},
	})
	p.wants(t, "get http://"+granted, "200 the granted server")
	p.wants(t, "get http://localhost:"+port, "200 the granted server")
	p.wants(t, "proxy http://"+granted, "200 the granted server")
	p.wants(t, "proxy http://LOCALHOST.:"+port, "200 the granted server")
	p.wants(t, "get http://"+other, "connection refused")
	p.wants(t, "proxy http://"+other, "403 "+other+" is not granted")
	p.wants(t, "proxy https://example.org/", "Forbidden")
	p.wants(t, "proxy https://unknown.invalid/", "Bad Gateway")
	p.wants(t, "dial unknown.invalid:443", "connected") // to the door, which leads nowhere
	p.wants(t, "dial unknown.invalid:444", "connection refused")
	p.wants(t, "dial 192.0.2.7:81", "connected")
	wantError(t, errorText(p.log.String()), "refused a connection to example.org:443", "refused a connection to "+other)
}

func TestJudgeReachesItsEndpointFromContainment(t *testing.T) {
	judge := filepath.Join(built, "judge")
	if err := build(nil, "-o", judge, "github.com/carebot-llm/carebot/plugins/judge/main"); err != nil {
		t.Fatal(err)
	}
	const answer = `{"choices": [{"message": {"content": "Quality score: 4"}}], "usage": {"total_tokens": 10}}`
	server := serving(t, answer)
	var record string
	p := probing(t, recipe.Grant{Network: []string{server}, Write: []string{"ratings.jsonl"}}, func(s *Spec) {
		record = filepath.Join(s.Dir, "ratings.jsonl")
		s.Plugin.Use = judge
		s.Plugin.With = map[string]any{
			"endpoint": "http://" + server + "/v1", "model": "large", "record": "ratings.jsonl",
			"requests_per_minute": 100_000,
		}
	})
	ratings, err := p.Score(t.Context(), documents("Rest helps."))
	if err != nil || ratings[0].Scores["quality"] != 4 {
		t.Errorf("%v, %v\n%s", ratings, err, p.log)
	}
	if kept, err := os.ReadFile(record); err != nil || strings.Count(string(kept), "\n") == 0 {
		t.Errorf("record %q, %v", kept, err)
	}
}

// without makes the kernel seem to have less for the length of the test.
func without(t *testing.T, c containment) {
	before := contains
	contains = func() containment { return c }
	t.Cleanup(func() { contains = before })
}

func TestProcessIsKeptToItsFilesByLandlockWithoutNamespaces(t *testing.T) {
	if landlockVersion() == 0 {
		t.Skip("NOT TESTED: the kernel has no Landlock")
	}
	without(t, containment{Landlock: landlockVersion(), missing: errorText("forbidden here")})
	server := serving(t, "reached")
	var log logged
	s := spec(executableOf(t, "prober"))
	s.Dir, s.Log, s.Plugin.Grant = t.TempDir(), log.logger(), recipe.Grant{Write: []string{"granted"}}
	p := prober{opened(t, s), &log}
	secret := write(t, filepath.Join(t.TempDir(), "secret"), "secret")
	p.wants(t, "read "+secret, "permission denied")
	p.wants(t, "write /tmp/private", "permission denied")
	p.wants(t, "write granted", "written")
	p.wants(t, "child mktemp", "carebot-plugin-")
	p.wants(t, "self", "CapPrm:0000000000000000 CapEff:0000000000000000 ")
	p.wants(t, "self", "CapAmb:0000000000000000 NoNewPrivs:1 Seccomp:2")
	if landlockVersion() >= 4 {
		p.wants(t, "dial "+server, "permission denied")
	}
}

func TestGrantThatCannotBeEnforcedIsPassedOnWithAWarning(t *testing.T) {
	without(t, containment{missing: errorText("forbidden here")})
	server := serving(t, "reached")
	var log logged
	s := spec(executableOf(t, "prober"))
	s.Dir, s.Log, s.Plugin.Grant = t.TempDir(), log.logger(), recipe.Grant{Network: []string{server}}
	p := prober{opened(t, s), &log}
	p.wants(t, "get http://"+server, "200 reached")
	p.wants(t, "env "+networkVariable, server)
	wantError(t, errorText(log.String()), "it is not kept from others")
	wantError(t, errorText(contains().String()), "no namespaces", "forbidden here")
}
