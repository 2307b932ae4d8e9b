// What a worker's module says of its trainer.

import type { AlternatingOptions, Data, FitOptions, Model, Trainer } from "../index.ts";

/** Functions of a fit that run in the worker. */
export type Listeners = Pick<FitOptions, "onStep" | "onStats" | "onEpoch">;

/** What the page's settings have as `given`. */
// biome-ignore lint/suspicious/noExplicitAny: plain data that page and module agree on
export type Given = any;

/** What a worker's module offers: the model, and all of `compile`'s options that are functions or hold some. */
export interface ServedParts extends Partial<AlternatingOptions> {
  /** The model itself, as `compile` takes it. */
  readonly model: Model;
  /** Data that is made or read in the worker, for `fit`, `evaluate`, `predict` and others to take by name. A function is called each time. */
  readonly data?: { readonly [name: string]: Data | (() => Data | Promise<Data>) };
  /** Told of each fit in the worker, before the page is: what they change acts as on a page. */
  readonly callbacks?: (trainer: Trainer) => Listeners;
}
