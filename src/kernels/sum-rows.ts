// Sums of rows as the text of one dispatch, which holds where each of them stands.

import source from "../../shaders/sum-rows.wgsl?raw";
import { checkPart } from "../op/check.ts";
import { each, fold } from "../op/kernel.ts";

/** Length, which of the arenas x is in, its place there, from a row to the next, how many, place of y, and 1 + row of the gradient. */
export type Place = readonly [number, number, number, number, number, number, number];

/** From so many workgroups on threads make several numbers, since each has to find the sum that it belongs to. */
const MANY = 512;

/** Workgroups that are enough for a CPU adapter: a thread takes as long to find its sum there as to make dozens of numbers. */
const FEW = 16;

/** Numbers of a thread. */
function eachOf(workgroups: number, software: boolean): number {
  if (!software) return workgroups < MANY ? 1 : 4;
  return 2 ** Math.min(6, Math.max(0, Math.floor(Math.log2(workgroups / FEW))));
}

/** Of up to six arenas: behind their bindings stands that of the results. */
export function chooseSumRows(places: readonly Place[], arenas: number, checked: boolean, software: boolean) {
  const workgroups = places.reduce((sum, [length]) => sum + Math.ceil(length / 64), 0);
  const most = eachOf(workgroups, software);
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
    // A loop for each arena: a CPU adapter would read all of them in a chain of branches, and goes past a loop without turns.
    TOTAL: each(
      arenas,
      (i) => `for (var at = own.x + i; own.arena == ${i}u && at < end; at += LONG * own.step) {
      var sum = 0.0;
      for (var k = at; k < min(end, at + LONG * own.step); k += own.step) { sum += x_${i}[k]; }
      total += sum;
    }`,
    ),
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
