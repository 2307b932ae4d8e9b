// Cases of rotary positions: both kinds of pairs, forward and back, places up to 4,096 and beyond, where an angle in f32 has no digits left.

import { holed } from "../../reference/numbers.ts";
import type { Case } from "../case.ts";

const turned = (shape: readonly number[], interleaved: boolean, more: Case["attributes"] = {}): Case => ({
  op: "rotary",
  inputs: [{ shape }],
  attributes: { base: 10_000, interleaved, ...more },
});

export const cases: readonly Case[] = [false, true].flatMap((interleaved) => [
  turned([1, 1, 2], interleaved),
  turned([2, 5, 6], interleaved),
  turned([3, 65, 2, 10], interleaved, { reverse: true }),
  turned([2, 7, 3, 2, 4], interleaved, { base: 500_000 }),
  { ...turned([1, 4099, 8], interleaved), scales: [1] },
  { ...turned([1, 40_000, 2], interleaved, { base: 1 }), scales: [1] },
  { ...turned([2, 5, 4], interleaved), inputs: [{ shape: [2, 5, 4], fill: holed() }], note: "with NaN" },
]);

export const gradients = {
  rotary: [false, true].flatMap((interleaved) =>
    [
      [2, 3, 4],
      [1, 4, 2, 6],
    ].map((shape) => ({
      inputs: [{ shape }],
      attributes: { base: 100, interleaved },
    })),
  ),
};
