// What the GPU is told of the layers: which rows belong to each, which controllers steer it, and how the means of its weights move.

import type { Controller } from "../kernels/control.ts";
import type { RateTable } from "./rates.ts";

/** The controllers that steer each layer, as a word of bits: a layer keeps them whatever tensors are assigned to it. */
export function controllerWords(rates: RateTable, controllers: readonly Controller[]): number[] {
  const steered = controllers.map(({ name, layers, part }) => ({ ...part, rows: new Set(rates.find(name, layers)) }));
  return rates
    .members()
    .map(({ rows }) =>
      steered
        .filter((controller) => rows.some((row) => controller.rows.has(row)))
        .reduce((word, { bit }) => word | bit, 0),
    );
}

/** First member, number of members and controllers of each layer, then the members; see shaders/control.wgsl. */
export function memberWords(
  rates: RateTable,
  words: readonly number[],
  controllers: readonly Controller[],
): Uint32Array<ArrayBuffer> {
  const comparing = controllers
    .filter(({ part }) => part.stages.includes("reading"))
    .reduce((word, { part }) => word | part.bit, 0);
  const layers = rates.members();
  const heads: number[] = [];
  const members: number[] = [];
  for (const [i, { rows }] of layers.entries()) {
    // Vectors alone, such as a norm's, have no say in a comparison of layers.
    const compared = rows.some((row) => (rates.rows[row]?.shape.length ?? 0) > 1);
    const word = (words[i] as number) & ~(compared ? 0 : comparing);
    heads.push(layers.length * 3 + members.length, rows.length, word);
    members.push(...rows);
  }
  return Uint32Array.from([...heads, ...members]);
}

/** How far the mean of each row moves towards the weight: 1 - decay, so that without a decay it is the weight. */
export const shares = (rates: RateTable): Float32Array<ArrayBuffer> =>
  Float32Array.from(rates.rows, ({ averaging }) => 1 - averaging);
