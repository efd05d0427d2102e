package main

import (
	"cmp"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/host/internal/durable"
)

// writePage puts a section's report between its markers, and its figures into the table of targets. Rows of other
// sections stay as they are.
func writePage(path, name string, r report, when string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	page, err := replaceBetween(string(text), name, r.body)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if len(r.figures) == 0 {
		return durable.WriteFile(path, []byte(page))
	}
	_, old, _, err := split(page, "figures")
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	page, err = replaceBetween(page, "figures", figureTable(old, r.figures, when))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return durable.WriteFile(path, []byte(page))
}

func replaceBetween(page, name, body string) (string, error) {
	before, _, after, err := split(page, name)
	return before + "\n" + strings.TrimSpace(body) + "\n" + after, err
}

// split cuts a page at the markers of a section, which stay with the outer parts.
func split(page, name string) (before, body, after string, err error) {
	start, end := "<!-- bench:"+name+" -->", "<!-- /bench:"+name+" -->"
	i, j := strings.Index(page, start), strings.Index(page, end)
	if i < 0 || j < i {
		return "", "", "", fmt.Errorf("no markers %s and %s", start, end)
	}
	i += len(start)
	return page[:i], page[i:j], page[j:], nil
}

var met = map[bool]string{true: "yes", false: "**no**"}

// figureTable is the table of targets: new figures where there are some, else the row of the old table.
func figureTable(old string, figures []figure, when string) string {
	rows := map[string][]string{}
	for line := range strings.Lines(old) {
		if cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | "); len(cells) == 5 {
			rows[strings.TrimSpace(cells[0])] = cells
		}
	}
	fresh := map[string][]string{}
	for _, f := range figures {
		fresh[f.work] = []string{f.measured, met[f.met], when}
	}
	t := table{{"work", "at least", "measured", "met", "date"}}
	for _, want := range targets() {
		cells := fresh[want.work]
		if cells == nil {
			cells = []string{"not measured", "", ""}
			if kept := rows[want.work]; kept != nil {
				cells = []string{kept[2], kept[3], strings.TrimSpace(kept[4])}
			}
		}
		t.row(append([]string{want.work, want.atLeast}, cells...)...)
	}
	return t.String()
}

// origin says when, where and how a section was measured.
func (b *bench) origin(name string, start time.Time) (string, error) {
	dev, _, err := accelerators.Open(cmp.Or(b.device, "cpu"))
	if err != nil {
		return "", err
	}
	defer dev.Close()
	parts := []string{start.Format("2006-01-02 15:04 MST"), dev.Describe(), runtime.Version()}
	parts = append(parts, b.versions...)
	command := fmt.Sprintf("-only %s -rounds %d -budget %v", name, b.rounds, b.budget)
	if b.device != "" {
		command = "-device " + b.device + " " + command
	}
	return strings.Join(append(parts, "`go run ./host/cmd/bench "+command+"`"), "; ") + ".\n" + b.tally.String(), nil
}
