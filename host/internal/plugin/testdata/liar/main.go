// Command liar is a process that breaks the rules of go-plugin or of the contract in the way that its argument names.
package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/carebot-llm/carebot/sdk"
	"github.com/carebot-llm/carebot/sdk/wire"
	"github.com/carebot-llm/carebot/sdk/wire/dp1"
)

func main() {
	mode := os.Args[len(os.Args)-1]
	switch mode {
	case "babble":
		fmt.Println("Hello, I am a plugin!")
	case "flood":
		for {
			fmt.Print("no line ever ends ")
		}
	case "silent":
		time.Sleep(time.Hour)
	case "quits":
		fmt.Fprintln(os.Stderr, "no licence found")
		os.Exit(7)
	case "tcp":
		fmt.Println("1|1|tcp|127.0.0.1:1|grpc")
		time.Sleep(time.Hour)
	}
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig: wire.Handshake,
		Plugins:         goplugin.PluginSet{wire.Service: &liar{mode: mode}},
		Logger:          hclog.NewNullLogger(),
		GRPCServer: func(options []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(options, grpc.MaxRecvMsgSize(64<<20), grpc.MaxSendMsgSize(64<<20))...)
		},
	})
}

type liar struct {
	goplugin.NetRPCUnsupportedPlugin
	dp1.UnimplementedPluginServer
	mode string
}

func (l *liar) GRPCServer(_ *goplugin.GRPCBroker, s *grpc.Server) error {
	dp1.RegisterPluginServer(s, l)
	return nil
}

func (l *liar) GRPCClient(context.Context, *goplugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("no host")
}

var manifest = sdk.Manifest{
	ABI: sdk.ABI, Name: "liar", Version: "1", Kinds: []sdk.Kind{sdk.KindScorer}, Purity: sdk.Pure,
	Scores: []sdk.ScoreInfo{{Name: "length"}},
}

func (l *liar) Describe(context.Context, *dp1.DescribeRequest) (*dp1.DescribeReply, error) {
	if l.mode == "nonsense" {
		return &dp1.DescribeReply{Manifest: []byte("[]")}, nil
	}
	m, err := json.Marshal(manifest)
	return &dp1.DescribeReply{Manifest: m}, err
}

func (l *liar) Open(context.Context, *dp1.OpenRequest) (*dp1.OpenReply, error) {
	if l.mode == "refuses" {
		return &dp1.OpenReply{Error: "I do not open today"}, nil
	}
	if l.mode == "children" {
		return &dp1.OpenReply{}, exec.Command("/bin/sleep", "3600").Start()
	}
	return &dp1.OpenReply{Shares: l.mode == "shared"}, nil
}

func (l *liar) Run(_ context.Context, r *dp1.RunRequest) (*dp1.RunReply, error) {
	f, err := wire.Parse(r.Frame)
	if err != nil {
		return nil, err
	}
	tables, err := wire.NewTables(&manifest)
	if err != nil {
		return nil, err
	}
	ratings := make([]sdk.Rating, f.Rows)
	for i := range ratings {
		ratings[i].Scores = map[string]float64{"length": 1}
	}
	frame, err := tables.EncodeRatings(new(wire.Builder), f.Batch, ratings)
	if l.mode == "shared" {
		return &dp1.RunReply{SharedLength: 1 << 31}, err
	}
	if l.mode == "unshared" {
		return &dp1.RunReply{SharedLength: uint32(len(frame))}, err
	}
	return &dp1.RunReply{Frame: l.twisted(frame)}, err
}

// twisted makes a lie of a true answer.
func (l *liar) twisted(frame []byte) []byte {
	switch l.mode {
	case "rows":
		binary.LittleEndian.PutUint32(frame[8:], 1<<20)
	case "batch":
		frame[24]++
	case "kind":
		frame[6]++
	case "offsets":
		binary.LittleEndian.PutUint32(frame[32+24+16:], 0xfffffff8)
	case "empty":
		return nil
	case "huge":
		return append(frame, make([]byte, wire.MaxFrame)...)
	case "enormous":
		return bytes.Repeat(frame, 40<<20/len(frame))
	}
	return frame
}
