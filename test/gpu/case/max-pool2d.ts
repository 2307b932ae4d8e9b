// Cases of max pooling and its gradient, with equal values, with nothing but negative ones, and with overlapping windows.

import { below, between, coarse, cycle, type Fill, holed, lowest, normals } from "../../reference/numbers.ts";
import type { Case } from "../case.ts";
import {
  endedBy,
  even,
  type Geometry,
  geometries,
  long,
  odd,
  padded,
  poolGradients,
  pooling,
  poolingBackward,
} from "../geometry.ts";

const pool = (at: Geometry, fill?: Fill): Case => pooling("maxPool2d", at, fill);

/** Of what relu makes of the image. */
function rectified(one: Case): Case {
  return { ...one, attributes: { ...one.attributes, rectified: true } };
}

/** Any tap, and at every third place none: there was nothing above 0. */
const someTaps =
  ({ kernel: [height, width] }: Geometry): Fill =>
  (count, key) =>
    below(height * width)(count, key).map((tap, i) => (i % 3 === 2 ? 0xffffffff : tap));

function backward(at: Geometry, fill?: Fill, tap = below(at.kernel[0] * at.kernel[1])): Case {
  const one = poolingBackward("maxPool2dBackward", at, fill);
  const taps = { shape: one.inputs[0]!.shape, store: "u32", fill: tap } as const;
  return { ...one, inputs: [...one.inputs, taps] };
}

/** Windows that lie inside the image: of single channels, and of fours. */
const inside = geometries.slice(3, 5);

/** Nothing is below it. */
const bottom: Fill = (count) => new Float64Array(count).fill(Number.NEGATIVE_INFINITY);

export const cases: readonly Case[] = [
  ...geometries.map((at) => pool(at)),
  { ...pool(odd, coarse), note: "equal values" },
  { ...pool(even, coarse), note: "equal values" },
  ...[odd, even].map((at) => ({ ...pool(at, holed()), note: "with NaN" })),
  { ...pool(even, holed(lowest)), note: "lowest values and NaN", scales: [1] },
  { ...pool(odd, between(-3, -1)), note: "negative values" },
  { ...pool({ ...even, kernel: [2, 2], stride: [2, 2] }, between(-3, -1)), note: "negative values" },
  { ...pool(odd, lowest), note: "lowest values", scales: [1] },
  { ...pool(even, lowest), note: "lowest values", scales: [1] },
  { ...pool(long, cycle), scales: [1] },
  ...geometries.slice(1).map((at) => rectified(pool(at))),
  ...[odd, ...inside].map((at) => ({ ...pool(at, bottom), note: "nothing but -Infinity", scales: [1] })),
  ...inside.flatMap((at) => [
    { ...pool(at, coarse), note: "equal values" },
    { ...pool(at, holed()), note: "with NaN" },
    { ...rectified(pool(at, holed(coarse))), note: "with NaN" },
    endedBy(pool(at), at, "bias", "add"),
  ]),
  ...[odd, even].flatMap((at) => [
    { ...rectified(pool(at, holed())), note: "with NaN" },
    { ...rectified(pool(at, coarse)), note: "equal values" },
    { ...rectified(pool(at, between(-9, 1))), note: "few above 0" },
    { ...backward(at, normals, someTaps(at)), note: "rectified" },
  ]),
  ...geometries.map((at) => backward(at)),
  ...padded.flatMap((at) => [pool(at), backward(at)]),
  // Windows beside each other: those that fill the image, that leave a rest of it, and that begin outside of it.
  ...[odd, even].flatMap((at) =>
    (["valid", "same", [1, 0, 1, 2]] as const).map((padding) => ({
      ...backward({ ...at, kernel: [2, 3], stride: [2, 3], padding }, normals, someTaps({ ...at, kernel: [2, 3] })),
      note: "windows beside each other",
    })),
  ),
  ...[odd, even].flatMap((at) => [
    endedBy(pool(at), at, "relu", "bias", "add"),
    endedBy(backward(at), at, "reluBackward"),
    endedBy(backward(at), at, "bias", "add"),
  ]),
  { ...backward(long, cycle), scales: [1] },
];

export const gradients = { maxPool2d: poolGradients };
