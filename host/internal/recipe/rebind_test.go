package recipe

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAPluginIsRebound(t *testing.T) {
	r, err := Load(wholeFile, nil)
	if err != nil {
		t.Fatal(err)
	}
	other, err := r.Rebind("reward", []string{"use=exam-reward", "limits.batch=null", "with.format=0"})
	if err != nil {
		t.Fatal(err)
	}
	again, err := r.WithPlugin("reward", other.Declaration("plugins", "reward"))
	if err != nil {
		t.Fatal(err)
	}
	for what, got := range map[string]*Recipe{"by overrides": other, "by its entry": again} {
		p := got.Plugins["reward"]
		if p.Use != "exam-reward" || p.Limits.Batch != 256 || p.Limits.Faults != 0 || p.With["format"] != 0 {
			t.Errorf("%s: %+v", what, p)
		}
		if got.File != r.File {
			t.Errorf("%s: the recipe is %s", what, got.File)
		}
		p.Pos, got.Plugins["reward"] = r.Plugins["reward"].Pos, r.Plugins["reward"]
		if diff := cmp.Diff(string(r.Resolved()), string(got.Resolved())); diff != "" {
			t.Errorf("%s, the rest of the recipe (-before +after):\n%s", what, diff)
		}
	}
	if p := r.Plugins["reward"]; p.Use != "./my-reward.wasm" {
		t.Errorf("the recipe itself was changed: %+v", p)
	}
}

func TestAPathOnTheCommandLineIsThatOfTheWorkingDirectory(t *testing.T) {
	r := mustParse(t, mustRead(t, wholeFile))
	other, err := r.Rebind("reward", []string{"use=./other.wasm"})
	want, _ := filepath.Abs("other.wasm")
	if err != nil || other.Plugins["reward"].Use != want {
		t.Errorf("%v, want %s (%v)", other, want, err)
	}
}

func TestWhatCannotBeReboundIsSaid(t *testing.T) {
	r := mustParse(t, mustRead(t, wholeFile))
	rebind := func(plugin string, overrides ...string) error {
		_, err := r.Rebind(plugin, overrides)
		return err
	}
	replace := func(plugin, entry string) error {
		_, err := r.WithPlugin(plugin, []byte(entry))
		return err
	}
	for what, c := range map[string]struct {
		err  error
		want string
	}{
		"a name nearby": {rebind("rewards"), `there is no plugin "rewards", did you mean reward`},
		"another name": {replace("talks", "use: a"),
			`there is no plugin "talks": the recipe has context, judge, rater, reward, rules`},
		"an unknown key": {rebind("reward", "uses=a"),
			"command line: plugins.reward.uses: unknown key, did you mean use"},
		"no override": {rebind("reward", "use"), `"plugins.reward.use" is no override: want key.path=value`},
		"an unknown model": {rebind("reward", "models.m=stf"),
			"plugins.reward.models.m: want a model or a train stage"},
		"a circle":          {rebind("rater", "models.quality=boost"), "the stages need each other in a circle"},
		"an entry of lists": {replace("reward", "[1, 2]"), "plugins.reward: want a mapping, found a list"},
		"no YAML":           {replace("reward", "{"), "entry of plugin reward: "},
		"nothing":           {replace("reward", ""), "entry of plugin reward: no YAML value"},
		"an alias":          {replace("reward", "{use: &a x, with: {k: *b}}"), "entry of plugin reward: "},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", what, c.err, c.want)
		}
	}
}

func FuzzEntriesOfPlugins(f *testing.F) {
	r, err := Load(wholeFile, nil)
	if err != nil {
		f.Fatal(err)
	}
	for _, entry := range []string{"use: exam-reward", "{use: a, with: {b: [1, {c: d}]}}", "&a [*a]",
		"use: 1\n---\nuse: 2", "\xff"} {
		f.Add([]byte(entry))
	}
	f.Fuzz(func(t *testing.T, entry []byte) {
		got, err := r.WithPlugin("reward", entry)
		if err != nil {
			return
		}
		want := got.Declaration("plugins", "reward")
		again, err := r.WithPlugin("reward", want)
		if err != nil {
			t.Fatalf("its own declaration: %v", err)
		}
		if diff := cmp.Diff(string(want), string(again.Declaration("plugins", "reward"))); diff != "" {
			t.Error(diff)
		}
	})
}
