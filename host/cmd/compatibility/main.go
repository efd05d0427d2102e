// Command compatibility runs the tests that compare CareBot with the libraries it has to agree with, and writes what
// they find into docs/compatibility.md.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/carebot-llm/carebot/host/internal/durable"
)

const page = "docs/compatibility.md"

// versions asks a Python for what it compares with.
const versions = `import importlib.metadata as m
names = ["torch", "transformers", "peft", "tokenizers", "sentencepiece", "tiktoken", "trl", "llama_cpp_python", "gguf"]
have = {d.metadata["Name"].replace("-", "_"): d.version for d in m.distributions()}
print(", ".join(f"{n} {have[n]}" for n in names if n in have))`

// peers are what the tests compare with and where they work.
type peers struct {
	env, python   string // a virtual environment and its interpreter
	data, scratch string
}

func main() {
	log.SetFlags(0)
	env := flag.String("peers", ".bench", "virtual environment with the packages of requirements.txt")
	data := flag.String("data", "", "folder of the unpacked data pack")
	only := flag.String("only", "models,tokenizers,templates,exports", "comparisons to run")
	flag.Parse()
	if *data == "" {
		log.Fatal("-data names no data pack")
	}
	if err := run(*env, *data, strings.Split(*only, ",")); err != nil {
		log.Fatal(err)
	}
}

func run(env, data string, only []string) (err error) {
	var p peers
	if p.env, err = filepath.Abs(env); err != nil {
		return err
	}
	if p.data, err = filepath.Abs(data); err != nil {
		return err
	}
	p.python = filepath.Join(p.env, "bin", "python")
	if p.scratch, err = os.MkdirTemp("", "compatibility-"); err != nil {
		return err
	}
	defer os.RemoveAll(p.scratch)
	origin, err := p.origin()
	if err != nil {
		return err
	}
	var failed []error
	for _, name := range only {
		cmd, err := p.comparison(name)
		if err == nil {
			err = record(cmd, origin)
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", name, err))
		}
	}
	return errors.Join(failed...)
}

// origin says when and with what a table was made.
func (p *peers) origin() (string, error) {
	found, err := exec.Command(p.python, "-c", versions).Output()
	if err != nil {
		return "", fmt.Errorf("ask %s for its packages: %w", p.python, err)
	}
	return fmt.Sprintf("%s; %s %s/%s; %s.", time.Now().Format(time.DateOnly), runtime.Version(), runtime.GOOS,
		runtime.GOARCH, strings.TrimSpace(string(found))), nil
}

// comparison is the command whose tests compare one matter.
func (p *peers) comparison(name string) (*exec.Cmd, error) {
	python := "CAREBOT_PYTHON=" + p.python
	switch name {
	case "models":
		return test("./host/internal/model", "EqualsTransformers|EqualTransformers|EqualsPEFT"), nil
	case "tokenizers":
		script := "host/internal/tokenizer/testdata/compare.py"
		return exec.Command(p.python, script, p.data, filepath.Join(p.scratch, name)), nil
	case "templates":
		dirs, err := p.templates()
		return test("./host/internal/jinja", "RealTemplates", python, "CAREBOT_TEMPLATES="+dirs), err
	case "exports":
		return test("./host/internal/run", "ReadersThatAreNotOurs", python), nil
	}
	return nil, errors.New("no comparison has this name")
}

// templates lists the directories with chat templates of the data pack and of TRL.
func (p *peers) templates() (string, error) {
	dirs := []string{filepath.Join(p.data, "tokenizers")}
	for _, pattern := range []string{
		filepath.Join(p.data, "tokenizers", "chat_templates", "*"),
		filepath.Join(p.env, "lib", "python3*", "site-packages", "trl", "chat_templates"),
	} {
		more, err := filepath.Glob(pattern)
		if err != nil {
			return "", err
		}
		dirs = append(dirs, more...)
	}
	return strings.Join(dirs, string(filepath.ListSeparator)), nil
}

func test(folder, pattern string, env ...string) *exec.Cmd {
	cmd := exec.Command("go", "test", "-count=1", "-v", "-timeout=1h", "-run", pattern, folder)
	cmd.Env = append(os.Environ(), env...)
	return cmd
}

// record runs a comparison and writes its tables, also when some of it differs, which is an error.
func record(cmd *exec.Cmd, origin string) error {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = io.MultiWriter(&out, os.Stderr), os.Stderr
	failed := cmd.Run()
	tables := collect(out.String())
	if len(tables) == 0 {
		return errors.Join(failed, errors.New("nothing was compared"))
	}
	text, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	for name, t := range tables {
		body := origin + "\n\n" + t.markdown()
		if failed != nil {
			body += "\n**Not all is equal.**\n"
		}
		if text, err = replace(text, name, body); err != nil {
			return err
		}
	}
	return errors.Join(failed, durable.WriteFile(page, text))
}

// replace puts a body between the markers of a table.
func replace(text []byte, name, body string) ([]byte, error) {
	start, end := "<!-- compatibility:"+name+" -->", "<!-- /compatibility:"+name+" -->"
	before, rest, found := strings.Cut(string(text), start)
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		return nil, fmt.Errorf("%s has no markers %s and %s", page, start, end)
	}
	return slices.Concat([]byte(before), []byte(start+"\n"+body+end), []byte(after)), nil
}
