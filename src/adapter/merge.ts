// Adapters and weights as one: W + (alpha / rank) A B, and back.

import { CheckpointError, DataError, type HostTensor, ShapeError } from "../index.ts";
import { checkAlpha } from "./lora.ts";
import { checkKeys } from "./names.ts";

/** Options of `merge` and `unmerge`. */
export interface MergeOptions {
  /** As it was given to lora. Default: the rank. */
  readonly alpha?: number;
}

type Weights = ReadonlyMap<string, HostTensor>;

const PAIR = /^(?:(.*)\.)?loraA$/;

/** Layers that have adapters, with both factors. */
export function pairsOf(place: string, weights: unknown): { path: string; a: HostTensor; b: HostTensor }[] {
  checkMap(place, weights);
  const pairs = [...weights].flatMap(([name, a]) => {
    const found = PAIR.exec(name);
    if (found === null) return [];
    const path = found[1] ?? "";
    const b = weights.get(below(path, "loraB"));
    if (b === undefined) throw new CheckpointError(`${place}: "${name}" has no "${below(path, "loraB")}" beside it.`);
    const [rank, other] = [a.shape.at(-1), b.shape.at(-2)];
    if (rank !== other)
      throw new ShapeError(
        `${place}: "${name}" is [${a.shape}], of rank ${rank}, loraB is [${b.shape}], of rank ${other}.`,
      );
    return [{ path, a, b }];
  });
  if (pairs.length === 0)
    throw new CheckpointError(`${place}: there are no adapters among ${[...weights.keys()].slice(0, 12).join(", ")}.`);
  return pairs;
}

function checkMap(place: string, weights: unknown): asserts weights is Weights {
  if (!(weights instanceof Map)) throw new DataError(`${place}: its weights are no Map. Give what weights() gave.`);
}

export const below = (path: string, name: string): string => (path === "" ? name : `${path}.${name}`);

/** `weights` with `sign` times the product of the adapters added to what they belong to. */
function moved(place: string, weights: Weights, adapters: Weights, options: MergeOptions, sign: 1 | -1) {
  checkKeys(place, options, ["alpha"]);
  const pairs = pairsOf(place, adapters);
  checkMap(place, weights);
  const made = new Map(weights);
  for (const { path, a, b } of pairs) {
    const name = below(path, "weight");
    const weight = weights.get(name);
    if (weight === undefined) throw new CheckpointError(`${place}: there is no "${name}" for the adapter "${path}".`);
    const rank = a.shape.at(-1) as number;
    const { alpha = rank } = options;
    checkAlpha(place, alpha);
    const columns = b.shape.at(-1) as number;
    const rows = a.data.length / rank;
    if (String(weight.shape) !== String([...a.shape.slice(0, -1), columns]))
      throw new ShapeError(`${place}: "${name}" is [${weight.shape}], its adapters are [${a.shape}] and [${b.shape}].`);
    const data = Float32Array.from(weight.data);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        let sum = 0;
        for (let k = 0; k < rank; k++)
          sum += (a.data[row * rank + k] as number) * (b.data[k * columns + column] as number);
        const at = row * columns + column;
        data[at] = (data[at] as number) + ((sign * alpha) / rank) * sum;
      }
    }
    made.set(name, { shape: weight.shape, data });
  }
  return made;
}

/**
 * The weights of the plain model that gives what the adapted one gives; adapters leave it. Throws CheckpointError where a part is missing,
 * ShapeError where parts do not fit, OptionError for an alpha that is none.
 *
 * @example const network = await inference(model, ...) // of merge(await trainer.weights(), { alpha: 16 })
 */
export function merge(weights: ReadonlyMap<string, HostTensor>, options: MergeOptions = {}): Map<string, HostTensor> {
  const made = moved("merge", weights, weights, options, 1);
  for (const { path } of pairsOf("merge", weights))
    for (const name of ["loraA", "loraB"]) made.delete(below(path, name));
  return made;
}

/** The weights of the adapted model from those that were merged, to rounding, and the adapters alone. Throws as merge does. */
export function unmerge(
  merged: ReadonlyMap<string, HostTensor>,
  adapters: ReadonlyMap<string, HostTensor>,
  options: MergeOptions = {},
): Map<string, HostTensor> {
  const made = moved("unmerge", merged, adapters, options, -1);
  for (const { path, a, b } of pairsOf("unmerge", adapters)) {
    made.set(below(path, "loraA"), a);
    made.set(below(path, "loraB"), b);
  }
  return made;
}
