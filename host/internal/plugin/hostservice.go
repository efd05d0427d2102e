package plugin

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"net"
	"os"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/carebot-llm/carebot/sdk/wire"
	"github.com/carebot-llm/carebot/sdk/wire/dp1"
)

// A hostService lets the processes of a plugin ask the models that it is granted. It listens on a Unix socket in a
// directory that only this user can enter; a token says which process asks.
type hostService struct {
	dp1.UnimplementedHostServer
	socket string
	broker *broker
	server *grpc.Server

	mu        sync.Mutex
	processes map[string]*process // by token
}

func newHostService(socket string, b *broker) (*hostService, error) {
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return nil, fmt.Errorf("listen for the plugin's model requests: %w", err)
	}
	if err := os.Chmod(socket, 0o600); err != nil {
		return nil, err
	}
	h := &hostService{
		socket: socket, broker: b, processes: map[string]*process{},
		server: grpc.NewServer(grpc.MaxRecvMsgSize(wire.MaxMessage), grpc.MaxSendMsgSize(wire.MaxMessage)),
	}
	dp1.RegisterHostServer(h.server, h)
	go func() { _ = h.server.Serve(listener) }()
	return h, nil
}

// admit returns the token of a process. It is a secret, not a result, and therefore random.
func (h *hostService) admit(p *process) string {
	token := rand.Text()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.processes[token] = p
	return token
}

// dismiss makes a process's token void.
func (h *hostService) dismiss(p *process) {
	h.mu.Lock()
	defer h.mu.Unlock()
	maps.DeleteFunc(h.processes, func(_ string, of *process) bool { return of == p })
}

func (h *hostService) ModelLogLik(ctx context.Context, r *dp1.ModelRequest) (*dp1.ModelReply, error) {
	return h.answer(ctx, wire.LogLik, r)
}

func (h *hostService) ModelScore(ctx context.Context, r *dp1.ModelRequest) (*dp1.ModelReply, error) {
	return h.answer(ctx, wire.Texts, r)
}

func (h *hostService) ModelEmbed(ctx context.Context, r *dp1.ModelRequest) (*dp1.ModelReply, error) {
	return h.answer(ctx, wire.Embed, r)
}

// answer answers a request on the time of the call that the process is in.
func (h *hostService) answer(ctx context.Context, kind wire.Kind, r *dp1.ModelRequest) (*dp1.ModelReply, error) {
	h.mu.Lock()
	p := h.processes[r.Token]
	h.mu.Unlock()
	if p == nil {
		return nil, status.Error(codes.PermissionDenied, "unknown token")
	}
	ctx = context.WithValue(ctx, meterKey{}, p.currentMeter())
	return &dp1.ModelReply{Frame: h.broker.answerRequest(ctx, kind, int(r.Model), r.Frame)}, nil
}

func (h *hostService) close() { h.server.Stop() }
