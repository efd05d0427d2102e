package serve

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/carebot-llm/carebot/host/internal/model"
)

// metrics are those of a server, in a registry of their own.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	prompts  *prometheus.CounterVec
	tokens   *prometheus.CounterVec
	first    *prometheus.HistogramVec
	batch    *prometheus.HistogramVec
}

// longTimes are seconds, from a token of a small model to the longest answers.
var longTimes = []float64{.01, .03, .1, .3, 1, 3, 10, 30, 100, 300}

func newMetrics(s *Server) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "carebot_requests_total", Help: "Requests by route and status."}, []string{"route", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "carebot_request_seconds", Help: "Time from request to the end of its answer.", Buckets: longTimes},
			[]string{"route"}),
		prompts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "carebot_prompt_tokens_total", Help: "Tokens of prompts."}, []string{"model"}),
		tokens: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "carebot_generated_tokens_total", Help: "New tokens."}, []string{"model"}),
		first: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "carebot_first_token_seconds", Help: "Time from request to the first token of an answer.",
			Buckets: longTimes}, []string{"model"}),
		batch: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "carebot_batch_sequences", Help: "Sequences that a step of the engine advanced.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 9)}, []string{"model"}),
	}
	m.registry.MustRegister(m.requests, m.seconds, m.prompts, m.tokens, m.first, m.batch, newUsageCollector(s),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

func (m *metrics) request(route string, code int, took time.Duration) {
	m.requests.WithLabelValues(route, strconv.Itoa(code)).Inc()
	m.seconds.WithLabelValues(route).Observe(took.Seconds())
}

// modelMetrics are those of one model.
type modelMetrics struct {
	prompts, tokens prometheus.Counter
	first, batch    prometheus.Observer
}

func (m *metrics) of(model string) *modelMetrics {
	return &modelMetrics{
		prompts: m.prompts.WithLabelValues(model), tokens: m.tokens.WithLabelValues(model),
		first: m.first.WithLabelValues(model), batch: m.batch.WithLabelValues(model),
	}
}

// A usageCollector asks the engines how busy they are.
type usageCollector struct {
	server *Server
	all    []usageMetric
}

// A usageMetric is a number of an engine's usage.
type usageMetric struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(model.Usage) int
}

func newUsageCollector(s *Server) *usageCollector {
	c := &usageCollector{server: s}
	add := func(name, help string, kind prometheus.ValueType, value func(model.Usage) int) {
		c.all = append(c.all, usageMetric{prometheus.NewDesc(name, help, []string{"model"}, nil), kind, value})
	}
	add("carebot_sequences_waiting", "Sequences that have not begun.", prometheus.GaugeValue,
		func(u model.Usage) int { return u.Waiting })
	add("carebot_sequences_running", "Sequences that grow.", prometheus.GaugeValue,
		func(u model.Usage) int { return u.Running })
	add("carebot_cache_pages", "Pages of keys and values.", prometheus.GaugeValue,
		func(u model.Usage) int { return u.Pages })
	add("carebot_cache_pages_used", "Pages that sequences have.", prometheus.GaugeValue,
		func(u model.Usage) int { return u.PagesUsed })
	add("carebot_preempted_total", "Sequences that went back to the queue for others.", prometheus.CounterValue,
		func(u model.Usage) int { return u.Preempted })
	return c
}

// Describe implements prometheus.Collector.
func (c *usageCollector) Describe(out chan<- *prometheus.Desc) {
	for _, m := range c.all {
		out <- m.desc
	}
}

// Collect implements prometheus.Collector.
func (c *usageCollector) Collect(out chan<- prometheus.Metric) {
	for _, served := range c.server.models {
		if served.grows == nil {
			continue
		}
		u := served.grows.load()
		for _, m := range c.all {
			out <- prometheus.MustNewConstMetric(m.desc, m.kind, float64(m.value(u)), served.name)
		}
	}
}
