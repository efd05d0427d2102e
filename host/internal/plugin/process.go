package plugin

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/carebot-llm/carebot/sdk/wire"
	"github.com/carebot-llm/carebot/sdk/wire/dp1"
)

// A process is an instance that is a process of its own.
type process struct {
	runner *groupRunner
	client *goplugin.Client
	plugin dp1.PluginClient
	shared *shared // nil until the plugin says that it shares
	output *output
	onEnd  func(lived bool) // told once, when the process is ended

	mu    sync.Mutex
	meter *meter // of the call under way
	calls int    // that were answered
	spare []byte // for requests, without shared memory
	end   sync.Once
}

// launch starts a process and connects to it. A process that does not shake hands in time is killed.
func launch(ctx context.Context, c command) (*process, error) {
	p := &process{output: &output{log: c.log}, onEnd: func(bool) {}}
	cmd := exec.Command(c.path, c.args...)
	cmd.Dir, cmd.Env = c.dir, c.environment()
	var err error
	if p.shared, err = c.share(cmd); err != nil {
		return nil, err
	}
	if p.runner, err = newGroupRunner(cmd, p.output); err != nil {
		return nil, err
	}
	p.client = goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig:  wire.Handshake,
		Plugins:          goplugin.PluginSet{wire.Service: connector{}},
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		RunnerFunc: func(_ hclog.Logger, prepared *exec.Cmd, sockets string) (runner.Runner, error) {
			cmd.Env = append(cmd.Env, prepared.Env...)
			p.runner.behind = contains().Namespaces
			return p.runner, c.confine(cmd, sockets)
		},
		SkipHostEnv:      true,
		StartTimeout:     2 * c.timeout, // connect gives up before
		Stderr:           p.output,
		SyncStdout:       p.output,
		SyncStderr:       p.output,
		Logger:           hclog.NewNullLogger(),
		UnixSocketConfig: &goplugin.UnixSocketConfig{TempDir: c.sockets},
		GRPCDialOptions: []grpc.DialOption{
			grpc.WithDefaultCallOptions(
				grpc.MaxCallRecvMsgSize(wire.MaxMessage), grpc.MaxCallSendMsgSize(wire.MaxMessage)),
			grpc.WithInitialWindowSize(wire.MaxMessage), grpc.WithInitialConnWindowSize(wire.MaxMessage),
		},
	})
	if err := p.connect(ctx, c.timeout); err != nil {
		p.close()
		why := fmt.Sprintf("%s: %s", c.path, strings.ReplaceAll(err.Error(), "\n", " "))
		return nil, errors.New(p.output.explained(why))
	}
	return p, nil
}

// connect waits until the plugin is served. go-plugin's own waiting heeds neither the context nor, after the handshake,
// a timeout.
func (p *process) connect(ctx context.Context, timeout time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("the plugin has not started within %v", timeout))
	defer cancel()
	connected := make(chan error, 1)
	go func() {
		protocol, err := p.client.Client()
		var raw any
		if err == nil {
			raw, err = protocol.Dispense(wire.Service)
		}
		if err == nil {
			p.plugin = raw.(dp1.PluginClient)
		}
		connected <- err
	}()
	select {
	case err := <-connected:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// connector is the host's side of go-plugin.
type connector struct {
	goplugin.NetRPCUnsupportedPlugin
}

func (connector) GRPCServer(*goplugin.GRPCBroker, *grpc.Server) error {
	return errors.New("the host is no plugin")
}

func (connector) GRPCClient(_ context.Context, _ *goplugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return dp1.NewPluginClient(conn), nil
}

func (p *process) run(ctx context.Context, kind wire.Kind, frame []byte) ([]byte, error) {
	p.spare = frame
	return p.call(ctx, func() (*dp1.RunReply, error) {
		return p.plugin.Run(ctx, p.shared.request(kind, frame))
	})
}

// roomForRequest is the memory that is shared, or else that of the last request.
func (p *process) roomForRequest() []byte {
	if p.shared != nil {
		return p.shared.room()
	}
	return p.spare
}

func (p *process) flush(ctx context.Context, kind wire.Kind) ([]byte, error) {
	return p.call(ctx, func() (*dp1.RunReply, error) {
		return p.plugin.Flush(ctx, &dp1.FlushRequest{Kind: uint32(kind)})
	})
}

// call runs one call, with its meter in reach of the model requests that the process makes meanwhile.
func (p *process) call(ctx context.Context, ask func() (*dp1.RunReply, error)) ([]byte, error) {
	p.output.forget()
	p.setMeter(meterOf(ctx))
	defer p.setMeter(nil)
	reply, err := ask()
	if err != nil {
		return nil, p.failed(ctx, err)
	}
	p.calls++
	if reply.Error != "" {
		return nil, reportedError{reply.Error}
	}
	return p.shared.frame(reply)
}

func (p *process) setMeter(m *meter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.meter = m
}

func (p *process) currentMeter() *meter {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.meter
}

// failed says why a call has got no reply. A process that cannot be reached is ended to learn how it ended.
func (p *process) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	s := status.Convert(err)
	if s.Code() != codes.Unavailable {
		return fmt.Errorf("the call failed: %s (%s)", s.Message(), s.Code())
	}
	defer p.close()
	select {
	case <-p.runner.ended:
		return errors.New(p.output.explained("the process ended with " + p.runner.fate()))
	case <-time.After(exitGrace):
		return errors.New("the process cannot be reached")
	}
}

// exitGrace is what a process that cannot be reached has to end by itself, so that it can be told how it did.
const exitGrace = 200 * time.Millisecond

// killGrace bounds the wait for a process that has been killed.
const killGrace = 5 * time.Second

// close ends the process, its group first: go-plugin asks a process to end and waits for the answer, for ever when it
// hangs.
func (p *process) close() {
	p.end.Do(func() {
		_ = p.runner.Kill(context.Background())
		killed := make(chan struct{})
		go func() {
			p.client.Kill()
			close(killed)
		}()
		select {
		case <-killed:
		case <-time.After(killGrace):
		}
		p.shared.close()
		p.onEnd(p.calls > 0)
	})
}

var (
	_ instance            = (*process)(nil)
	_ goplugin.GRPCPlugin = connector{}
)
