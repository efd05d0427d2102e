// Command compatibility runs the tests that compare CareBot with the libraries it has to agree with, and writes what they
// find into docs/compatibility.md.
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

func main() {
	log.SetFlags(0)
	peers := flag.String("peers", ".bench", "virtual environment with the packages of requirements.txt")
	data := flag.String("data", "", "folder of the unpacked data pack")
	only := flag.String("only", "models,tokenizers,templates,exports", "comparisons to run")
	flag.Parse()
	if err := run(*peers, *data, strings.Split(*only, ",")); err != nil {
		log.Fatal(err)
	}
}

func run(peers, data string, only []string) error {
	peers, err := filepath.Abs(peers)
	if err != nil {
		return err
	}
	if data == "" {
		return errors.New("-data names no data pack")
	}
	if data, err = filepath.Abs(data); err != nil {
		return err
	}
	python := filepath.Join(peers, "bin", "python")
	found, err := exec.Command(python, "-c", versions).Output()
	if err != nil {
		return fmt.Errorf("ask %s for its packages: %w", python, err)
	}
	origin := fmt.Sprintf("%s; %s %s/%s; %s.", time.Now().Format(time.DateOnly), runtime.Version(), runtime.GOOS,
		runtime.GOARCH, strings.TrimSpace(string(found)))
	var failed []error
	for _, name := range only {
		cmd, err := comparison(name, peers, data)
		if err != nil {
			return err
		}
		if err := record(cmd, origin); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", name, err))
		}
	}
	return errors.Join(failed...)
}

// comparison is the command whose tests compare one matter.
func comparison(name, peers, data string) (*exec.Cmd, error) {
	python := filepath.Join(peers, "bin", "python")
	switch name {
	case "models":
		return test("./host/internal/model", "EqualsTransformers|EqualTransformers|EqualsPEFT"), nil
	case "tokenizers":
		out, err := os.MkdirTemp("", "tokenizers-")
		if err != nil {
			return nil, err
		}
		return exec.Command(python, "host/internal/tokenizer/testdata/compare.py", data, filepath.Join(out, "texts")), nil
	case "templates":
		dirs := []string{filepath.Join(data, "tokenizers")}
		for _, pattern := range []string{
			filepath.Join(data, "tokenizers", "chat_templates", "*"),
			filepath.Join(peers, "lib", "python3*", "site-packages", "trl", "chat_templates"),
		} {
			more, err := filepath.Glob(pattern)
			if err != nil {
				return nil, err
			}
			dirs = append(dirs, more...)
		}
		list := strings.Join(dirs, string(filepath.ListSeparator))
		return test("./host/internal/jinja", "RealTemplates", "CAREBOT_PYTHON="+python, "CAREBOT_TEMPLATES="+list), nil
	case "exports":
		return test("./host/internal/run", "ReadersThatAreNotOurs", "CAREBOT_PYTHON="+python), nil
	}
	return nil, fmt.Errorf("no comparison is named %q", name)
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
