package wire

import (
	"errors"
	"fmt"

	"github.com/carebot-llm/carebot/sdk"
)

// An Opening is what an instance is opened with. Model i of the imports and of the Host service is Models[i].
type Opening struct {
	Config []byte // JSON object
	Seed   uint64
	Models []Grant
}

// A Grant is a model that the host lets the plugin use.
type Grant struct {
	Name string // the manifest's name for it
	Info sdk.ModelInfo
}

// EncodeOpening writes what an instance is opened with.
func EncodeOpening(b *Builder, o Opening) ([]byte, error) {
	n := len(o.Models)
	b.Begin(Open, 1, 8, 0)
	b.texts(ColConfig, 1, func(int) string { return string(o.Config) })
	b.i64(ColSeed, 1, func(int) int64 { return int64(o.Seed) })
	b.list(ColModels, 1, func(int) int { return n })
	b.texts(ColModelName, n, func(i int) string { return o.Models[i].Name })
	b.texts(ColModelInfo, n, func(i int) string { return o.Models[i].Info.Name })
	b.u32(ColModelTokens, n, func(i int) uint32 { return uint32(o.Models[i].Info.MaxTokens) })
	b.u32(ColModelOutputs, n, func(i int) uint32 { return uint32(o.Models[i].Info.Outputs) })
	b.u32(ColModelHidden, n, func(i int) uint32 { return uint32(o.Models[i].Info.Hidden) })
	return b.Finish()
}

// DecodeOpening reads what an instance is opened with.
func DecodeOpening(f *Frame) (Opening, error) {
	if f.expect(Open); f.Rows != 1 {
		f.fail("%d rows instead of one", f.Rows)
	}
	f.require(ColConfig, ColSeed)
	config, seed := f.texts(ColConfig, f.Rows), f.i64(ColSeed, f.Rows)
	_, n := f.list(ColModels, f.Rows)
	name, info, tokens := f.texts(ColModelName, n), f.texts(ColModelInfo, n), f.u32(ColModelTokens, n)
	outputs, hidden := f.u32(ColModelOutputs, n), f.u32(ColModelHidden, n)
	if f.err != nil {
		return Opening{}, f.err
	}
	o := Opening{Config: []byte(config.at(0)), Seed: uint64(seed[0])}
	for i := range n {
		o.Models = append(o.Models, Grant{Name: name.at(i), Info: sdk.ModelInfo{
			Name: info.at(i), MaxTokens: int(tokens[i]), Outputs: int(outputs[i]), Hidden: int(hidden[i]),
		}})
	}
	return o, nil
}

// EncodeFailure writes the answer to a model request that failed.
func EncodeFailure(b *Builder, why error) []byte {
	b.Begin(Failure, 1, 1, 0)
	b.texts(ColDetail, 1, func(int) string { return detail(why.Error()) })
	frame, err := b.Finish()
	if err != nil {
		panic(fmt.Sprintf("wire: a failure does not fit its frame: %v", err))
	}
	return frame
}

// failure returns the error that a Failure frame holds, nil for frames of other kinds.
func (f *Frame) failure() error {
	if f.Kind != Failure {
		return nil
	}
	if why := f.texts(ColDetail, f.Rows); f.Rows > 0 && why.from != nil {
		return errors.New(detail(why.at(0)))
	}
	return errors.New("the host gives no reason")
}
