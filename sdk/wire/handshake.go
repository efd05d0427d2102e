//go:build !wasip1

package wire

import (
	goplugin "github.com/hashicorp/go-plugin"

	"github.com/carebot-llm/carebot/sdk"
)

// Service is the name under which a process serves dp1 to go-plugin.
const Service = "dp1"

// MaxMessage bounds a gRPC message: a frame and what is around it.
const MaxMessage = MaxFrame + 64<<10

// Handshake is what host and process agree on before they speak.
var Handshake = goplugin.HandshakeConfig{
	ProtocolVersion:  sdk.ABI,
	MagicCookieKey:   "CAREBOT_PLUGIN",
	MagicCookieValue: Service,
}
