// The door of gradus/recover: a training that survives the loss of its device, and word of an adapter that computes wrongly.

export { memoryLimit } from "./memory-limit.ts";
export type { RecoverableOptions, Recovered, RecoverOptions, Snapshot } from "./options.ts";
export { compileRecoverable, type RecoverableTrainer } from "./recoverable.ts";
export { type SelfTestOptions, type SelfTestResult, selfTest } from "./self-test.ts";
