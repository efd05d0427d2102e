package plugin

import (
	"bytes"
	"io"
)

// A greeting is the standard output of a plugin's process. Its first line is the handshake; what follows is read as
// well, so that no process waits for a reader, and goes to babble.
type greeting struct {
	io.ReadCloser
	babble io.Writer
	over   bool // the first line has ended
}

func (g *greeting) Read(p []byte) (int, error) {
	n, err := g.ReadCloser.Read(p)
	for g.over && err == nil {
		_, _ = g.babble.Write(p[:n])
		n, err = g.ReadCloser.Read(p)
	}
	if g.over {
		_, _ = g.babble.Write(p[:n])
		return 0, err
	}
	if end := bytes.IndexByte(p[:n], '\n'); end >= 0 {
		g.over = true
		_, _ = g.babble.Write(p[end+1 : n])
		n = end + 1
	}
	return n, err
}
