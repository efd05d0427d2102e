package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	maxListing   = 64 << 20 // bytes of what the hub says about a repository
	maxRedirects = 5
	maxWait      = time.Minute
	stall        = time.Minute // after which a silent server is asked anew
)

// A Client downloads from one endpoint into the cache. The token goes to the endpoint's own host only, and into no log
// and no error.
type Client struct {
	endpoint *url.URL
	token    string
	agent    string
	http     *http.Client
	attempts int
	pause    time.Duration // before the second attempt; doubles from one to the next
	max      int64         // bytes of all files of one Fetch
}

// NewClient is a client of an endpoint that may get max bytes at once. A token needs https, unless the endpoint is on
// this machine.
func NewClient(endpoint, token, agent string, max int64) (*Client, error) {
	u, err := url.Parse(strings.TrimRight(endpoint, "/"))
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("hub %q: want an address such as https://hub.example.com", endpoint)
	}
	if u.Scheme == "http" && token != "" && !loopback(u.Hostname()) {
		return nil, fmt.Errorf("hub %s: a token does not go over http; use https, or unset it", endpoint)
	}
	c := &Client{endpoint: u, token: token, agent: agent, attempts: 6, pause: time.Second, max: max}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = stall
	c.http = &http.Client{Transport: transport, CheckRedirect: c.redirect}
	return c, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

var errRedirect = errors.New("the hub redirects")

// redirect lets the endpoint send the client to where its files are, without the token, and never from https to http.
func (c *Client) redirect(req *http.Request, via []*http.Request) error {
	if req.URL.Scheme != c.endpoint.Scheme && req.URL.Scheme != "https" {
		return fmt.Errorf("%w to %s://%s", errRedirect, req.URL.Scheme, req.URL.Host)
	}
	if len(via) > maxRedirects {
		return fmt.Errorf("%w more than %d times", errRedirect, maxRedirects)
	}
	if req.URL.Host != c.endpoint.Host || req.URL.Scheme != c.endpoint.Scheme {
		req.Header.Del("Authorization")
	}
	req.Header.Del("Referer")
	return nil
}

// get asks for an address below the endpoint, from byte from on.
func (c *Client) get(ctx context.Context, from int64, query string, path ...string) (*http.Response, error) {
	u := *c.endpoint.JoinPath(path...)
	u.RawQuery = query
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", c.agent)
	req.Header.Set("Accept-Encoding", "identity") // what is counted and hashed are the file's bytes
	if from > 0 {
		req.Header.Set("Range", "bytes="+strconv.FormatInt(from, 10)+"-")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(req)
	if errors.Is(err, errRedirect) {
		return nil, withoutQuery(err)
	}
	if err != nil {
		return nil, temporary{withoutQuery(err)}
	}
	if err := c.refusal(resp); err != nil {
		return nil, errors.Join(err, resp.Body.Close())
	}
	return resp, nil
}

// withoutQuery drops the query of the address that an error names: that of a redirect is a signature.
func withoutQuery(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		address, _, _ := strings.Cut(u.URL, "?")
		return &url.Error{Op: u.Op, URL: address, Err: u.Err}
	}
	return err
}

// refusal is what an answer's status means when it brings no content.
func (c *Client) refusal(resp *http.Response) error {
	status := fmt.Sprintf("%s answers %s", resp.Request.URL.Host, resp.Status)
	switch code := resp.StatusCode; {
	case code == http.StatusOK || code == http.StatusPartialContent:
		return nil
	case code == http.StatusUnauthorized && c.token == "":
		return errors.New(status + ": it is private, gated or not there; HF_TOKEN is not set")
	case code == http.StatusUnauthorized:
		return errors.New(status + ": it is private or not there, or the token is not valid")
	case code == http.StatusForbidden:
		return errors.New(status + ": the token may not read it; a gated one has terms to accept on its page")
	case code == http.StatusNotFound:
		return errors.New(status + ": no such repository, revision or file")
	case code == http.StatusRequestTimeout || code == http.StatusTooManyRequests || code >= 500:
		return temporary{errors.New(status)}
	default:
		return errors.New(status)
	}
}

// temporary is an error after which another attempt may help.
type temporary struct{ error }

func (t temporary) Unwrap() error { return t.error }

// retry repeats what fails for a time, each pause twice as long as the one before. do reports whether it has got
// further, which begins the count anew.
func (c *Client) retry(ctx context.Context, do func() (further bool, err error)) error {
	pause := c.pause
	for left := c.attempts; ; {
		further, err := do()
		var t temporary
		if err == nil || !errors.As(err, &t) || ctx.Err() != nil {
			return err
		}
		if left--; further {
			left, pause = c.attempts, c.pause
		}
		if left <= 0 {
			return fmt.Errorf("given up after %d attempts: %w", c.attempts, err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
		pause = min(2*pause, maxWait)
	}
}

// A File is one file of a repository, and by what its content is known.
type File struct {
	Path   string
	Size   int64
	SHA256 string // of large files, or
	SHA1   string // the id that git gives the content
}

// A Listing is a repository at a commit.
type Listing struct {
	Ref    Ref
	Commit string
	Files  []File
}

// List asks which files a repository has at its revision.
func (c *Client) List(ctx context.Context, r Ref) (l Listing, err error) {
	var answer struct {
		SHA      string `json:"sha"`
		Siblings []struct {
			Path   string `json:"rfilename"`
			Size   int64  `json:"size"`
			BlobID string `json:"blobId"`
			LFS    *struct {
				SHA256 string `json:"sha256"`
				Size   int64  `json:"size"`
			} `json:"lfs"`
		} `json:"siblings"`
	}
	err = c.retry(ctx, func() (bool, error) {
		path := []string{"api", string(r.Kind), r.ID, "revision", url.PathEscape(r.Revision)}
		return false, c.json(ctx, &answer, "blobs=true", path...)
	})
	if err != nil {
		return l, fmt.Errorf("list %s: %w", r.At(), err)
	}
	if !commitForm.MatchString(answer.SHA) {
		return l, fmt.Errorf("list %s: the hub says the commit is %q", r.At(), answer.SHA)
	}
	l = Listing{Ref: r, Commit: answer.SHA}
	for _, s := range answer.Siblings {
		f := File{Path: s.Path, Size: s.Size, SHA1: s.BlobID}
		if s.LFS != nil {
			f.SHA256, f.Size = s.LFS.SHA256, s.LFS.Size
		}
		if err := f.check(); err != nil {
			return l, fmt.Errorf("list %s: %w", r.At(), err)
		}
		l.Files = append(l.Files, f)
	}
	return l, nil
}

func (c *Client) json(ctx context.Context, into any, query string, path ...string) (err error) {
	resp, err := c.get(ctx, 0, query, path...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxListing+1))
	if err != nil {
		return temporary{err}
	}
	if len(text) > maxListing {
		return fmt.Errorf("the answer is longer than %d MiB", maxListing>>20)
	}
	return json.Unmarshal(text, into)
}
