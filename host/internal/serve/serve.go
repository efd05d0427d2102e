// Package serve answers HTTP requests with models, in the form of OpenAI's API: chats and completions, streamed or
// whole, embeddings, and the scores of reward and rater heads.
//
// Reading order: Server (the models and the routes), guard (who may ask, and how much), batcher (many answers grow
// together in an engine), ask (the prompts of a request and the tokens that come for them), then a file for each route.
package serve

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/carebot-llm/carebot/host/internal/eval"
	"github.com/carebot-llm/carebot/host/internal/model"
	"github.com/carebot-llm/carebot/host/internal/tokenizer"
)

// Options say how models are served.
type Options struct {
	Token   string        // that requests must bear; empty lets everyone ask who reaches the server
	Cache   int64         // bytes of keys and values, for all models together
	Queue   int           // answers that wait or grow at one time; more are refused
	Timeout time.Duration // of one request
	Log     *slog.Logger
}

// A Model is a served model and the name that requests call it by.
type Model struct {
	Name   string
	Served *eval.Served
}

// A Server is models and the answers that are under way. Close it.
type Server struct {
	Options
	models   []*served // in the order given
	begun    time.Time
	busy     atomic.Int64 // answers under way
	draining atomic.Bool
	metrics  *metrics
}

// served is a model with what its requests need.
type served struct {
	name    string
	asked   *eval.Served
	tok     *tokenizer.Tokenizer
	context int      // longest text in tokens
	vocab   int      // ids of tokens are less
	scores  bool     // it has a head that scores
	writes  bool     // it is a language model
	grows   *batcher // of a language model
	room    int      // longest prompt and answer of a language model
}

// New makes a server of models, whose owner closes them after the server.
func New(models []Model, o Options) (*Server, error) {
	s := &Server{Options: o, begun: time.Now()}
	s.metrics = newMetrics(s)
	writers := 0
	for _, m := range models {
		if s.model(m.Name) != nil {
			return nil, fmt.Errorf("two models are called %q; name them NAME=DIRECTORY", m.Name)
		}
		one := open(m)
		if s.models = append(s.models, one); one.writes {
			writers++
		}
	}
	for _, m := range s.models {
		if !m.writes {
			continue
		}
		if err := m.start(o.Cache/int64(writers), s.metrics); err != nil {
			s.Close()
			return nil, fmt.Errorf("serve %s: %w", m.name, err)
		}
	}
	return s, nil
}

func open(m Model) *served {
	one := &served{name: m.Name, asked: m.Served, tok: m.Served.Tokenizer(), scores: m.Served.Info().Outputs > 0}
	m.Served.Use(func(model *model.Model) error {
		one.context, one.vocab, one.writes = model.Config().Context(), model.Config().VocabSize, model.Writes()
		return nil
	})
	return one
}

// start gives a language model its engine.
func (m *served) start(memory int64, metrics *metrics) (err error) {
	m.grows, err = newBatcher(m.asked, memory, metrics.of(m.name))
	if err == nil {
		m.room = m.grows.room
	}
	return err
}

// Close ends all answers.
func (s *Server) Close() {
	for _, m := range s.models {
		if m.grows != nil {
			m.grows.close()
		}
	}
}

// model returns the model of a name, or nil.
func (s *Server) model(name string) *served {
	for _, m := range s.models {
		if m.name == name {
			return m
		}
	}
	return nil
}

// Handler returns the routes of a server that listens on the address.
func (s *Server) Handler(listen net.Addr) http.Handler {
	mux := http.NewServeMux()
	s.route(mux, "GET /v1/models", s.listModels)
	s.route(mux, "GET /v1/models/{name...}", s.showModel)
	s.route(mux, "POST /v1/chat/completions", s.chat)
	s.route(mux, "POST /v1/completions", s.complete)
	s.route(mux, "POST /v1/embeddings", s.embed)
	s.route(mux, "POST /v1/score", s.score)
	s.route(mux, "POST /v1/rerank", s.rerank)
	mux.Handle("GET /metrics", s.allowed(s.metrics.handler()))
	mux.HandleFunc("GET /health", s.health)
	mux.Handle("GET /", http.HandlerFunc(page))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, notFound("there is no %s %s", r.Method, r.URL.Path))
	})
	return guard(listen, mux)
}

// A route answers a request or says why not. A failure after it began to write ends what it wrote.
type route func(w http.ResponseWriter, r *http.Request) error

// route adds a route behind the token and the limits, and counts its requests.
func (s *Server) route(mux *http.ServeMux, pattern string, answer route) {
	handler := func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeoutCause(r.Context(), s.Timeout, errSlow)
		defer cancel()
		r.Body = http.MaxBytesReader(w, r.Body, bodyLimit)
		watched := &watchedWriter{ResponseWriter: w}
		begun := time.Now()
		if err := answer(watched, r.WithContext(ctx)); err != nil {
			s.fail(watched, r, err)
		}
		s.metrics.request(r.Pattern, watched.code(), time.Since(begun))
	}
	mux.Handle(pattern, s.allowed(http.HandlerFunc(handler)))
}

func (s *Server) fail(w *watchedWriter, r *http.Request, err error) {
	f := asFailure(err)
	if f.Status >= http.StatusInternalServerError {
		s.Log.Error("request failed", "path", r.URL.Path, "error", err)
	}
	if w.status == 0 {
		refuse(w, f)
	}
}

func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	if s.draining.Load() {
		writeJSON(w, http.StatusServiceUnavailable, map[string]string{"status": "draining"})
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// drainTime is how long answers may go on once the server is to end.
const drainTime = 30 * time.Second

// Run serves on a listener until the context ends; then it lets the answers under way come to an end, for a while, and
// returns the context's cause.
func (s *Server) Run(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler:           s.Handler(l.Addr()),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      s.Timeout + writeTime,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	s.draining.Store(true)
	s.Log.Info("draining", "answers", s.busy.Load())
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	if server.Shutdown(end) != nil {
		server.Close()
	}
	return context.Cause(ctx)
}
