// What makes a gradient bad, and the question that is put to it where it is stored: a part of every kernel that can store one,
// empty where the result is no gradient of a training step or where the controllers ask instead.

import check from "../../shaders/parts/check.wgsl?raw";
import checkSum from "../../shaders/parts/check-sum.wgsl?raw";
import step from "../../shaders/parts/step.wgsl?raw";
import { cutAtHoles, inLines } from "./kernel.ts";

/**
 * The largest gradient that may take part in a step, 2^48: 2^31 squares of it, or 2^31 steps of Adagrad, stay below 2^128. See
 * ARCHITECTURE.md for the bound of each rule. The shaders hold its bits.
 */
export const MOST_GRADIENT = 2 ** 48;

/** The largest rate with which no rule of ordinary constants takes a weight up to `MOST_GRADIENT` out of f32 in one step. */
export const MOST_RATE = 2 ** 40;

/** Bytes from one row number to the next: every device lets a uniform begin there. */
export const ROW_STRIDE = 256;

const nothing = "fn check(value: vec4f) {}\nfn check_one(value: f32) {}\nfn check_sum(value: f32) {}\nfn settle() {}\n";

/** How many of its outputs, the first ones, a kernel asks where they are gradients and it is told to. */
export const asksGradients = ({ source }: { readonly source: string }): number =>
  cutAtHoles(source).includes("CHECK") ? (source.includes("check_sum(") ? 2 : 1) : 0;

/** The part for a kernel, which brings the values of the step along. `sums`: its second output may be a gradient too. */
export const checkPart = (checked: boolean, sums = false): string =>
  checked ? inLines(step, check, sums ? checkSum : "") : nothing;
