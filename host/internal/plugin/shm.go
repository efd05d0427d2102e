package plugin

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/carebot-llm/carebot/sdk/wire"
	"github.com/carebot-llm/carebot/sdk/wire/dp1"
)

// sharedDescriptor is the descriptor of the shared memory in a plugin's process: the first after the standard ones.
const sharedDescriptor = 3

// sharedFrom is the size from which a frame goes through the shared memory, in bytes. Below, a message is as fast.
const sharedFrom = 16 << 10

// A shared is the memory that the host shares with one process. Requests lie in the first half, answers in the second.
// Its size is sealed: a process that could shorten it could make the host fault. What the process writes may change at
// any time, so an answer is copied before it is looked at. A nil shared is none.
type shared struct {
	file   *os.File
	memory []byte
	answer []byte // copy, used again
}

// sharedSize holds a frame of the largest size in either half. Pages are taken when they are touched.
const sharedSize = 2 * wire.MaxFrame

// offer tells a process of the memory.
func (s *shared) offer() *dp1.Shared {
	if s == nil {
		return nil
	}
	return &dp1.Shared{FileDescriptor: sharedDescriptor, Size: sharedSize}
}

// room is where requests are best written.
func (s *shared) room() []byte { return s.memory[:sharedSize/2] }

// request makes the request of a frame, which lies in the shared memory when there is some and it is worth it.
func (s *shared) request(kind wire.Kind, frame []byte) *dp1.RunRequest {
	if s == nil || len(frame) < sharedFrom || len(frame) > sharedSize/2 {
		return &dp1.RunRequest{Kind: uint32(kind), Frame: frame}
	}
	if &frame[0] != &s.memory[0] {
		copy(s.memory, frame)
	}
	return &dp1.RunRequest{Kind: uint32(kind), SharedLength: uint32(len(frame))}
}

// frame returns the frame of a reply, valid until the next.
func (s *shared) frame(r *dp1.RunReply) ([]byte, error) {
	if r.SharedLength == 0 {
		return r.Frame, nil
	}
	if s == nil || r.SharedLength > sharedSize/2 {
		return nil, fmt.Errorf("malformed answer: %d bytes do not lie in the shared memory", r.SharedLength)
	}
	s.answer = append(s.answer[:0], s.memory[sharedSize/2:][:r.SharedLength]...)
	return s.answer, nil
}

func (s *shared) close() {
	if s == nil {
		return
	}
	if s.memory != nil {
		_ = unix.Munmap(s.memory)
		s.memory = nil
	}
	_ = s.file.Close()
}
