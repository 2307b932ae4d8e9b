// The door of gradus/callbacks: the loop that people know from Keras. Values that a page imports, and a fit that hears them.

export { type BatchClock, type BatchSteps, batchSchedule } from "./batch-schedule.ts";
export type { Callback, History, Hooks, Run, Trained } from "./callback.ts";
export { type CheckpointEveryOptions, checkpointEvery, type SavedAt } from "./checkpoint-every.ts";
export { type EarlyStoppingOptions, earlyStopping } from "./early-stopping.ts";
export { type CallbackOptions, fitWith } from "./fit-with.ts";
export { historyOf, logsOf } from "./logs.ts";
export type { MonitorOptions } from "./monitor.ts";
export { type MeanNoise, type MeanNoiseOptions, meanNoise, noiseScale } from "./noise-scale.ts";
export { type ProgressBarOptions, progressBar } from "./progress-bar.ts";
export { type HeadOnlyOptions, type HeadThenAllOptions, headOnly, headThenAll } from "./recipes.ts";
export { type PlateauOptions, reduceLROnPlateau } from "./reduce-lr-on-plateau.ts";
export { type RestoreBestOptions, restoreBest } from "./restore-best.ts";
export { type ScaleRateOptions, scaleRate } from "./scale-rate.ts";
export { type CheckpointStore, file, indexedDb, opfs } from "./store.ts";
export { type TensorBoardOptions, tensorBoard } from "./tensor-board.ts";
export type { TextStream } from "./terminal.ts";
