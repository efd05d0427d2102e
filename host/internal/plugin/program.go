package plugin

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A program is what runs when an executable is started: the file itself, the interpreters that its first line leads
// to, and the files that its arguments name, as a script does that an interpreter is given. What these load is not
// known.
type program struct {
	path         string
	interpreters []string
	named        []string
}

// systemFolders hold what the operating system's packages install. A contained process sees them.
var systemFolders = []string{
	"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix/store", "/gnu/store",
}

// defaultPath is where a command is looked for when the recipe does not grant PATH.
const defaultPath = "/usr/local/bin:/usr/bin:/bin"

// maxInterpreters bounds the interpreters that name interpreters, as the kernel does.
const maxInterpreters = 4

func programOf(c command) program {
	p := program{path: c.path}
	words := append([]string{c.path}, c.args...)
	for range maxInterpreters {
		next := interpreterOf(words, c.searchPath())
		if next == nil {
			break
		}
		p.interpreters = append(p.interpreters, next[0])
		words = next
	}
	for _, arg := range c.args {
		if file, ok := fileNamed(arg, c.dir); ok {
			p.named = append(p.named, file)
		}
	}
	return p
}

// interpreterOf returns the command that runs a command: what the first line of a script says, or what env is told to
// find. It returns nil for a program that runs by itself.
func interpreterOf(words []string, path string) []string {
	if filepath.Base(words[0]) == "env" {
		return enved(words[1:], path)
	}
	line, ok := strings.CutPrefix(firstLine(words[0]), "#!")
	if !ok {
		return nil
	}
	return strings.Fields(line)
}

// enved finds the command among the arguments of env.
func enved(args []string, path string) []string {
	for i, arg := range args {
		if strings.HasPrefix(arg, "-") || strings.Contains(arg, "=") {
			continue
		}
		for _, folder := range append(filepath.SplitList(path), "") {
			file := filepath.Join(folder, arg)
			if stat, err := os.Stat(file); err == nil && stat.Mode().IsRegular() && stat.Mode()&0o111 != 0 {
				return append([]string{file}, args[i+1:]...)
			}
		}
		return nil
	}
	return nil
}

// maxFirstLine bounds the first line of a script, as the kernel does.
const maxFirstLine = 256

func firstLine(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	line, _ := bufio.NewReader(io.LimitReader(f, maxFirstLine)).ReadString('\n')
	return line
}

// fileNamed returns the file that an argument names, itself or after an equals sign.
func fileNamed(arg, dir string) (string, bool) {
	_, value, found := strings.Cut(arg, "=")
	if !found {
		value = arg
	}
	if !filepath.IsAbs(value) {
		value = filepath.Join(dir, value)
	}
	stat, err := os.Stat(value)
	return value, err == nil && stat.Mode().IsRegular()
}

// own returns the files whose content is the plugin's. An interpreter that a script leads to is not when it is the
// operating system's, so that a script has one digest everywhere.
func (p program) own() []string {
	own := []string{p.path}
	for _, file := range p.interpreters {
		if !ofSystem(file) {
			own = append(own, file)
		}
	}
	return append(own, p.named...)
}

// ofSystem tells whether a file is the operating system's.
func ofSystem(file string) bool {
	if real, err := filepath.EvalSymlinks(file); err == nil {
		file = real
	}
	return !within(file, "/usr/local") && !within(file, "/opt") &&
		slices.ContainsFunc(systemFolders, func(folder string) bool { return within(file, folder) })
}

// within tells whether a path is the folder or lies in it.
func within(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, strings.TrimSuffix(folder, "/")+"/")
}
