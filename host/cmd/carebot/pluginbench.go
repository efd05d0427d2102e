package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/olekukonko/tablewriter"
	"github.com/spf13/cobra"

	"github.com/carebot-llm/carebot/host/internal/author"
	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/recipes/samples"
	"github.com/carebot-llm/carebot/sdk"
)

// benched are the embedded data that plugins of a kind are measured on.
var benched = map[sdk.Kind]string{
	sdk.KindScorer: "sample://medical/*.jsonl.gz",
	sdk.KindFilter: "sample://dialogues.jsonl.gz",
	sdk.KindReward: "sample://pairs.jsonl.gz",
}

func newBench(a *app) *cobra.Command {
	var s subject
	var least time.Duration
	source := author.Source{Samples: samples.FS}
	cmd := &cobra.Command{
		Use:   "bench [USE]",
		Short: "Measure how fast a plugin is",
		Long: `Ask a plugin the same records over and over and print records per second, fuel per KB of requests (the figure
that limits.fuel of a recipe bounds) and the largest memory of an instance. Models that it asks for are stood in by ones
that cost nothing.

` + usesFolder + ` Without it the working directory is measured.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.bench(cmd.Context(), folderOf(args), source, s, least)
		},
	}
	s.flags(cmd.Flags())
	f := cmd.Flags()
	f.StringVar(&source.File, "data", "", "file of records (default: embedded data of the plugin's kind)")
	f.StringVar(&source.Format, "format", "", "format of the file's records")
	f.DurationVar(&least, "time", 3*time.Second, "how long to measure")
	return cmd
}

func (a *app) bench(ctx context.Context, use string, source author.Source, s subject, least time.Duration) (err error) {
	o, err := a.prepare(ctx, use, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	m := o.info.Manifest
	author.StandIns(&o.Spec, m)
	if source.File == "" {
		source.File = benched[m.Kinds[0]]
	}
	records, _, err := source.Read(ctx, m)
	if err != nil {
		return err
	}
	speed, err := author.Bench(ctx, o.Spec, records, least)
	if err != nil {
		return err
	}
	return a.speeds(m, o.info.Transport, speed)
}

func (a *app) speeds(m sdk.Manifest, transport string, s author.Speed) error {
	fuel, memory := "not metered", "not metered"
	if s.Usage.Calls > 0 {
		fuel, memory = fmt.Sprintf("%.0f", s.FuelPerKB()), recipe.Bytes(s.Usage.Memory).String()
	}
	t := tablewriter.NewTable(a.out)
	t.Header("plugin", "runs as", "records/s", "MB/s", "fuel per KB", "memory", "start")
	row := []string{
		m.Name, transport, fmt.Sprintf("%.0f", s.PerSecond()), fmt.Sprintf("%.1f", float64(s.Bytes)/1e6/s.Time.Seconds()),
		fuel, memory, s.Start.Round(100 * time.Microsecond).String(),
	}
	if err := t.Append(row); err != nil {
		return err
	}
	return t.Render()
}
