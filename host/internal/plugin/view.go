package plugin

import (
	"cmp"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// A place is a file or folder that a contained process sees at Path. It is the host's at From, which has no symbolic
// links. It is for reading unless Write is set.
type place struct {
	Path, From string
	Write      bool
}

// A view is what a contained process sees of the host's files, by path. Nothing else is there for it.
type view map[string]place

// add lets a path be seen. A path that leads elsewhere by symbolic links is seen where it leads as well, since programs
// follow links themselves. What does not exist is left out.
func (v view) add(path string, write bool) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return
	}
	for _, at := range []string{real, path} {
		v[at] = place{Path: at, From: real, Write: write || v[at].Write}
	}
}

// places returns the view in an order in which folders come before what lies in them, without what is seen anyway.
func (v view) places() []place {
	var all []place
	for _, path := range slices.Sorted(maps.Keys(v)) {
		p, seen := v[path], false
		for _, above := range all {
			if within(path, above.Path) { // the last is the nearest
				seen = above.shows(p)
			}
		}
		if !seen {
			all = append(all, p)
		}
	}
	return all
}

// shows tells whether a place is seen as it should be in this one, which is above it: a path with links is seen by its
// links, another as it is.
func (p place) shows(q place) bool {
	return q.Path != q.From || p.Path == p.From && p.Write == q.Write
}

// settings are the files of /etc that programs need to start, to know the time and to check certificates. Keys and
// passwords are not among them.
var settings = []string{
	"alternatives", "ca-certificates", "ca-certificates.conf", "fonts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d",
	"localtime", "mime.types", "nsswitch.conf", "pki/ca-trust", "pki/tls/certs", "ssl/certs", "ssl/openssl.cnf",
}

// addSystem lets the operating system's programs and libraries be seen.
func (v view) addSystem() {
	for _, folder := range systemFolders {
		v.add(folder, false)
	}
	for _, name := range settings {
		v.add(filepath.Join("/etc", name), false)
	}
}

// addProgram lets a program be seen with the folders of its files, and its interpreters with the installations that
// they belong to.
func (v view) addProgram(p program) {
	for _, file := range append([]string{p.path}, p.named...) {
		v.addFolderOf(file)
	}
	for _, file := range p.interpreters {
		v.addInstallation(file)
	}
	if len(p.named) > 0 {
		v.addInstallation(p.path)
	}
}

// addFolderOf lets the folder of a file be seen: of where it stands, and of where its links lead. Of a folder that
// holds all sorts of things, the file alone is seen.
func (v view) addFolderOf(file string) {
	real, err := filepath.EvalSymlinks(file)
	if err != nil {
		return
	}
	for _, at := range []string{file, real} {
		if folder := filepath.Dir(at); !crowded(folder) {
			v.add(folder, false)
		} else {
			v.add(at, false)
		}
	}
}

// addInstallation lets the folder above bin be seen, where an interpreter has its libraries.
func (v view) addInstallation(interpreter string) {
	real, err := filepath.EvalSymlinks(interpreter)
	if err != nil {
		return
	}
	for _, at := range []string{interpreter, real} {
		folder := filepath.Dir(at)
		if up := filepath.Dir(folder); filepath.Base(folder) == "bin" && !crowded(up) {
			v.add(up, false)
		} else {
			v.addFolderOf(at)
		}
	}
}

// crowded tells whether a folder holds all sorts of things that are no plugin's business: it is one of the well-known
// ones, or a home, or above one.
func crowded(folder string) bool {
	home := cmp.Or(os.Getenv("HOME"), "/root")
	known := []string{
		"/boot", "/dev", "/etc", "/home", "/media", "/mnt", "/proc", "/root", "/run", "/srv", "/sys", "/tmp", "/var",
		"/var/lib", "/var/tmp", filepath.Clean(os.TempDir()),
	}
	return within(home, folder) || slices.Contains(known, folder) || filepath.Dir(folder) == "/home"
}
