package reference

import (
	"context"
	"encoding/json"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/carebot-llm/carebot/sdk"
)

const goodEnglish = `Iron deficiency is the most common cause of anaemia. It develops when the body loses more iron than
food replaces, and it is found in all ages. Tiredness, pale skin and short breath are typical complaints.

Treatment starts with the cause. Tablets of iron are taken for three months, because the stores have to be
filled as well as the blood. A second blood test shows that the treatment works.
`

const goodChinese = `缺铁是贫血最常见的原因。当身体失去的铁多于从食物中得到的铁时，就会出现缺铁，各个年龄的人都可能发生。常见的表现有乏力、皮肤苍白和气短。

治疗首先要找到原因。铁剂一般服用三个月，因为不仅血液需要铁，体内的储备也要补足。再次验血可以说明治疗是否有效，医生会根据结果决定下一步。
`

func opened(t testing.TB, config string) *scorer {
	t.Helper()
	s, err := open(sdk.Env{Config: []byte(config)})
	if err != nil {
		t.Fatal(err)
	}
	return s.(*scorer)
}

func TestManifestOfTheModuleIsThisOne(t *testing.T) {
	const file = "../manifest.json"
	if *update {
		text, err := json.MarshalIndent(manifest, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, append(text, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var got sdk.Manifest
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(manifest, got); diff != "" {
		t.Errorf("%s (-Go +file), which -update writes anew:\n%s", file, diff)
	}
}

func TestScoringStopsWhenTheCallIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := opened(t, "{}").Score(ctx, []sdk.Document{{Text: goodEnglish}}); err == nil {
		t.Error("no error")
	}
}
