// Sums of rows as the text of one dispatch, which holds where each of them stands.

import source from "../../shaders/sum-rows.wgsl?raw";
import { checkPart } from "../op/check.ts";
import { fold } from "../op/kernel.ts";

/** Length, which of the arenas x is in, its place there, from a row to the next, how many, place of y, and 1 + row of the gradient. */
export type Place = readonly [number, number, number, number, number, number, number];

/** Of up to six arenas: behind their bindings stands that of the results. */
export function chooseSumRows(places: readonly Place[], arenas: number, checked: boolean) {
  let end = 0;
  const lines = places.map((place) => {
    const numbers = [end, ...place].map((number) => `${number}u`);
    end += Math.ceil(place[0] / 64) * 64;
    return `if (i < ${end}u) { return Sum(${numbers.join(", ")}); }`;
  });
  const each = (of: (i: number) => string): string => Array.from({ length: arenas }, (_, i) => of(i)).join("\n");
  const holes = {
    CHECK: checkPart(checked),
    CHECKED: checked,
    ARENAS: each((i) => `@group(0) @binding(${i}) var<storage, read> x_${i}: array<f32>;`),
    TERMS: each((i) => `if (arena == ${i}u) { return x_${i}[at]; }`),
    SUMS: lines.join("\n"),
  };
  return {
    kernel: "sum-rows",
    source,
    holes,
    constants: {},
    grid: fold(end / 64),
    note: `${places.length} sums of rows`,
  };
}
