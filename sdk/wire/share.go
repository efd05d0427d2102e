//go:build !wasip1

package wire

import (
	"fmt"

	"github.com/carebot-llm/carebot/sdk/wire/dp1"
)

// A share is the memory that a process shares with the host: requests lie in the first half, answers in the second.
// Without memory there is none.
type share struct{ memory []byte }

// maxShare bounds the memory that a process maps.
const maxShare = 2 * MaxFrame

// join maps the memory that the host offers. A process that cannot map it gets messages.
func (s *share) join(offer *dp1.Shared) {
	if offer == nil || offer.Size == 0 || offer.Size > maxShare || s.memory != nil {
		return
	}
	s.memory = mapped(int(offer.FileDescriptor), int(offer.Size))
}

// request returns the frame of a request, valid until its reply.
func (s *share) request(r *dp1.RunRequest) ([]byte, error) {
	if r.SharedLength == 0 {
		return r.Frame, nil
	}
	if int(r.SharedLength) > len(s.memory)/2 {
		return nil, fmt.Errorf("a frame of %d bytes does not lie in the shared memory", r.SharedLength)
	}
	return s.memory[:r.SharedLength], nil
}

// reply makes a reply of an answer, which is used again: it goes the way that the request has come, or else is copied.
func (s *share) reply(answer []byte, shared bool) *dp1.RunReply {
	half := len(s.memory) / 2
	if !shared || len(answer) > half {
		return &dp1.RunReply{Frame: append([]byte(nil), answer...)}
	}
	return &dp1.RunReply{SharedLength: uint32(copy(s.memory[half:], answer))}
}
