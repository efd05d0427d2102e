package hub

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/carebot-llm/carebot/host/internal/durable"
)

var digestForm = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)

// check refuses what a hub must not say of a file.
func (f File) check() error {
	switch {
	case !local(f.Path) || !filepath.IsLocal(filepath.FromSlash(f.Path)):
		return fmt.Errorf("a file is named %q, which leads out of the folder", f.Path)
	case !digestForm.MatchString(f.digest()):
		return fmt.Errorf("%s has no digest that it could be checked by", f.Path)
	case f.Size < 0:
		return fmt.Errorf("%s has %d bytes", f.Path, f.Size)
	}
	return nil
}

// digest names the file's content in the cache.
func (f File) digest() string {
	if f.SHA256 != "" {
		return f.SHA256
	}
	return f.SHA1
}

// hash is that of the content, to which its bytes are to be written.
func (f File) hash() hash.Hash {
	if f.SHA256 != "" {
		return sha256.New()
	}
	h := sha1.New()
	fmt.Fprintf(h, "blob %d\x00", f.Size)
	return h
}

// Fetch gets the files of a listing for which want holds, as far as they are not there, and makes the snapshot and the
// revision's reference of them when all are there and right. done is told of each file.
func (c *Client) Fetch(
	ctx context.Context, l Listing, want func(path string) bool, done func(f File),
) (Snapshot, error) {
	folder := l.Ref.folder(CacheDir())
	s := Snapshot{filepath.Join(folder, "snapshots", l.Commit), l.Commit}
	files, err := c.wanted(l, want)
	if err != nil {
		return s, fmt.Errorf("fetch %s: %w", l.Ref.At(), err)
	}
	if err := os.MkdirAll(filepath.Join(folder, "blobs"), 0o755); err != nil {
		return s, err
	}
	for _, f := range files {
		if err := c.blob(ctx, l, f, filepath.Join(folder, "blobs", f.digest())); err != nil {
			return s, fmt.Errorf("fetch %s of %s: %w", f.Path, l.Ref.At(), err)
		}
		done(f)
	}
	for _, f := range files {
		if err := link(s.Dir, f); err != nil {
			return s, err
		}
	}
	return s, l.refer(folder)
}

func (c *Client) wanted(l Listing, want func(path string) bool) (files []File, err error) {
	total := int64(0)
	for _, f := range l.Files {
		if want(f.Path) {
			files = append(files, f)
			total += f.Size
		}
	}
	switch {
	case len(files) == 0:
		return nil, errors.New("none of its files is needed")
	case total > c.max:
		return nil, fmt.Errorf("its files have %d bytes together, more than the %d that are allowed", total, c.max)
	}
	return files, nil
}

// link puts a file's content under its name into the snapshot, as a link that stays right when the cache is moved.
func link(snapshot string, f File) error {
	name := filepath.Join(snapshot, filepath.FromSlash(f.Path))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	up := strings.Repeat("../", 2+strings.Count(f.Path, "/"))
	switch info, err := os.Stat(name); {
	case err == nil && info.IsDir():
		return fmt.Errorf("the hub names %s as a file and as a folder", f.Path)
	case err == nil:
		return nil
	}
	return errors.Join(removed(name), os.Symlink(filepath.FromSlash(up+"blobs/"+f.digest()), name))
}

// removed takes a link away that leads nowhere.
func removed(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// refer notes which commit a branch or tag was at.
func (l Listing) refer(folder string) error {
	if commitForm.MatchString(l.Ref.Revision) {
		return nil
	}
	name := filepath.Join(folder, "refs", filepath.FromSlash(l.Ref.Revision))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return durable.WriteFile(name, []byte(l.Commit))
}

// blob gets a file's content into the cache; what an interruption left is gone on with.
func (c *Client) blob(ctx context.Context, l Listing, f File, name string) error {
	if info, err := os.Stat(name); err == nil && info.Size() == f.Size {
		return nil
	}
	part := name + ".incomplete"
	err := c.retry(ctx, func() (further bool, err error) { return c.download(ctx, l, f, part) })
	if err != nil {
		return err
	}
	if err := f.verify(part); err != nil {
		return errors.Join(err, os.Remove(part))
	}
	return os.Rename(part, name)
}

// download gets what is still missing of a file and reports whether that was some of it.
func (c *Client) download(ctx context.Context, l Listing, f File, part string) (further bool, err error) {
	out, err := os.OpenFile(part, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	had, err := out.Seek(0, io.SeekEnd)
	from := had
	switch {
	case err != nil:
		return false, err
	case from > f.Size:
		from = 0
	case from == f.Size && f.Size > 0:
		return false, nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	resp, err := c.get(ctx, from, "", l.Ref.prefix(), l.Ref.ID, "resolve", l.Commit, escaped(f.Path))
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	if !continues(resp, from) {
		from = 0 // the server sends the whole
	}
	if err := errors.Join(out.Truncate(from), seek(out, from)); err != nil {
		return false, err
	}
	timer := time.AfterFunc(stall, cancel)
	defer timer.Stop()
	n, err := copyRest(out, watched{resp.Body, timer}, f.Size-from)
	return from+n > had, err
}

// watched puts a timer off as long as bytes come.
type watched struct {
	io.Reader
	timer *time.Timer
}

func (w watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	w.timer.Reset(stall)
	return n, err
}

// copyRest copies what is left of a file and holds it against its size.
func copyRest(out *os.File, in io.Reader, left int64) (n int64, err error) {
	n, err = io.Copy(out, io.LimitReader(in, left+1))
	switch {
	case err != nil:
		return n, temporary{err}
	case n > left:
		return n, errors.Join(errors.New("the hub sends more bytes than the file has"), out.Truncate(0))
	case n < left:
		return n, temporary{io.ErrUnexpectedEOF}
	}
	return n, out.Sync()
}

func seek(f *os.File, to int64) error {
	_, err := f.Seek(to, io.SeekStart)
	return err
}

// continues reports whether an answer begins at byte from.
func continues(resp *http.Response, from int64) bool {
	return resp.StatusCode == http.StatusPartialContent &&
		strings.HasPrefix(resp.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", from))
}

// prefix is what stands before the ID in the addresses of files.
func (r Ref) prefix() string {
	if r.Kind == Dataset {
		return "datasets"
	}
	return ""
}

// escaped is a path as part of an address.
func escaped(path string) string {
	parts := strings.Split(path, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return strings.Join(parts, "/")
}

// verify holds a file's content against its digest.
func (f File) verify(name string) error {
	in, err := os.Open(name)
	if err != nil {
		return err
	}
	h := f.hash()
	_, err = io.Copy(h, in)
	if err = errors.Join(err, in.Close()); err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != f.digest() {
		return fmt.Errorf("the hub sent other bytes than it announced: digest %s, want %s", got, f.digest())
	}
	return nil
}

// Read gets a small file whole, without the cache.
func (c *Client) Read(ctx context.Context, l Listing, path string, max int64) (text []byte, err error) {
	err = c.retry(ctx, func() (_ bool, err error) {
		resp, err := c.get(ctx, 0, "", l.Ref.prefix(), l.Ref.ID, "resolve", l.Commit, escaped(path))
		if err != nil {
			return false, err
		}
		defer func() { err = errors.Join(err, resp.Body.Close()) }()
		if text, err = io.ReadAll(io.LimitReader(resp.Body, max+1)); err != nil {
			return false, temporary{err}
		}
		return false, nil
	})
	if err == nil && int64(len(text)) > max {
		err = fmt.Errorf("it is longer than %d bytes", max)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s of %s: %w", path, l.Ref.At(), err)
	}
	return text, nil
}
