package run

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/tw"
)

// A table is rows under a header: printed by tablewriter, or written as Markdown.
type table struct {
	title  string
	header []string
	rows   [][]string
	left   int // columns from the left that hold words; the others hold figures
}

func (t table) print(w io.Writer) error {
	if len(t.rows) == 0 {
		return nil
	}
	fmt.Fprintf(w, "\n%s\n", t.title)
	align := make([]tw.Align, len(t.header))
	for i := range align {
		align[i] = tw.AlignRight
		if i < t.left {
			align[i] = tw.AlignLeft
		}
	}
	out := tablewriter.NewTable(w, tablewriter.WithRowAlignmentConfig(tw.CellAlignment{PerColumn: align}),
		tablewriter.WithHeaderAutoFormat(tw.Off))
	out.Header(t.header)
	if err := out.Bulk(t.rows); err != nil {
		return err
	}
	return out.Render()
}

func (t table) markdown(w io.Writer) {
	if len(t.rows) == 0 {
		return
	}
	fmt.Fprintf(w, "\n## %s\n\n| %s |\n|%s\n", t.title, strings.Join(t.header, " | "), t.rule())
	for _, row := range t.rows {
		fmt.Fprintf(w, "| %s |\n", strings.Join(row, " | "))
	}
}

func (t table) rule() string {
	var b strings.Builder
	for i := range t.header {
		if i < t.left {
			b.WriteString(" --- |")
		} else {
			b.WriteString(" ---: |")
		}
	}
	return b.String()
}

// count writes n with its thousands apart.
func count(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }
