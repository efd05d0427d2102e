// Command null is a process that answers without looking at the records, for measuring what the transport costs.
package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"syscall"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/carebot-llm/carebot/sdk"
	"github.com/carebot-llm/carebot/sdk/wire"
	"github.com/carebot-llm/carebot/sdk/wire/dp1"
)

func main() {
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig: wire.Handshake,
		Plugins:         goplugin.PluginSet{wire.Service: &null{}},
		Logger:          hclog.NewNullLogger(),
		GRPCServer: func(options []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(options,
				grpc.MaxRecvMsgSize(wire.MaxMessage), grpc.MaxSendMsgSize(wire.MaxMessage),
				grpc.InitialWindowSize(wire.MaxMessage), grpc.InitialConnWindowSize(wire.MaxMessage))...)
		},
	})
}

type null struct {
	goplugin.NetRPCUnsupportedPlugin
	dp1.UnimplementedPluginServer
	memory []byte
	out    wire.Builder
}

func (n *null) GRPCServer(_ *goplugin.GRPCBroker, s *grpc.Server) error {
	dp1.RegisterPluginServer(s, n)
	return nil
}

func (n *null) GRPCClient(context.Context, *goplugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("no host")
}

var manifest = sdk.Manifest{
	ABI: sdk.ABI, Name: "null", Version: "1", Kinds: []sdk.Kind{sdk.KindScorer}, Purity: sdk.Pure,
	Columns: []string{"text"}, Scores: []sdk.ScoreInfo{{Name: "zero"}},
}

func (n *null) Describe(context.Context, *dp1.DescribeRequest) (*dp1.DescribeReply, error) {
	m, err := json.Marshal(manifest)
	return &dp1.DescribeReply{Manifest: m}, err
}

func (n *null) Open(_ context.Context, r *dp1.OpenRequest) (*dp1.OpenReply, error) {
	var err error
	n.memory, err = syscall.Mmap(int(r.Shared.GetFileDescriptor()), 0, int(r.Shared.GetSize()),
		syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	return &dp1.OpenReply{Shares: true}, err
}

// zero is the score of every record.
var zero = map[string]float64{"zero": 0}

func (n *null) Run(_ context.Context, r *dp1.RunRequest) (*dp1.RunReply, error) {
	frame := r.Frame
	if r.SharedLength > 0 {
		frame = n.memory[:r.SharedLength]
	}
	tables, err := wire.NewTables(&manifest)
	if err != nil {
		return nil, err
	}
	ratings := make([]sdk.Rating, binary.LittleEndian.Uint32(frame[8:]))
	for i := range ratings {
		ratings[i].Scores = zero
	}
	answer, err := tables.EncodeRatings(&n.out, binary.LittleEndian.Uint64(frame[24:]), ratings)
	if r.SharedLength > 0 {
		return &dp1.RunReply{SharedLength: uint32(copy(n.memory[len(n.memory)/2:], answer))}, err
	}
	return &dp1.RunReply{Frame: answer}, err
}
