//go:build !wasip1

package wire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/carebot-llm/carebot/sdk"
	"github.com/carebot-llm/carebot/sdk/wire/dp1"
)

// Serve is what a plugin's main calls. It serves the one plugin that the binary registers to the host that started it,
// and returns never. With the argument -manifest it prints the manifest, for the custom section of a WebAssembly
// module.
func Serve() {
	p, err := only()
	if err == nil && len(os.Args) == 2 && os.Args[1] == "-manifest" {
		err = printManifest(p.Manifest)
		if err == nil {
			os.Exit(0)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig: Handshake,
		Plugins:         goplugin.PluginSet{Service: &served{plugin: p, stderr: os.Stderr}},
		Logger:          hclog.NewNullLogger(),
		GRPCServer: func(options []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(options, grpc.MaxRecvMsgSize(MaxMessage), grpc.MaxSendMsgSize(MaxMessage),
				grpc.InitialWindowSize(MaxMessage), grpc.InitialConnWindowSize(MaxMessage),
				grpc.ForceServerCodecV2(newCodec()))...)
		},
	})
}

func printManifest(m sdk.Manifest) error {
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	return out.Encode(m)
}

// served is the process's side of go-plugin, and its Plugin service.
type served struct {
	goplugin.NetRPCUnsupportedPlugin
	dp1.UnimplementedPluginServer
	plugin sdk.Plugin
	stderr io.Writer // the one before go-plugin puts its own in place

	mu    sync.Mutex // a Guest is used by one call at a time
	guest *Guest
	share share
}

func (s *served) GRPCServer(_ *goplugin.GRPCBroker, server *grpc.Server) error {
	dp1.RegisterPluginServer(server, s)
	return nil
}

func (s *served) GRPCClient(context.Context, *goplugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, errors.New("a plugin is no host")
}

func (s *served) Describe(context.Context, *dp1.DescribeRequest) (*dp1.DescribeReply, error) {
	manifest, err := json.Marshal(s.plugin.Manifest)
	return &dp1.DescribeReply{Manifest: manifest}, err
}

func (s *served) Open(_ context.Context, r *dp1.OpenRequest) (*dp1.OpenReply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	call, err := dialHost(r.HostSocket, r.Token)
	if err == nil {
		s.guest, err = OpenGuest(s.plugin, r.Frame, s.log, call)
	}
	s.share.join(r.Shared)
	return &dp1.OpenReply{Error: text(err), Shares: s.share.memory != nil}, nil
}

func (s *served) Run(ctx context.Context, r *dp1.RunRequest) (*dp1.RunReply, error) {
	return s.answer(r.SharedLength > 0, func(g *Guest) ([]byte, error) {
		frame, err := s.share.request(r)
		if err != nil {
			return nil, err
		}
		private := r.SharedLength == 0 // nothing else writes there
		return g.answer(ctx, Kind(r.Kind), frame, private || s.plugin.Borrows)
	})
}

func (s *served) Flush(ctx context.Context, r *dp1.FlushRequest) (*dp1.RunReply, error) {
	return s.answer(false, func(g *Guest) ([]byte, error) { return g.Flush(ctx, Kind(r.Kind)) })
}

// answer makes a reply of what the guest answers.
func (s *served) answer(shared bool, ask func(*Guest) ([]byte, error)) (*dp1.RunReply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.guest == nil {
		return nil, errors.New("the instance is not open")
	}
	frame, err := ask(s.guest)
	if err != nil {
		return &dp1.RunReply{Error: text(err)}, nil
	}
	return s.share.reply(frame, shared), nil
}

// text returns an error as a string that protobuf takes.
func text(err error) string {
	if err == nil {
		return ""
	}
	return strings.ToValidUTF8(err.Error(), "\uFFFD")
}

// log writes one line to standard error, marked so that the host knows the level.
func (s *served) log(level sdk.Level, message string) {
	name := "DEBUG"
	switch {
	case level >= sdk.Error:
		name = "ERROR"
	case level >= sdk.Warn:
		name = "WARN"
	case level >= sdk.Info:
		name = "INFO"
	}
	fmt.Fprintf(s.stderr, "[%s] %s\n", name, strings.ReplaceAll(message, "\n", `\n`))
}

// dialHost returns the ModelCall of the process: nil without a socket, which there is only with models.
func dialHost(socket, token string) (ModelCall, error) {
	if socket == "" {
		return nil, nil
	}
	conn, err := grpc.NewClient("unix:"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(MaxMessage), grpc.MaxCallSendMsgSize(MaxMessage)))
	if err != nil {
		return nil, fmt.Errorf("reach the host: %w", err)
	}
	host := dp1.NewHostClient(conn)
	return func(ctx context.Context, kind Kind, model int, request []byte, _ int) ([]byte, error) {
		r := &dp1.ModelRequest{Token: token, Model: uint32(model), Frame: request}
		var reply *dp1.ModelReply
		var err error
		switch kind {
		case LogLik:
			reply, err = host.ModelLogLik(ctx, r)
		case Texts:
			reply, err = host.ModelScore(ctx, r)
		case Embed:
			reply, err = host.ModelEmbed(ctx, r)
		}
		if err != nil {
			return nil, fmt.Errorf("ask the host's model: %w", err)
		}
		return reply.GetFrame(), nil
	}, nil
}

var _ goplugin.GRPCPlugin = (*served)(nil)
