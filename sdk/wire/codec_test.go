//go:build !wasip1

package wire

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/carebot-llm/carebot/sdk/wire/dp1"
)

// FuzzRunRequest holds the codec to what protobuf makes of a message.
func FuzzRunRequest(f *testing.F) {
	for _, r := range []*dp1.RunRequest{
		{}, {Kind: 1, Frame: []byte("frame")}, {Kind: 3, SharedLength: 1 << 31}, {Kind: 1, Frame: make([]byte, 300)},
	} {
		message, err := proto.Marshal(r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(message)
		f.Add(append(message, message...))
		f.Add(append(message, 0xfa, 0x06, 3, 'n', 'e', 'w'))
		f.Add(message[:len(message)/2])
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		want, got := new(dp1.RunRequest), new(dp1.RunRequest)
		wantErr, gotErr := proto.Unmarshal(message, want), readRunRequest(message, got)
		if (wantErr == nil) != (gotErr == nil) {
			t.Fatalf("protobuf says %v, the codec %v", wantErr, gotErr)
		}
		if want.ProtoReflect().SetUnknown(nil); wantErr == nil && !proto.Equal(want, got) {
			t.Errorf("%v instead of %v", got, want)
		}
	})
}
