package plugin

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestViewHasWhereLinksLead(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "real", "plugin"), "")
	write(t, filepath.Join(dir, "real", "data", "words"), "")
	link := filepath.Join(dir, "link")
	if err := os.Symlink("real", link); err != nil {
		t.Fatal(err)
	}
	v := view{}
	v.addFolderOf(filepath.Join(link, "plugin"))
	v.add(filepath.Join(link, "data"), true)
	v.add(filepath.Join(dir, "real", "data", "words"), false)
	v.add(filepath.Join(dir, "nothing"), false)
	real := filepath.Join(dir, "real")
	want := []place{
		{link, real, false}, {real, real, false}, {real + "/data", real + "/data", true},
		{real + "/data/words", real + "/data/words", false},
	}
	if diff := cmp.Diff(want, v.places()); diff != "" {
		t.Error(diff)
	}
}

func TestFoldersThatHoldAllSortsOfThingsAreNotSeen(t *testing.T) {
	t.Setenv("HOME", "/users/ann")
	for folder, want := range map[string]bool{
		"/": true, "/users": true, "/users/ann": true, "/home/bob": true, "/tmp": true, "/etc": true,
		"/users/ann/recipes": false, "/home/bob/plugins": false, "/srv/plugins": false,
	} {
		if got := crowded(folder); got != want {
			t.Errorf("%s: %v", folder, got)
		}
	}
}

func TestProgramIsWhatRuns(t *testing.T) {
	dir := t.TempDir()
	executable := func(name, text string) string {
		path := write(t, filepath.Join(dir, name), text)
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	own := executable("bin/own-python", "\x7fELF")
	script := executable("script.py", "#!/usr/bin/env -S own-python -u\n")
	direct := executable("direct.py", "#! "+own+" -u\n")
	nested := executable("nested.sh", "#!"+direct+"\n")
	config := write(t, filepath.Join(dir, "config.json"), "")
	env := []string{"PATH=" + filepath.Dir(own)}
	for _, c := range []struct {
		what string
		c    command
		want []string
	}{
		{"a program", command{path: own}, []string{own}},
		{"a script of the system's interpreter", command{path: executable("s", "#!/bin/sh\n")}, []string{dir + "/s"}},
		{"a script of its own interpreter", command{path: direct}, []string{direct, own}},
		{"a script that env finds the interpreter of", command{path: script, env: env}, []string{script, own}},
		{"a script whose interpreter is a script", command{path: nested}, []string{nested, direct, own}},
		{"env", command{path: "/usr/bin/env", env: env, args: []string{"A=b", "own-python", "config.json"}, dir: dir},
			[]string{"/usr/bin/env", own, config}},
		{"files that arguments name", command{path: own, args: []string{"-v", "--config=config.json", "x"}, dir: dir},
			[]string{own, config}},
	} {
		if diff := cmp.Diff(c.want, programOf(c.c).own()); diff != "" {
			t.Errorf("%s: %s", c.what, diff)
		}
	}
}
