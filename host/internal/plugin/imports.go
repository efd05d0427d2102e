package plugin

import (
	"log/slog"

	"github.com/tetratelabs/wazero/api"

	"github.com/carebot-llm/carebot/sdk/wire"
)

// importModule is the module name of the host's own functions.
const importModule = "dp1"

// Results of the host's functions below zero.
const (
	resultInvalid = -1
	resultFault   = -2
)

// imports is what a module may ask of the host.
var imports = []hostFunc{
	{"log", []api.ValueType{i32, i32, i32}, nil, logMessage},
	{"model_loglik", modelParams, []api.ValueType{i32}, modelFunc(wire.LogLik)},
	{"model_score", modelParams, []api.ValueType{i32}, modelFunc(wire.Texts)},
	{"model_embed", modelParams, []api.ValueType{i32}, modelFunc(wire.Embed)},
}

// modelParams are model, request, length of the request, place for the answer, room for the answer.
var modelParams = []api.ValueType{i32, i32, i32, i32, i32}

func logMessage(inst *moduleInstance, args []uint64) uint64 {
	if text, ok := inst.memory().Read(uint32(args[1]), uint32(args[2])); ok {
		inst.output.say(slog.Level(int32(args[0])), string(text[:min(len(text), maxLine)]))
	}
	return 0
}

// modelFunc answers a model request: the bytes of the answer, or the bytes that it needs when there is less room
// (nothing is written then), or a negative result.
func modelFunc(kind wire.Kind) func(*moduleInstance, []uint64) uint64 {
	return func(inst *moduleInstance, args []uint64) uint64 {
		at, n, out, room := uint32(args[1]), uint32(args[2]), uint32(args[3]), uint32(args[4])
		if n > wire.MaxFrame {
			return result(resultInvalid)
		}
		view, ok := inst.memory().Read(at, n)
		if !ok {
			return result(resultFault)
		}
		answer := inst.of.broker.answerRequest(inst.call.Context, kind, int(int32(args[0])), view)
		if len(answer) > int(room) {
			return result(int32(len(answer)))
		}
		if !inst.memory().Write(out, answer) {
			return result(resultFault)
		}
		return result(int32(len(answer)))
	}
}

// result is an i32 as the engine passes it.
func result(v int32) uint64 { return uint64(uint32(v)) }
