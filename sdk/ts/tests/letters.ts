// A plugin whose calls leave garbage of every kind.
import { Action, Dialogue, Document, Edit, EditOp, Plugin, Rating, Verdict, fail, register } from "../assembly/index";

export * from "../exports";

class Letters extends Plugin {
  score(documents: Document[]): Rating[] | null {
    const ratings: Rating[] = [];
    for (let i = 0; i < documents.length; i++) {
      const text = documents[i].text.trim().toString().toUpperCase();
      if (text == "FAIL") {
        fail("as asked");
        return null;
      }
      if (text == "ABORT") throw new Error("as asked");
      const rating = new Rating();
      rating.detail = text.split("").join("-");
      rating.set("length", text.length);
      ratings.push(rating);
    }
    return ratings;
  }

  filter(dialogues: Dialogue[]): Verdict[] | null {
    return dialogues.map<Verdict>(dialogue => {
      const verdict = new Verdict(Action.Edit);
      for (let i = 0; i < dialogue.turns.length; i++) {
        verdict.edits.push(new Edit(i, EditOp.Replace, dialogue.turns[i].text.copy()));
      }
      return verdict;
    });
  }
}

register(new Letters(), ["length"]);
