import {
  BYTES, DIALOGUES, DOCUMENTS, HISTORY, HISTORY_ROLE, HISTORY_TEXT, ID, LANGUAGE, LIST, META, REFERENCE, RESPONSE,
  SAMPLES, SOURCE, TEXT, TURNS, TURN_ROLE, TURN_TEXT, U8,
} from "./columns";
import { Frame } from "./frame";
import { Dialogue, DialogueColumns, Document, DocumentColumns, Sample, SampleColumns, TurnColumns } from "./records";

/** The documents of a request for ratings; null when the frame is none. */
export function readDocuments(frame: Frame): Document[] | null {
  frame.expect(DOCUMENTS);
  const columns = new DocumentColumns(
    frame.column(ID, BYTES), frame.column(TEXT, BYTES), frame.column(LANGUAGE, BYTES), frame.column(SOURCE, BYTES),
    frame.column(META, BYTES),
  );
  if (!frame.ok) return null;
  const documents = new Array<Document>(frame.rows);
  for (let i = 0; i < frame.rows; i++) documents[i] = new Document(columns, i);
  return documents;
}

/** The dialogues of a request for verdicts; null when the frame is none. */
export function readDialogues(frame: Frame): Dialogue[] | null {
  frame.expect(DIALOGUES);
  const columns = new DialogueColumns(
    frame.column(ID, BYTES), turns(frame, TURNS, TURN_ROLE, TURN_TEXT), frame.column(LANGUAGE, BYTES),
    frame.column(SOURCE, BYTES),
  );
  if (!frame.ok) return null;
  const dialogues = new Array<Dialogue>(frame.rows);
  for (let i = 0; i < frame.rows; i++) dialogues[i] = new Dialogue(columns, i);
  return dialogues;
}

/** The samples of a request for judgements; null when the frame is none. */
export function readSamples(frame: Frame): Sample[] | null {
  frame.expect(SAMPLES);
  const columns = new SampleColumns(
    frame.column(ID, BYTES), turns(frame, HISTORY, HISTORY_ROLE, HISTORY_TEXT), frame.column(RESPONSE, BYTES),
    frame.column(REFERENCE, BYTES),
  );
  if (!frame.ok) return null;
  const samples = new Array<Sample>(frame.rows);
  for (let i = 0; i < frame.rows; i++) samples[i] = new Sample(columns, i);
  return samples;
}

function turns(frame: Frame, list: u16, role: u16, text: u16): TurnColumns {
  const lists = frame.column(list, LIST);
  return new TurnColumns(lists, frame.column(role, U8, lists.children), frame.column(text, BYTES, lists.children));
}
