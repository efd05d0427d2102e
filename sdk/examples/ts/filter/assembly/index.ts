// my-filter drops dialogues that end in nothing new and trims the turns of the others.
import { Action, Dialogue, Edit, EditOp, Filter, Turn, Verdict, register } from "@carebot/sdk";

export * from "@carebot/sdk/exports";

class MyFilter extends Filter {
  filter(dialogues: Dialogue[]): Verdict[] | null {
    return dialogues.map<Verdict>(dialogue => judge(dialogue.turns));
  }
}

function judge(turns: Turn[]): Verdict {
  const last = turns.length - 1;
  if (last < 0 || turns[last].text.trim().length == 0) return Verdict.drop("empty");
  for (let i = 0; i < last; i++) {
    if (turns[i].role == turns[last].role && turns[i].text.trim() == turns[last].text.trim()) {
      return Verdict.drop("repeated");
    }
  }
  const verdict = new Verdict();
  for (let i = 0; i <= last; i++) {
    const text = turns[i].text.trim();
    if (text == turns[i].text) continue;
    verdict.action = Action.Edit;
    verdict.edits.push(new Edit(i, EditOp.Replace, text));
  }
  return verdict;
}

// The names are those of manifest.json, in its order.
register(new MyFilter(), [], ["empty", "repeated"]);
