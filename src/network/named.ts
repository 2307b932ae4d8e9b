// Numbers that a user gives by tensor name: checked against the model, and matched with the weights of another one.

import type { Numbers } from "../data/dataset.ts";
import { CheckpointError, DataError, didYouMean, listed, NameError, ShapeError } from "../errors.ts";
import { weightsOf } from "../io/checkpoint.ts";
import type { Placed } from "../plan/layout.ts";
import type { HostTensor } from "../step/store.ts";

/** Numbers with their places; all are checked before any is used. `anyNumber`: they need not be finite. */
export function placedNumbers(
  place: string,
  tensors: readonly Placed[],
  given: Readonly<Record<string, Numbers>>,
  anyNumber = false,
) {
  return Object.entries(given).map(([name, numbers]) => {
    const placed = tensors.find((tensor) => tensor.name === name);
    if (placed === undefined) {
      const names = tensors.map((tensor) => tensor.name);
      throw new NameError(
        `${place}: there is no tensor "${name}".${didYouMean(name, names)} Tensors: ${listed(names)}.`,
      );
    }
    if (numbers.length !== placed.length) {
      throw new ShapeError(
        `${place}: "${name}" of shape [${placed.shape}] has ${placed.length} numbers, ${numbers.length} were given.`,
      );
    }
    const values = new Float32Array(numbers);
    const bad = anyNumber ? -1 : values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw new DataError(`${place}: "${name}"[${bad}] is ${numbers[bad]}. It must be finite in f32.`);
    return { placed, values };
  });
}

/** What became of the tensors of a transfer. */
export interface Transferred {
  readonly loaded: readonly string[];
  /** Tensors of this model that the source lacks, or has in another shape. */
  readonly missing: readonly string[];
  /** Tensors of the source that were not used. */
  readonly unexpected: readonly string[];
}

/** The weights of `source` that fit by name and shape, and what became of the others. Throws CheckpointError where none does. */
export function fittingWeights(tensors: readonly Placed[], source: ReadonlyMap<string, HostTensor> | Uint8Array) {
  const given: ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: Numbers }> =
    source instanceof Map ? source : weightsOf(source as Uint8Array);
  const names = tensors.map(({ name }) => name);
  const fitting = tensors.flatMap(({ name, shape }) => {
    const found = given.get(name);
    return found !== undefined && String(found.shape) === String(shape) ? [[name, found.data] as const] : [];
  });
  if (fitting.length === 0) {
    throw new CheckpointError(
      `transfer: no tensor fits by name and shape. It holds ${listed([...given.keys()])}; this model has ${listed(names)}.`,
    );
  }
  const loaded = fitting.map(([name]) => name);
  const result: Transferred = {
    loaded,
    missing: names.filter((name) => !loaded.includes(name)),
    unexpected: [...given.keys()].filter((name) => !loaded.includes(name)),
  };
  return { weights: Object.fromEntries(fitting), result };
}
