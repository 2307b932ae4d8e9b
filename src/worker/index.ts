// The door of gradus/worker: a trainer that works in a worker, so that the page stays free, and is asked by messages.

export { compileInWorker, type WorkerSettings } from "./compile-in-worker.ts";
export type { Given, Listeners, ServedParts } from "./parts.ts";
export type { WorkerLike } from "./runtime.ts";
export { serve } from "./serve.ts";
export type { Moving, WorkerData, WorkerRates, WorkerTrainer, WorkerUpload } from "./trainer.ts";
