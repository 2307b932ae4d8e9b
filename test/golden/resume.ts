// The trainings of resume.py: the network, and what each case has to say where a checkpoint is read. Data need no random numbers.

import {
  adam,
  adamw,
  conv2d,
  dense,
  flatten,
  type Layer,
  type Optimizer,
  rmsprop,
  sequential,
  sgd,
  tanh,
} from "../../src/index.ts";
import type { LoadOptimizerOptions } from "../../src/pytorch/index.ts";

export const input = [4, 4, 2];
export const batch = 5;

export const resumedModel = (): Layer =>
  sequential({ stem: conv2d(3, { kernel: 3, padding: "same" }), act: tanh(), flat: flatten(), head: dense(3) });

/** A factory, and which layers the optimizer was given first. */
export const resumedCases = {
  adam: { optimizer: adam as (options: object) => Optimizer },
  adamw: { optimizer: adamw, order: ["head", "stem"] },
  sgd: { optimizer: sgd, order: ["head", "stem"], step: 12 },
  rmsprop: { optimizer: rmsprop },
} satisfies Readonly<Record<string, LoadOptimizerOptions>>;

/** [5, 4, 4, 2] of what is [5, 2, 4, 4] there, and classes. */
export function resumedBatch(step: number): { readonly x: Float32Array<ArrayBuffer>; readonly y: number[] } {
  const x = Float32Array.from({ length: batch * 32 }, (_, at) => {
    const [row, place, channel] = [Math.floor(at / 32), Math.floor(at / 2) % 16, at % 2];
    return (((row * 32 + channel * 16 + place + 160 * step) * 7919) % 1009) / 504.5 - 1;
  });
  return { x, y: Array.from({ length: batch }, (_, i) => (i * 2 + step) % 3) };
}
