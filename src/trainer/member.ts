// What the GPU is told of the layers: which rows belong to each, which controllers steer it, and how the means of its weights move.

import { type Controller, controllerBits } from "../kernels/control.ts";
import type { RateTable } from "../optim/rates.ts";

/** First member, number of members and controllers of each layer, then the members; see shaders/control.wgsl. */
export function memberWords(rates: RateTable, controllers: readonly Controller[]): Uint32Array<ArrayBuffer> {
  const layers = rates.members();
  const steered = controllers.map(({ name, layers: pattern }) => ({ name, rows: new Set(rates.find(name, pattern)) }));
  const heads: number[] = [];
  const members: number[] = [];
  for (const { rows } of layers) {
    const bits = steered
      .filter((controller) => rows.some((row) => controller.rows.has(row)))
      // Vectors alone, such as a norm's, have no say in a comparison of layers.
      .filter(({ name }) => name !== "rgn" || rows.some((row) => (rates.rows[row]?.shape.length ?? 0) > 1))
      .reduce((word, { name }) => word | controllerBits[name], 0);
    heads.push(layers.length * 3 + members.length, rows.length, bits);
    members.push(...rows);
  }
  return Uint32Array.from([...heads, ...members]);
}

/** How far the mean of each row moves towards the weight: 1 - decay, so that without a decay it is the weight. */
export const shares = (rates: RateTable): Float32Array<ArrayBuffer> =>
  Float32Array.from(rates.rows, ({ averaging }) => 1 - averaging);
