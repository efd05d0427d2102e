//go:build !wasip1

package wire

import (
	"errors"
	"fmt"

	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/carebot-llm/carebot/sdk/wire/dp1"
)

// A codec is gRPC's codec of protobuf, but for the requests of Run: their frames lie in the message, of which there is
// one copy, and nothing else writes there.
type codec struct{ encoding.CodecV2 }

func newCodec() codec { return codec{encoding.GetCodecV2(proto.Name)} }

// Unmarshal is of encoding.CodecV2.
func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	if r, ok := v.(*dp1.RunRequest); ok {
		return readRunRequest(data.Materialize(), r)
	}
	return c.CodecV2.Unmarshal(data, v)
}

// readRunRequest reads a message as dp1.proto says. Fields that it does not know are skipped.
func readRunRequest(message []byte, r *dp1.RunRequest) error {
	r.Reset()
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 || !number.IsValid() {
			return errors.New("malformed request: no field begins where one should")
		}
		size := protowire.ConsumeFieldValue(number, kind, message[n:])
		if size < 0 {
			return fmt.Errorf("malformed request: field %d: %w", number, protowire.ParseError(size))
		}
		setRunRequest(r, number, kind, message[n:n+size])
		message = message[n+size:]
	}
	return nil
}

// setRunRequest sets a field to a value that is well-formed.
func setRunRequest(r *dp1.RunRequest, number protowire.Number, kind protowire.Type, value []byte) {
	varint, _ := protowire.ConsumeVarint(value)
	switch {
	case number == 1 && kind == protowire.VarintType:
		r.Kind = uint32(varint)
	case number == 2 && kind == protowire.BytesType:
		r.Frame, _ = protowire.ConsumeBytes(value)
	case number == 3 && kind == protowire.VarintType:
		r.SharedLength = uint32(varint)
	}
}
