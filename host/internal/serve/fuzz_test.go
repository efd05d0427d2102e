package serve

import (
	"bytes"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

var bodyRoutes = []string{"/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/score", "/v1/rerank"}

// FuzzBodies sends bodies to all routes that read one: whatever they hold, the answer is JSON or a stream that ends,
// and never the server's own fault.
func FuzzBodies(f *testing.F) {
	for _, body := range []string{
		`{"model":"toy","messages":[{"role":"user","content":"fever"}],"max_tokens":3,"stream":true,"stop":["a"]}`,
		`{"messages":[{"role":"user","content":[{"type":"text","text":"x"}]}],"model":"toy","logprobs":true,"seed":-1,"n":2}`,
		`{"messages":[{"role":"user","content":"","tool_calls":[{"function":{"arguments":"{\"a\":1}"}}]}],"model":"toy"}`,
		`{"model":"toy","prompt":["a","发烧"],"max_tokens":2,"logprobs":1,"temperature":0.5,"top_p":0.5,"top_k":3}`,
		`{"model":"toy","prompt":[[5,6],[7]],"max_tokens":2,"stream":true,"stream_options":{"include_usage":true}}`,
		`{"model":"other","input":["a","b"],"encoding_format":"base64"}`,
		`{"model":"rater","pairs":[["a","b"]]}`, `{"model":"rater","messages":[[{"role":"user","content":"x"}]]}`,
		`{"model":"bert","text_1":"w1","text_2":["w2 w3","w4"]}`, `{"model":"bert","text_1":["w1"],"text_2":""}`,
		`{"model":"xlm-roberta","query":"w1","documents":["w2",{"text":"w3"},null],"top_n":2,"return_documents":false}`,
		`{"model":"rater","input":[[1,2]]}`, `[]`, `null`, `{"a":`, "\xff",
	} {
		for route := range bodyRoutes {
			f.Add(route, []byte(body))
		}
	}
	s := siteOf(f, append(toys(f), fixtures(f, "bert", "xlm-roberta")...), func(o *Options) { o.Queue, o.Timeout = 4, 5*time.Second })
	handler := s.Handler(net.TCPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:1")))
	f.Fuzz(func(t *testing.T, route int, body []byte) {
		r := httptest.NewRequest(http.MethodPost, bodyRoutes[uint(route)%uint(len(bodyRoutes))], bytes.NewReader(body))
		r.Host = "localhost"
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code >= http.StatusInternalServerError {
			t.Errorf("status %d: %s", w.Code, w.Body)
		}
		if w.Header().Get("Content-Type") == "text/event-stream" {
			if !strings.HasSuffix(w.Body.String(), "data: [DONE]\n\n") {
				t.Errorf("the stream ends with %s", w.Body)
			}
		} else if !json.Valid(w.Body.Bytes()) {
			t.Errorf("the answer is no JSON: %s", w.Body)
		}
	})
}
