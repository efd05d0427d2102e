package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/host/internal/run"
	"github.com/carebot-llm/carebot/host/internal/serve"
)

// tokenVariable holds the token that requests must bear.
const tokenVariable = "CAREBOT_TOKEN"

type serveFlags struct {
	listen, tokenFile, device, cache string
	queue                            int
	bf16                             bool
	timeout                          time.Duration
}

func newServe(a *app) *cobra.Command {
	o := serveFlags{}
	cmd := &cobra.Command{
		Use:   "serve [NAME=]MODEL ...",
		Short: "Answer HTTP requests with models, in the form of OpenAI's API",
		Long: `Answer HTTP requests with the models of directories: /v1/chat/completions, /v1/completions,
/v1/embeddings, /v1/score (reward and rater heads), /v1/models, /health, /metrics, and a page to chat at /. A model is called by the
last part of its directory unless it is given a name.

Only programs of this machine may ask, unless --listen names another address; then requests must bear the token that
--token-file or the variable ` + tokenVariable + ` gives. SIGINT and SIGTERM let the answers under way come to an end.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.serve(cmd.Context(), args, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.listen, "listen", "127.0.0.1:8080", "HOST:PORT; port 0 takes a free one")
	f.StringVar(&o.tokenFile, "token-file", "", "file of the token that requests must bear")
	f.StringVar(&o.device, "device", "auto", "auto, cpu, cuda or cuda:N")
	f.StringVar(&o.cache, "cache", "1GiB", "memory for keys and values of all models")
	f.BoolVar(&o.bf16, "bf16", false, "compute scores and embeddings with products in bfloat16, and on a GPU answers")
	f.IntVar(&o.queue, "queue", 256, "answers that wait or grow at one time; more are refused")
	f.DurationVar(&o.timeout, "timeout", 10*time.Minute, "longest time of one request")
	return cmd
}

func (a *app) serve(ctx context.Context, args []string, o serveFlags) error {
	token, err := serveToken(o.tokenFile)
	if err != nil {
		return err
	}
	cache, err := recipe.ParseBytes(o.cache)
	if err != nil {
		return usageError{fmt.Errorf("--cache %s: %w", o.cache, err)}
	}
	l, err := serve.Listen(o.listen, token)
	if err != nil {
		return usageError{err}
	}
	defer l.Close()
	names, dirs := namedDirs(args)
	loaded, release, err := run.OpenModels(dirs, o.device, o.bf16)
	if err != nil {
		return err
	}
	models := make([]serve.Model, len(loaded))
	for i, m := range loaded {
		models[i] = serve.Model{Name: names[i], Served: m}
	}
	s, err := serve.New(models, serve.Options{
		Token: token, Cache: int64(cache), Queue: o.queue, Timeout: o.timeout, Log: a.log,
	})
	if err != nil {
		return errors.Join(err, release())
	}
	fmt.Fprintf(a.out, "serving %s on http://%s\n", strings.Join(names, ", "), l.Addr())
	err = s.Run(ctx, l)
	s.Close()
	return errors.Join(err, release())
}

// serveToken is that of the file, or else of the environment.
func serveToken(file string) (string, error) {
	if file == "" {
		return os.Getenv(tokenVariable), nil
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read the token: %w", err)
	}
	token := strings.TrimSpace(string(content))
	if token == "" {
		return "", usageError{fmt.Errorf("--token-file %s holds no token", file)}
	}
	return token, nil
}

// namedDirs splits arguments of the form NAME=DIRECTORY. A directory that is there is never taken for a name with one.
func namedDirs(args []string) (names, dirs []string) {
	for _, arg := range args {
		name, dir, named := strings.Cut(arg, "=")
		if _, err := os.Stat(arg); err == nil || !named {
			name, dir = filepath.Base(filepath.Clean(arg)), arg
		}
		names, dirs = append(names, name), append(dirs, dir)
	}
	return names, dirs
}
