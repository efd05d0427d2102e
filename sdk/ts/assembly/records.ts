import { Column } from "./frame";
import { Utf8 } from "./utf8";

/** Who speaks. Raw marks text that a chat template must not wrap. */
export enum Role {
  Raw,
  System,
  User,
  Assistant,
  Tool,
}

/** One utterance of a dialogue. */
@final
export class Turn {
  constructor(readonly role: Role, readonly text: Utf8) {}
}

/** One text of a corpus. `language` is a BCP 47 tag or empty, `meta` a JSON object or empty. */
@final
export class Document {
  constructor(private readonly columns: DocumentColumns, private readonly row: i32) {}

  get id(): Utf8 {
    return this.columns.id.text(this.row);
  }
  get text(): Utf8 {
    return this.columns.text.text(this.row);
  }
  get language(): Utf8 {
    return this.columns.language.text(this.row);
  }
  get source(): Utf8 {
    return this.columns.source.text(this.row);
  }
  get meta(): Utf8 {
    return this.columns.meta.text(this.row);
  }
}

/** A conversation in the order it was held. */
@final
export class Dialogue {
  constructor(private readonly columns: DialogueColumns, private readonly row: i32) {}

  get id(): Utf8 {
    return this.columns.id.text(this.row);
  }
  get turns(): Turn[] {
    return this.columns.turns.at(this.row);
  }
  get language(): Utf8 {
    return this.columns.language.text(this.row);
  }
  get source(): Utf8 {
    return this.columns.source.text(this.row);
  }
}

/**
 * One answer to be judged. `history` ends with the turn that the response answers; `reference` is the known right
 * answer, or empty.
 */
@final
export class Sample {
  constructor(private readonly columns: SampleColumns, private readonly row: i32) {}

  get id(): Utf8 {
    return this.columns.id.text(this.row);
  }
  get history(): Turn[] {
    return this.columns.history.at(this.row);
  }
  get response(): Utf8 {
    return this.columns.response.text(this.row);
  }
  get reference(): Utf8 {
    return this.columns.reference.text(this.row);
  }
}

/** The columns that documents are views of. */
@final
export class DocumentColumns {
  constructor(
    readonly id: Column, readonly text: Column, readonly language: Column, readonly source: Column,
    readonly meta: Column,
  ) {}
}

/** The columns that dialogues are views of. */
@final
export class DialogueColumns {
  constructor(
    readonly id: Column, readonly turns: TurnColumns, readonly language: Column, readonly source: Column,
  ) {}
}

/** The columns that samples are views of. */
@final
export class SampleColumns {
  constructor(
    readonly id: Column, readonly history: TurnColumns, readonly response: Column, readonly reference: Column,
  ) {}
}

/** The three columns that lists of turns travel in. */
@final
export class TurnColumns {
  constructor(private readonly list: Column, private readonly role: Column, private readonly text: Column) {}

  /** The turns of a row. They are made anew each time. */
  at(row: i32): Turn[] {
    const from = this.list.offset(row);
    const turns = new Array<Turn>(this.list.offset(row + 1) - from);
    for (let i = 0; i < turns.length; i++) {
      turns[i] = new Turn(<Role>this.role.u8(from + i), this.text.text(from + i));
    }
    return turns;
  }
}
