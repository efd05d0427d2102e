package data

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// oneSplit are the files, or their patterns, of a split: train, or the only one, unless one is asked for.
func oneSplit(splits map[string][]string, split string) ([]string, error) {
	names := slices.Sorted(maps.Keys(splits))
	if len(names) == 1 && split == "" {
		split = names[0]
	}
	if files := splits[cmp.Or(split, "train")]; len(files) > 0 {
		return files, nil
	}
	if len(names) == 0 {
		return nil, errors.New("it has no files that can be read")
	}
	return nil, fmt.Errorf("it has no split %q, but %s", cmp.Or(split, "train"), strings.Join(names, ", "))
}

// sharded is the name of one of the files that the hub's own tools write.
var sharded = regexp.MustCompile(`^data/([\w.]+)-\d{5}-of-\d{5}[^/]*\.[^/]*$`)

// splitWords are what names of files and folders call the splits.
var splitWords = []struct {
	split string
	word  *regexp.Regexp
}{
	{"train", wholeWord("train|training")},
	{"validation", wholeWord("validation|valid|dev|val")},
	{"test", wholeWord("test|testing|eval|evaluation")},
}

func wholeWord(words string) *regexp.Regexp {
	return regexp.MustCompile(`(?:^|[-._ 0-9])(?:` + words + `)(?:[-._ 0-9]|$)`)
}

// bySplit sorts files by the split that their names tell, as the datasets library does: shards by the word before
// their numbers; else by the names of folders, or else those of files; else all are for training. Of several endings
// the most frequent counts.
func bySplit(files []string) map[string][]string {
	files = ofOneEnding(files)
	for _, tell := range []func(string) string{shardSplit, folderSplit, fileSplit} {
		splits := map[string][]string{}
		for _, name := range files {
			if split := tell(name); split != "" {
				splits[split] = append(splits[split], name)
			}
		}
		if len(splits) > 0 {
			return splits
		}
	}
	if len(files) == 0 {
		return nil
	}
	return map[string][]string{"train": files}
}

func ofOneEnding(files []string) []string {
	counts := map[string]int{}
	ending := func(name string) string { return endings[path.Ext(File{Name: name}.stem())] }
	most := ""
	for _, name := range files {
		e := ending(name)
		if counts[e]++; counts[e] > counts[most] {
			most = e
		}
	}
	return slices.DeleteFunc(slices.Clone(files), func(name string) bool { return ending(name) != most })
}

func shardSplit(name string) string {
	if m := sharded.FindStringSubmatch(name); m != nil {
		return m[1]
	}
	return ""
}

func folderSplit(name string) string {
	for folder := range strings.SplitSeq(path.Dir(name), "/") {
		if split := wordSplit(folder); split != "" {
			return split
		}
	}
	return ""
}

func fileSplit(name string) string { return wordSplit(path.Base(name)) }

func wordSplit(name string) string {
	for _, s := range splitWords {
		if s.word.MatchString(name) {
			return s.split
		}
	}
	return ""
}
