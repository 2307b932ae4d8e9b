// What samples, or values of a loss, count.

import { DataError, ShapeError } from "../errors.ts";
import type { WeightStream } from "../graph/stream.ts";
import { size } from "../op/tensor.ts";
import { checkKeys, isRecord } from "../option.ts";
import { byName } from "./by-name.ts";
import { checkFinite, collect, isList, isNestedAs } from "./numbers.ts";

/** Their sum is to stay within f32. */
const MOST = 2 ** 64;

/** Of each loss for which the data has weights: the shape of those of one sample, and what goes to the GPU. */
export function packWeights(place: string, given: unknown, losses: readonly WeightStream[], count: number) {
  if (given === undefined) return [];
  if (losses.length === 0)
    throw new DataError(`${place}: data.weight is given, but the loss brings weights of its own. Leave it out.`);
  const isNamed = losses[0]?.name !== "";
  const isPart = isRecord(given) && !isList(given);
  const asked = isNamed && isPart ? losses.filter(({ name }) => name in given) : losses;
  if (isNamed && isPart)
    checkKeys(
      place,
      "data.weight",
      given,
      losses.map(({ name }) => name),
    );
  const found = new Map(byName(place, "weight", given, asked).map((one) => [one.stream, one]));
  return losses.flatMap((loss) => {
    const one = found.get(loss);
    if (one === undefined) return [];
    const { values: whole, signed, name } = loss;
    const collected = collect(one.what, one.given);
    const axes = [...Array(whole.length + 1).keys()].find(
      (length) =>
        size(whole.slice(0, length)) * count === collected.values.length &&
        isNestedAs(collected.shape, whole.slice(0, length)),
    );
    const shape = whole.slice(0, axes);
    if (axes === undefined || !isNestedAs(collected.shape, shape)) {
      throw new ShapeError(
        `${one.what} ${collected.shape.length > 1 ? `is nested as [${collected.shape}]` : `has ${collected.values.length} values`}, ${count} samples need ${count}, or one for each value of the loss: [${[count, ...whole]}]. Correct its length.`,
      );
    }
    checkFinite(one.what, one.given, collected, () => "", MOST);
    const values = Float32Array.from(collected.values);
    const below = signed ? -1 : values.findIndex((value) => value < 0);
    if (below >= 0) {
      throw new DataError(
        `${one.what}[${below}] is ${values[below]}, weights of a mean must be at least 0. Correct it, or give the loss reduction: "count", which divides by the number of values.`,
      );
    }
    return [{ name, shape, packed: { values, width: size(shape) } }];
  });
}
