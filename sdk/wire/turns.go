package wire

import (
	"fmt"
	"slices"

	"github.com/carebot-llm/carebot/sdk"
)

// roles are the roles by their number on the wire.
var roles = []sdk.Role{sdk.RoleRaw, sdk.RoleSystem, sdk.RoleUser, sdk.RoleAssistant, sdk.RoleTool}

// turnColumns are the three columns that a list of turns travels in.
type turnColumns struct{ list, role, text Column }

var (
	turnsOf    = turnColumns{ColTurns, ColTurnRole, ColTurnText}
	historyOf  = turnColumns{ColHistory, ColHistoryRole, ColHistoryText}
	contextOf  = turnColumns{ColContext, ColContextRole, ColContextText}
	context2Of = turnColumns{ColContext2, ColContext2Role, ColContext2Text}
)

// turns adds n lists of turns.
func (b *Builder) turns(c turnColumns, n int, at func(int) []sdk.Turn) error {
	b.list(c.list, n, func(i int) int { return len(at(i)) })
	return b.turnChildren(c, n, at)
}

// turnChildren adds the child columns of n lists of turns.
func (b *Builder) turnChildren(c turnColumns, n int, at func(int) []sdk.Turn) error {
	var flat []sdk.Turn
	for i := range n {
		flat = append(flat, at(i)...)
	}
	for i := range flat {
		if !slices.Contains(roles, flat[i].Role) {
			return fmt.Errorf("unknown role %q", flat[i].Role)
		}
	}
	b.u8(c.role, len(flat), func(i int) uint8 { return uint8(slices.Index(roles, flat[i].Role)) })
	b.texts(c.text, len(flat), func(i int) string { return flat[i].Text })
	return nil
}

// turns reads n lists of turns.
func (f *Frame) turns(c turnColumns, n int) [][]sdk.Turn {
	from, children := f.list(c.list, n)
	role, text := f.u8(c.role, children), f.texts(c.text, children)
	if f.err != nil {
		return nil
	}
	flat := make([]sdk.Turn, children)
	for i := range flat {
		if int(role[i]) >= len(roles) {
			f.fail("turn %d has the unknown role %d", i, role[i])
			return nil
		}
		flat[i] = sdk.Turn{Role: roles[role[i]], Text: text.at(i)}
	}
	lists := make([][]sdk.Turn, n)
	for i := range lists {
		lists[i] = flat[from[i]:from[i+1]:from[i+1]]
	}
	return lists
}
