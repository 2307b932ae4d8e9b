// The last part of the samples as validation, as Keras' validation_split takes it: before anything is shuffled, without a copy of the numbers.

import { type Data, DataError, OptionError, type Samples } from "../index.ts";
import type { Trained } from "./callback.ts";

type List = ArrayLike<unknown>;

const isList = (value: unknown): value is List =>
  typeof value === "object" && value !== null && typeof (value as { length?: unknown }).length === "number";

const isSamples = (data: unknown): data is Samples =>
  typeof data === "object" &&
  data !== null &&
  "x" in data &&
  !(Symbol.iterator in data) &&
  !(Symbol.asyncIterator in data);

/** How many samples there are, as far as it can be told without a look at them; undefined for batches that are made on the way. */
export function sampleCount(trainer: Trained, data: Data): number | undefined {
  if (!isSamples(data)) {
    const { count } = Object(data) as { readonly count?: unknown };
    return typeof count === "number" ? count : undefined;
  }
  const { x } = data;
  if (!isList(x)) return undefined;
  if (isList(x[0])) return x.length;
  return x.length / trainer.network.inputShape.reduce((product, length) => product * length, 1);
}

/** The samples in two. Throws OptionError and DataError where there is nothing to split, or one half would be empty. */
export function split(trainer: Trained, data: Data, part: number): { training: Samples; validation: Samples } {
  if (!isSamples(data)) {
    throw new OptionError(
      "fitWith: validationSplit takes samples { x, y } in arrays, not batches nor what was uploaded. Hold some back, and give them as validation.",
    );
  }
  let count = sampleCount(trainer, data);
  if (count === undefined || !Number.isInteger(count)) {
    // Several inputs by name: only the trainer knows their shapes, and it says what is wrong with any.
    const uploaded = trainer.upload(data);
    count = uploaded.count;
    uploaded.dispose();
  }
  const first = Math.floor(count * (1 - part));
  if (first === 0 || first === count) {
    throw new DataError(
      `fitWith: validationSplit is ${part}, which leaves ${first} of ${count} samples for training and ${count - first} for validation. Give more samples, or another part.`,
    );
  }
  return { training: cut(data, count, 0, first), validation: cut(data, count, first, count) };
}

/** The samples from `from` to before `to`, of `count`. */
function cut(data: Samples, count: number, from: number, to: number): Samples {
  const piece = (given: unknown, name: string): unknown => {
    if (!isList(given)) {
      const named = Object.entries(given as Readonly<Record<string, unknown>>);
      return Object.fromEntries(named.map(([key, one]) => [key, piece(one, `${name}.${key}`)]));
    }
    if (given.length % count !== 0)
      throw new DataError(
        `fitWith: data.${name} has ${given.length} entries, which is no multiple of ${count} samples.`,
      );
    const width = given.length / count;
    return ArrayBuffer.isView(given)
      ? (given as unknown as Uint8Array).subarray(from * width, to * width)
      : Array.prototype.slice.call(given, from * width, to * width);
  };
  const cuts = (["x", "y", "weight"] as const)
    .filter((key) => data[key] !== undefined)
    .map((key) => [key, piece(data[key], key)]);
  return { ...data, ...Object.fromEntries(cuts) };
}
