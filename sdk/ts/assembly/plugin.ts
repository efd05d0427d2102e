import { Judgement, Rating, Verdict } from "./answers";
import { fail } from "./failure";
import { Json } from "./json";
import { Model } from "./model";
import { Dialogue, Document, Sample } from "./records";
import { setTables } from "./tables";

export { fail } from "./failure";

/** What the host gives a plugin when it opens it. */
@final
export class Env {
  constructor(
    /** The recipe's `with` block, an empty object when there is none. */
    readonly config: Json,
    /** The seed of the run, equal in all instances. */
    readonly seed: u64,
    private readonly models: Model[],
  ) {}

  /** The model that the recipe binds to a name that the manifest requests. It fails with null. */
  model(name: string): Model | null {
    for (let i = 0; i < this.models.length; i++) {
      if (this.models[i].name == name) return this.models[i];
    }
    fail(`model "${name}" is not granted`);
    return null;
  }
}

/**
 * A plugin, of one kind or several. A method answers every record, in order; it fails with null (or false) after
 * fail(), which says why. A failure costs the batch, which the host then splits to find the record.
 */
export abstract class Plugin {
  /** Called once, before all others. */
  open(env: Env): bool {
    return true;
  }

  score(documents: Document[]): Rating[] | null {
    fail("the plugin is not a scorer");
    return null;
  }

  filter(dialogues: Dialogue[]): Verdict[] | null {
    fail("the plugin is not a filter");
    return null;
  }

  /** At the end of the data, the verdicts that filter() has postponed, in their order. Such a plugin is stateful. */
  flush(): Verdict[] | null {
    return [];
  }

  reward(samples: Sample[]): Judgement[] | null {
    fail("the plugin is not a reward");
    return null;
  }
}

/** A plugin that rates documents. */
export abstract class Scorer extends Plugin {
  abstract score(documents: Document[]): Rating[] | null;
}

/** A plugin that judges dialogues. */
export abstract class Filter extends Plugin {
  abstract filter(dialogues: Dialogue[]): Verdict[] | null;
}

/** A plugin that judges answers. */
export abstract class Reward extends Plugin {
  abstract reward(samples: Sample[]): Judgement[] | null;
}

/**
 * Makes a plugin known, once, at the top of the entry file. `scores` and `reasons` are the names in manifest.json, in
 * its order.
 */
export function register(plugin: Plugin, scores: string[] = [], reasons: string[] = []): void {
  registered = plugin;
  setTables(scores, reasons);
}

/** The plugin of this module. */
export let registered: Plugin | null = null;
