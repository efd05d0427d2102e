package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/carebot-llm/carebot/host/internal/author"
)

func newTest(a *app) *cobra.Command {
	var s subject
	var cases string
	cmd := &cobra.Command{
		Use:   "test [USE]",
		Short: "Hold a plugin to the contract and to its cases",
		Long: `Test a plugin: awkward records of its kind must be answered without a fault, and the same a second time and one
by one; then each line of cases.jsonl, a record with the answer that is wanted, is put to it. Models that it asks for are
stood in by ones whose answers mean nothing, but are always the same.

` + usesFolder + ` Without it the working directory is tested.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			use := folderOf(args)
			if cases == "" {
				cases = casesBeside(use)
			}
			return a.test(cmd.Context(), use, cases, s)
		},
	}
	s.flags(cmd.Flags())
	cmd.Flags().StringVar(&cases, "cases", "", "file of cases (default: cases.jsonl of the plugin's folder)")
	return cmd
}

// casesBeside is the file of cases of a plugin's folder, empty when there is none.
func casesBeside(use string) string {
	file := filepath.Join(use, "cases.jsonl")
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	return file
}

// errFailed is the error of a plugin that fails its tests. What failed has been printed.
var errFailed = errors.New("the plugin fails its tests")

func (a *app) test(ctx context.Context, use, file string, s subject) (err error) {
	var cases []author.Case
	if file != "" {
		if cases, err = author.ReadCases(file); err != nil {
			return err
		}
	}
	o, err := a.prepare(ctx, use, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	author.StandIns(&o.Spec, o.info.Manifest)
	problems, err := author.Conform(ctx, o.Spec)
	if err != nil {
		return err
	}
	failures, err := author.Check(ctx, o.Spec, cases)
	if err != nil {
		return err
	}
	a.verdict("contract", fmt.Sprintf("%s %s as %s", o.info.Manifest.Name, o.info.Manifest.Version, o.info.Transport), problems)
	if file != "" {
		a.verdict("cases", fmt.Sprintf("%d of %s", len(cases), file), lines(file, failures))
	}
	if len(problems)+len(failures) > 0 {
		return errFailed
	}
	return nil
}

// lines are the failures, each with the place of its case.
func lines(file string, failures []author.Failure) []string {
	all := make([]string, len(failures))
	for i, f := range failures {
		all[i] = fmt.Sprintf("%s:%s", file, strings.TrimPrefix(f.String(), "line "))
	}
	return all
}

// verdict prints a part of a test: whether it holds, of what, and what is wrong.
func (a *app) verdict(part, of string, problems []string) {
	word := "ok  "
	if len(problems) > 0 {
		word = "FAIL"
	}
	fmt.Fprintf(a.out, "%s  %-8s  %s\n", word, part, of)
	for _, p := range problems {
		fmt.Fprintf(a.out, "      %s\n", p)
	}
}
