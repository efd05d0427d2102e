package run

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// ErrNotRunning says that nobody works in a run directory.
var ErrNotRunning = errors.New("no run is working there: change the recipe and run it again")

// maxReply bounds a line of a reply, in bytes.
const maxReply = 1 << 20

// Ask sends a request to the run that works in a directory and hands on its replies; the last has no error.
func Ask(ctx context.Context, dir string, r Request, each func(Reply)) error {
	conn, err := dialIn(ctx, dir)
	if err != nil {
		return fmt.Errorf("%s: %w (%w)", dir, ErrNotRunning, err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(0, 1)) })()
	if err := json.NewEncoder(conn).Encode(r); err != nil {
		return fmt.Errorf("ask the run in %s: %w", dir, err)
	}
	lines := bufio.NewScanner(conn)
	lines.Buffer(nil, maxReply)
	for lines.Scan() {
		var r Reply
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return fmt.Errorf("reply of the run in %s: %w", dir, err)
		}
		if r.Error != "" {
			return errors.New(r.Error)
		}
		if each(r); r.last() {
			return nil
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return errors.Join(fmt.Errorf("the run in %s ended before it answered", dir), lines.Err())
}
