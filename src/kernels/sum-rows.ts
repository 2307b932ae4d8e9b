// Sums of rows as the text of one dispatch, which holds where each of them stands.

import source from "../../shaders/sum-rows.wgsl?raw";
import { checkPart } from "../op/check.ts";
import { each, fold } from "../op/kernel.ts";

/** Length, which of the arenas x is in, its place there, from a row to the next, how many, place of y, and 1 + row of the gradient. */
export type Place = readonly [number, number, number, number, number, number, number];

/** From so many workgroups on threads make several numbers, since each has to find the sum that it belongs to. */
const MANY = 512;

/** Of up to six arenas: behind their bindings stands that of the results. */
export function chooseSumRows(places: readonly Place[], arenas: number, checked: boolean) {
  const workgroups = places.reduce((sum, [length]) => sum + Math.ceil(length / 64), 0);
  const most = workgroups < MANY ? 1 : 4;
  let end = 0;
  const begins: number[] = [];
  const sums = places.map((place) => {
    begins.push(end);
    end += Math.ceil(place[0] / (64 * most)) * 64 * most;
    return `Sum(${[begins.at(-1), ...place].map((number) => `${number}u`).join(", ")})`;
  });
  const holes = {
    CHECK: checkPart(checked),
    CHECKED: checked,
    EACH: most,
    ARENAS: each(arenas, (i) => `@group(0) @binding(${i}) var<storage, read> x_${i}: array<f32>;`),
    TERMS: each(arenas, (i) => `if (arena == ${i}u) { return x_${i}[at]; }`),
    SUMS: sums.join(",\n"),
    BEFORE: ["0u", ...begins.slice(1).map((begin) => `u32(i >= ${begin}u)`)].join(" + "),
  };
  return {
    kernel: "sum-rows",
    source,
    holes,
    constants: {},
    grid: fold(end / (64 * most)),
    note: `${places.length} sums of rows`,
  };
}
