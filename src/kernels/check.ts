// What makes a gradient bad, and the question that is put to it where it is stored: a part of every kernel that can store one,
// empty where the result is no gradient of a training step or where the controllers ask instead.

import check from "../../shaders/parts/check.wgsl?raw";
import type { Access } from "./kernel.ts";

/**
 * The largest gradient that may take part in a step, 2^48: 2^31 squares of it, or 2^31 steps of Adagrad, stay below 2^128. See
 * ARCHITECTURE.md for the bound of each rule. The shaders hold its bits.
 */
export const MOST_GRADIENT = 2 ** 48;

/** The largest rate with which no rule of ordinary constants takes a weight up to `MOST_GRADIENT` out of f32 in one step. */
export const MOST_RATE = 2 ** 40;

/** Bytes from one row number to the next: every device lets a uniform begin there. */
export const ROW_STRIDE = 256;

/** The bindings of the check; a kernel that can store a gradient lists them after its own. */
export const checkBindings = {
  metrics: "readWrite",
  gradient_row: "uniform",
  sum_row: "uniform",
} as const satisfies Record<string, Access>;

const nothing = "fn check(value: vec4f) {}\nfn check_one(value: f32) {}\nfn check_sum(value: f32) {}\nfn settle() {}\n";

/** The part for a kernel with these bindings. `sums`: its second output may be a gradient too. */
export function checkPart(bindings: Readonly<Record<string, Access>>, checked: boolean, sums = false): string {
  if (!checked) return nothing;
  const at = (name: string): string => `@group(0) @binding(${Object.keys(bindings).indexOf(name)})`;
  return [
    `${at("metrics")} var<storage, read_write> metrics: array<atomic<u32>>;`,
    `${at("gradient_row")} var<uniform> gradient_row: vec4u;  // 1 + row, 0 where it is no gradient`,
    check,
    ...(sums
      ? [
          `${at("sum_row")} var<uniform> sum_row: vec4u;`,
          "fn check_sum(value: f32) { report(sum_row.x, vec4u(bitcast<u32>(value) & 0x7fffffff)); }",
        ]
      : []),
    "fn settle() { report(gradient_row.x, worst); }\n",
  ].join("\n");
}
