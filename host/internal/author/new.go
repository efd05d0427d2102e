package author

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/carebot-llm/carebot/sdk"
	"github.com/carebot-llm/carebot/sdk/c"
	"github.com/carebot-llm/carebot/sdk/examples"
)

// Languages are the names that New takes.
var Languages = []string{"go", "rust", "ts", "c", "python"}

// Kinds are the kinds that New takes.
var Kinds = []string{string(sdk.KindScorer), string(sdk.KindFilter), string(sdk.KindReward)}

// pluginName is what a plugin may be called: it becomes the name of a folder, a module, a crate and a package.
var pluginName = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

const maxName = 64

// New makes the folder dir, which must not be there: a plugin of the kind in the language that builds and passes its
// cases as it is. It is the example of package examples under the author's name.
func New(kind, name, language, dir string) error {
	if err := checkNew(kind, name, language); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return fmt.Errorf("make the plugin's folder: %w", err)
	}
	if err := fill(kind, name, language, dir); err != nil {
		return errors.Join(fmt.Errorf("make the plugin's folder %s: %w", dir, err), os.RemoveAll(dir))
	}
	return nil
}

func checkNew(kind, name, language string) error {
	switch {
	case !slices.Contains(Kinds, kind):
		return fmt.Errorf("unknown kind %q (known: %s)", kind, strings.Join(Kinds, ", "))
	case !slices.Contains(Languages, language):
		return fmt.Errorf("unknown language %q (known: %s)", language, strings.Join(Languages, ", "))
	case !pluginName.MatchString(name) || len(name) > maxName:
		return fmt.Errorf("name %q: want at most %d small letters, digits and single hyphens, as in drug-names", name, maxName)
	}
	return nil
}

func fill(kind, name, language, dir string) error {
	if err := copyExample(kind, name, language, dir); err != nil {
		return err
	}
	switch language {
	case "go":
		return os.WriteFile(filepath.Join(dir, "go.mod"), fmt.Appendf(nil, "module %s\n\ngo 1.26\n", name), 0o644)
	case "c":
		return os.WriteFile(filepath.Join(dir, "carebot.h"), c.Header, 0o644)
	}
	return nil
}

// copyExample copies the example, with the author's name in place of its own.
func copyExample(kind, name, language, dir string) error {
	example := path.Join(language, kind)
	renamed := strings.NewReplacer("my-"+kind, name, joined("my-"+kind), joined(name))
	return fs.WalkDir(examples.Files, example, func(file string, d fs.DirEntry, err error) error {
		to := filepath.Join(dir, filepath.FromSlash(strings.TrimPrefix(file, example)))
		switch {
		case err != nil || file == example:
			return err
		case d.IsDir():
			return os.Mkdir(to, 0o755)
		}
		text, err := examples.Files.ReadFile(file)
		if err != nil {
			return err
		}
		return os.WriteFile(to, []byte(renamed.Replace(string(text))), modeOf(text))
	})
}

// joined writes the words of a name as types are written: MyScorer.
func joined(name string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(name, "-") {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

// modeOf makes scripts executable: what is embedded has no mode.
func modeOf(text []byte) fs.FileMode {
	if strings.HasPrefix(string(text), "#!") {
		return 0o755
	}
	return 0o644
}
