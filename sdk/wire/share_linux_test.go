package wire

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/carebot-llm/carebot/sdk/wire/dp1"
)

// sharing returns a share of some memory, and the file behind it.
func sharing(t *testing.T, size int) (*share, *os.File) {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "memory"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if err := f.Truncate(int64(size)); err != nil {
		t.Fatal(err)
	}
	s := new(share)
	s.join(&dp1.Shared{FileDescriptor: uint32(f.Fd()), Size: uint32(size)})
	return s, f
}

func TestSharedFramesLieInTheirHalves(t *testing.T) {
	s, f := sharing(t, 8192)
	if _, err := f.WriteAt([]byte("request"), 0); err != nil {
		t.Fatal(err)
	}
	request, err := s.request(&dp1.RunRequest{SharedLength: 7})
	if err != nil || string(request) != "request" {
		t.Errorf("request %q, %v", request, err)
	}
	if reply := s.reply([]byte("answer"), true); reply.SharedLength != 6 || len(reply.Frame) > 0 {
		t.Errorf("reply %v", reply)
	}
	answer := make([]byte, 6)
	if _, err := f.ReadAt(answer, 4096); err != nil || string(answer) != "answer" {
		t.Errorf("answer %q, %v", answer, err)
	}
}

func TestFrameThatDoesNotFitTheSharedMemory(t *testing.T) {
	s, _ := sharing(t, 8192)
	_, err := s.request(&dp1.RunRequest{SharedLength: 4097})
	wantError(t, err, "a frame of 4097 bytes does not lie in the shared memory")
	_, err = new(share).request(&dp1.RunRequest{SharedLength: 1})
	wantError(t, err, "does not lie in the shared memory")
	long := make([]byte, 4097)
	if reply := s.reply(long, true); !bytes.Equal(reply.Frame, long) {
		t.Errorf("an answer that does not fit goes as %d bytes", len(reply.Frame))
	}
}

func TestShareOfMemoryThatIsNoneFallsBackToMessages(t *testing.T) {
	for _, offer := range []*dp1.Shared{nil, {}, {FileDescriptor: 1 << 20, Size: 8192}, {Size: maxShare + 1}} {
		s := new(share)
		if s.join(offer); s.memory != nil {
			t.Errorf("%v is mapped", offer)
		}
		if reply := s.reply([]byte("answer"), true); string(reply.Frame) != "answer" {
			t.Errorf("the answer goes as %v", reply)
		}
	}
}
