import {
  BYTES, CONFIG, I64, LIST, MODELS, MODEL_HIDDEN, MODEL_INFO, MODEL_NAME, MODEL_OUTPUTS, MODEL_TOKENS, OPEN, SEED, U32,
} from "./columns";
import { fail } from "./failure";
import { Frame } from "./frame";
import { Json } from "./json";
import { Model } from "./model";
import { Env } from "./plugin";

/** What an instance is opened with; null when the frame does not say. */
export function readOpening(frame: Frame): Env | null {
  frame.expect(OPEN);
  const config = frame.column(CONFIG, BYTES), seed = frame.column(SEED, I64);
  const models = readModels(frame);
  if (frame.ok && frame.rows != 1) frame.ok = fail(`${frame.rows} rows instead of one`);
  if (!frame.ok) return null;
  const json = Json.parse(config.text(0));
  if (!json) return null;
  return new Env(json, seed.i64(0), models);
}

/** Model i of the imports is models[i]. */
function readModels(frame: Frame): Model[] {
  const n = frame.column(MODELS, LIST).children;
  const name = frame.column(MODEL_NAME, BYTES, n), info = frame.column(MODEL_INFO, BYTES, n);
  const tokens = frame.column(MODEL_TOKENS, U32, n), outputs = frame.column(MODEL_OUTPUTS, U32, n);
  const hidden = frame.column(MODEL_HIDDEN, U32, n);
  const models: Model[] = [];
  for (let i = 0; i < n; i++) {
    models.push(new Model(
      name.text(i).toString(), info.text(i).toString(), tokens.u32(i), outputs.u32(i), hidden.u32(i), i,
    ));
  }
  return models;
}
