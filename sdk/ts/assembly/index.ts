/**
 * What the author of a CareBot plugin imports. A plugin rates documents (Scorer), filters dialogues (Filter) or judges
 * answers (Reward), a batch at a time. A text is a Utf8: a view of the bytes that the host has sent, valid until the
 * call returns.
 */
export { Action, Edit, EditOp, Judgement, Rating, Status, Verdict } from "./answers";
export { Level, log } from "./host";
export { Json, JsonType } from "./json";
export { LogLik, LogLikRequest, Model } from "./model";
export { Env, fail, Filter, Plugin, register, Reward, Scorer } from "./plugin";
export { Dialogue, Document, Role, Sample, Turn } from "./records";
export { CodePoints, Utf8 } from "./utf8";
