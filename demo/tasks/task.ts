// What a task is: something to learn from real data, with what tells how well it does on data that it never saw, and what people look at.

import type { CompileOptions, StepResult, Trainer } from "../../src/index.ts";

export interface Settings {
  /** Trains on so many samples, the first ones; of a text it is tested on no more than that. Default: all. */
  readonly samples?: number | undefined;
  /** How long: updates in all, or passes over the samples. */
  readonly length: Length;
  /** Samples in a step. */
  readonly batch: number;
  /** Learning rate of the last layer at the top of the schedule. */
  readonly lr: number;
  /** Factor on the rate from each layer to the one before it. Default 1: all learn at the same rate. */
  readonly layerDecay?: number;
  /** Default 0. */
  readonly seed?: number;
  readonly device?: CompileOptions["device"];
}

export type Length = { readonly steps: number } | { readonly epochs: number };

export interface Goal {
  /** Ends the training after the steps under way. */
  readonly signal?: AbortSignal;
  /** Hears of each update; `accuracy` is NaN where it means nothing. */
  readonly onStep?: (result: StepResult) => void;
}

/** A task with its data loaded and its model on a device. */
export interface Run {
  readonly trainer: Trainer;
  /** Updates in all. */
  readonly steps: number;
  readonly stepsPerEpoch: number;
  /** Those that are trained on. */
  readonly samples: number;
  /** Goes on from the trainer's step, the first or that of a checkpoint, until `until` updates are made; to the same bits in one go or in many. */
  train(until: number, goal?: Goal): Promise<void>;
  test(): Promise<Tested>;
  /** What can be looked at, as of now. */
  show(): Promise<Shown>;
}

export interface Tested {
  /** In a sentence. */
  readonly verdict: string;
  readonly figures: Readonly<Record<string, number>>;
  /** Those that it was tested on and never saw. */
  readonly samples: number;
}

export interface Shown {
  readonly text: string;
  readonly pictures?: Pictures;
}

/** Pictures of the same size in rows. */
export interface Pictures {
  readonly height: number;
  readonly width: number;
  /** Pictures in a row. */
  readonly columns: number;
  /** Grey, black is 0, picture after picture. */
  readonly pixels: Uint8Array;
  /** Under each picture; of digits, ≠ and spaces. */
  readonly captions?: readonly string[];
}

export type Open = (settings: Settings) => Promise<Run>;

export const stepsOf = (length: Length, stepsPerEpoch: number): number =>
  "steps" in length ? length.steps : length.epochs * stepsPerEpoch;
