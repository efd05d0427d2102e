package wire

import (
	"fmt"
	"strings"

	"github.com/carebot-llm/carebot/sdk"
)

// only returns the one plugin of this binary.
func only() (sdk.Plugin, error) {
	all := sdk.Names()
	if len(all) != 1 {
		return sdk.Plugin{}, fmt.Errorf("a plugin's binary registers one plugin, this one %d: %s",
			len(all), strings.Join(all, ", "))
	}
	p, _ := sdk.Registered(all[0])
	return p, nil
}
