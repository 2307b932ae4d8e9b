// Cases of average pooling and its gradient, on all geometries.

import { cycle, type Fill, holed } from "../../reference/numbers.ts";
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

const pool = (at: Geometry, fill?: Fill): Case => pooling("averagePool2d", at, fill);
const backward = (at: Geometry, fill?: Fill): Case => poolingBackward("averagePool2dBackward", at, fill);

/** With zeros around the image counted. */
const counted = (one: Case): Case => ({ ...one, attributes: { ...one.attributes, countPadding: true } });

export const cases: readonly Case[] = [
  ...geometries.flatMap((at) => [pool(at), backward(at)]),
  ...padded.flatMap((at) => [pool(at), backward(at), counted(pool(at)), counted(backward(at))]),
  { ...pool(odd, holed()), note: "with NaN" },
  ...[odd, even].flatMap((at) => [
    endedBy(pool(at), at, "relu", "bias", "add"),
    endedBy(backward(at), at, "bias", "reluBackward"),
  ]),
  ...[pool(long, cycle), backward(long, cycle)].map((one) => ({ ...one, scales: [1] })),
];

export const gradients = {
  averagePool2d: [
    ...poolGradients,
    ...poolGradients.slice(1).map((one) => ({ ...one, attributes: { ...one.attributes, countPadding: true } })),
  ],
};
