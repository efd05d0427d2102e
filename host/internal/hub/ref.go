// Package hub finds models and data sets of the Hugging Face hub: by their hf:// names in the cache that its Python
// library keeps, without any network (Locate), and by a download from an endpoint into the same cache (Client).
package hub

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"
)

// Scheme begins the names of what lies on a hub.
const Scheme = "hf://"

// A Kind is what a repository holds.
type Kind string

// The kinds of repositories, as they stand in addresses and in the cache.
const (
	Model   Kind = "models"
	Dataset Kind = "datasets"
)

// A Ref names a repository on a hub, one of its revisions, and perhaps a file, folder or pattern in it.
type Ref struct {
	Kind     Kind
	ID       string // ORG/NAME, or NAME
	Revision string // branch, tag or commit
	Path     string // slash-separated; empty for the whole
}

// repository is the form of the parts of an ID.
var repository = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,95}$`)

// Named reports whether a name is one of a hub's.
func Named(name string) bool { return strings.HasPrefix(name, Scheme) }

// Parse reads hf://ORG/NAME[@REVISION] of a model or hf://datasets/ORG/NAME[@REVISION][/PATH] of a data set. The
// revision is main when there is none; %2F stands for a slash in it.
func Parse(name string) (Ref, error) {
	rest, ok := strings.CutPrefix(name, Scheme)
	ref := Ref{Kind: Model, Revision: "main"}
	if after, dataset := strings.CutPrefix(rest, "datasets/"); dataset {
		ref.Kind, rest = Dataset, after
	}
	id, after, pinned := strings.Cut(rest, "@")
	if pinned && strings.Count(id, "/") < 2 {
		ref.ID = id
		ref.Revision, ref.Path, _ = strings.Cut(after, "/")
	} else {
		parts := append(strings.SplitN(rest, "/", 3), "", "")
		ref.ID, ref.Path = strings.TrimSuffix(parts[0]+"/"+parts[1], "/"), parts[2]
	}
	ref.Path = strings.TrimSuffix(ref.Path, "/")
	revision, err := url.PathUnescape(ref.Revision)
	if ref.Revision = revision; err != nil {
		ok = false
	}
	if !ok || !ref.valid() {
		return Ref{}, fmt.Errorf("%q is no name on a hub: want hf://ORG/NAME[@REVISION] or "+
			"hf://datasets/ORG/NAME[@REVISION][/PATH]", name)
	}
	return ref, nil
}

func (r Ref) valid() bool {
	for part := range strings.SplitSeq(r.ID, "/") {
		if !repository.MatchString(part) || strings.Contains(part, "--") || strings.Contains(part, "..") {
			return false
		}
	}
	if r.Kind == Model && r.Path != "" {
		return false
	}
	return local(r.Revision) && (r.Path == "" || local(r.Path))
}

// local reports whether a name, used as a path below some folder, stays below it on every system.
func local(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part == "." || part == ".." || strings.ContainsAny(part, "\\:\x00") {
			return false
		}
	}
	return path.Clean(name) == name
}

// String is the repository's name, without revision and path.
func (r Ref) String() string {
	if r.Kind == Dataset {
		return Scheme + "datasets/" + r.ID
	}
	return Scheme + r.ID
}

// At is the repository's name with its revision.
func (r Ref) At() string { return r.String() + "@" + r.Revision }
