// my-scorer rates documents by their letters and their length.
import { CodePoints, Document, Rating, Scorer, Status, Utf8, register } from "@carebot/sdk";

export * from "@carebot/sdk/exports";

class MyScorer extends Scorer {
  score(documents: Document[]): Rating[] | null {
    return documents.map<Rating>(document => rate(document.text));
  }
}

function rate(text: Utf8): Rating {
  if (text.length == 0) return new Rating(Status.Abstain, "no text");
  let letters = 0, length = 0;
  for (const c = new CodePoints(text); c.next(); length++) letters += i32(isLetter(c.value));
  const rating = new Rating();
  rating.set("letters", <f64>letters / <f64>length);
  rating.set("length", length);
  return rating;
}

function isLetter(c: i32): bool {
  return c >= 0x80 || ((c | 0x20) >= 0x61 && (c | 0x20) <= 0x7a);
}

// The names are those of manifest.json, in its order.
register(new MyScorer(), ["letters", "length"]);
