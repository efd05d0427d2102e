package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/carebot-llm/carebot/host/internal/author"
	"github.com/carebot-llm/carebot/sdk/sdktest/toolchain"
)

// TestTheTutorialHoldsInEveryLanguage follows docs/plugins.md step by step: what it shows is what happens.
func TestTheTutorialHoldsInEveryLanguage(t *testing.T) {
	text, err := os.ReadFile("../../../docs/plugins.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, language := range author.Languages {
		t.Run(language, func(t *testing.T) {
			mustBuild(t, language)
			file := filepath.Join(t.TempDir(), language+".txt")
			if err := os.WriteFile(file, []byte(script(string(text), language)), 0o644); err != nil {
				t.Fatal(err)
			}
			testscript.Run(t, testscript.Params{
				Files: []string{file}, Setup: authors, Cmds: map[string]func(*testscript.TestScript, bool, []string){"amend": amend},
			})
		})
	}
}

// mustBuild skips a language whose tools are missing, unless they have to be there.
func mustBuild(t *testing.T, language string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "probe")
	if err := author.New("scorer", "probe", language, dir); err != nil {
		t.Fatal(err)
	}
	kit, err := filepath.Abs("../../../sdk")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(author.SDKVariable, kit)
	_, err = author.Build(t.Context(), dir, filepath.Join(dir, "probe.wasm"))
	var missing *author.MissingTool
	if errors.As(err, &missing) {
		toolchain.Need(t, missing)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// block is a fenced block of Markdown: what follows the fence, and the text.
var block = regexp.MustCompile("(?ms)^```(\\S+)([^\n]*)\n(.*?)^```$")

// script makes a script for one language of the tutorial's blocks.
func script(text, language string) string {
	var steps, files strings.Builder
	for i, b := range block.FindAllStringSubmatch(text, -1) {
		kind, about, body := b[1], strings.Fields(b[2]), b[3]
		switch {
		case kind == "console" && (language != "python" || len(about) == 0):
			console(&steps, strings.ReplaceAll(body, "--lang go", "--lang "+language))
		case kind == "diff" && about[0] == language:
			fmt.Fprintf(&steps, "amend %s $WORK/%d.diff\n", about[1], i)
			fmt.Fprintf(&files, "-- %d.diff --\n%s", i, body)
		case kind == "yaml":
			if language == "python" {
				body = strings.ReplaceAll(body, "./text-shape.wasm", "./plugin.py")
			}
			fmt.Fprintf(&steps, "cp $WORK/%s %s\n", about[0], about[0])
			fmt.Fprintf(&files, "-- %s --\n%s", about[0], body)
		}
	}
	return steps.String() + files.String()
}

// console makes steps of a terminal: commands after $, and lines of their output, in which ... stands for anything.
func console(steps *strings.Builder, body string) {
	for _, command := range strings.Split("\n"+body, "\n$ ")[1:] {
		line, shown, _ := strings.Cut(command, "\n")
		switch {
		case strings.HasPrefix(line, "cd "):
			fmt.Fprintln(steps, line)
		case strings.Contains(shown, "FAIL"):
			fmt.Fprintf(steps, "! exec sh -c %s\n", quoted(line))
		default:
			fmt.Fprintf(steps, "exec sh -c %s\n", quoted(line))
		}
		for want := range strings.Lines(shown) {
			want = strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSuffix(want, "\n")), `\.\.\.`, ".*")
			if want != "" {
				fmt.Fprintf(steps, "stdout %s\n", quoted("^"+want+"$"))
			}
		}
	}
}

func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// amend FILE DIFF replaces the lines that the diff takes away by those that it adds.
func amend(ts *testscript.TestScript, _ bool, args []string) {
	var old, changed strings.Builder
	for line := range strings.Lines(ts.ReadFile(args[1])) {
		if rest, ok := strings.CutPrefix(line, "-"); ok {
			old.WriteString(rest)
		} else {
			changed.WriteString(strings.TrimPrefix(line, "+"))
		}
	}
	file := ts.MkAbs(args[0])
	text, err := os.ReadFile(file)
	ts.Check(err)
	if strings.Count(string(text), old.String()) != 1 {
		err = fmt.Errorf("%s does not have the lines of %s once", args[0], args[1])
	}
	ts.Check(cmp.Or(err, os.WriteFile(file, []byte(strings.Replace(string(text), old.String(), changed.String(), 1)), 0o755)))
}
