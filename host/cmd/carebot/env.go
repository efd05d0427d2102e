package main

import (
	"fmt"
	"io"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/host/internal/durable"
	"github.com/carebot-llm/carebot/host/internal/plugin"
)

func newEnv(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "env",
		Short: "Print what this binary finds: devices, processor, memory, environment, plugins",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			fmt.Fprintf(a.out, "version    carebot %s\n", versionText())
			printDevices(a.out)
			fmt.Fprintf(a.out, "processor  %d threads, %s\n", runtime.GOMAXPROCS(0), strings.Join(features(), " "))
			fmt.Fprintf(a.out, "memory     %s\n", memory())
			fmt.Fprintf(a.out, "cache      %s\n", durable.CacheDir())
			fmt.Fprintf(a.out, "plugins    %s\n", strings.Join(plugin.Builtins(), ", "))
			for _, line := range environment(os.Environ()) {
				fmt.Fprintf(a.out, "variable   %s\n", line)
			}
			return nil
		},
	}
}

// printDevices says what auto takes, and what it passed over for which reason.
func printDevices(out io.Writer) {
	printCUDA(out)
	dev, why, err := accelerators.Open("auto")
	if err != nil {
		fmt.Fprintf(out, "device     %v\n", err)
		return
	}
	fmt.Fprintf(out, "device     %s: %s\n", dev.Name(), dev.Describe())
	if why != "" {
		fmt.Fprintf(out, "device     auto passed over %s\n", why)
	}
	if err := dev.Close(); err != nil {
		fmt.Fprintf(out, "device     close %s: %v\n", dev.Name(), err)
	}
}

// shownVariables are the prefixes of variables that change what CareBot or what is around it does.
var shownVariables = []string{
	"CAREBOT_", "CUDA_", "NCCL_", "HF_", "GOMAXPROCS", "GOMEMLIMIT", "GOGC", "GODEBUG", "TMPDIR",
}

// environment lists the variables that matter, sorted, without secrets: of what looks like one only that it is set.
func environment(all []string) []string {
	var lines []string
	for _, variable := range all {
		name, value, _ := strings.Cut(variable, "=")
		if slices.ContainsFunc(shownVariables, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
			lines = append(lines, name+"="+shown(name, value))
		}
	}
	slices.Sort(lines)
	return lines
}

func shown(name, value string) string {
	for _, secret := range []string{"TOKEN", "KEY", "SECRET", "PASSWORD"} {
		if strings.Contains(name, secret) && !strings.HasSuffix(name, "_PATH") {
			return "(set)"
		}
	}
	if u, err := url.Parse(value); err == nil && u.User != nil {
		return u.Redacted()
	}
	return value
}
