// The door of gradus/keras: networks that Keras or TensorFlow.js trained.

export { type FromKeras, fromKeras, type KerasInput, type KerasOptions } from "./from-keras.ts";
export type { KerasState } from "./optimizer.ts";
export type { KerasReport } from "./report.ts";
export type { Shards } from "./shards.ts";
export type { KerasSource, LayersModel } from "./source.ts";
export { type NamedWeights, type ToKerasOptions, toKeras, type WrittenModel } from "./to-keras.ts";
