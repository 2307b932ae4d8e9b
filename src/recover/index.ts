// The door of gradus/recover: a training that survives the loss of its device.

export type { RecoverableOptions, Recovered, RecoverOptions, Snapshot } from "./options.ts";
export { compileRecoverable, type RecoverableTrainer } from "./recoverable.ts";
