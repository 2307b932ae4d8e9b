// Images in another size. Along each axis the numbers made are fixed sums of those given, so that whatever the file asks for (nearest,
// linear, cubic, and where the pixels lie) is a small matrix for each axis; where pixels are only repeated they are tiled.

import { ops } from "../../index.ts";
import { checkSize } from "../host.ts";
import { constant, dimsOf, inputOf, type Row, stepOf } from "../live.ts";
import { chosen, expectCount, inOrder, listOf, type Node, refuse } from "../node.ts";
import { along } from "./move.ts";

interface Axis {
  readonly length: number;
  readonly made: number;
  readonly scale: number;
}

/** Where a number that is made lies among those given, by the name of the way. */
const placesIn = ({ length, made, scale }: Axis): Readonly<Record<string, (at: number) => number>> => ({
  half_pixel: (at) => (at + 0.5) / scale - 0.5,
  pytorch_half_pixel: (at) => (made > 1 ? (at + 0.5) / scale - 0.5 : 0),
  align_corners: (at) => (made === 1 ? 0 : (at * (length - 1)) / (scale * length - 1)),
  asymmetric: (at) => at / scale,
  tf_half_pixel_for_nn: (at) => (at + 0.5) / scale,
});

const nearest: Readonly<Record<string, (place: number) => number>> = {
  round_prefer_floor: (place) => Math.ceil(place - 0.5),
  round_prefer_ceil: (place) => Math.floor(place + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

type Taps = (node: Node, from: number, floor: number) => readonly (readonly [place: number, share: number])[];

const linear: Taps = (_, from, floor) => [
  [floor, floor + 1 - from],
  [floor + 1, from - floor],
];

/** Which of the numbers given are in one that is made, and how much each counts, by where it lies. */
const modes: Readonly<Record<string, Taps>> = {
  nearest(node, from) {
    const round = chosen(node, "nearest_mode", said(node, "nearest_mode", "round_prefer_floor", "floor"), nearest);
    return [[round(from), 1]];
  },
  linear,
  bilinear: linear,
  cubic(node, from, floor) {
    const [t, a] = [from - floor, node.float("cubic_coeff_a", -0.75)];
    return [1 + t, t, 1 - t, 2 - t].map((d, i) => [
      floor - 1 + i,
      d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1 : ((a * d - 5 * a) * d + 8 * a) * d - 4 * a,
    ]);
  },
};

/** Before opset 11 a node has a way of its own, and no region of interest. */
const isOld = (node: Node): boolean => node.op === "Upsample" || node.opset < 11;

const said = (node: Node, name: string, otherwise: string, before: string): string =>
  isOld(node) ? before : node.text(name, otherwise);

/** What of the numbers given is in number `at` that is made. */
type Made = (at: number) => readonly (readonly [place: number, share: number])[];

function madeOf(node: Node, axis: Axis, tapsOf: Taps): Made {
  const { length, made } = axis;
  checkSize(node.place, [length, made]);
  const coordinates = "coordinate_transformation_mode";
  const place = chosen(node, coordinates, said(node, coordinates, "half_pixel", "asymmetric"), placesIn(axis));
  const isOutside = node.int("exclude_outside", 0) === 1;
  return (at) => {
    const from = place(at);
    const kept = tapsOf(node, from, Math.floor(from)).filter(([tap]) => !isOutside || (tap >= 0 && tap < length));
    const whole = kept.reduce((sum, [, share]) => sum + share, 0);
    return kept.map(([tap, share]) => [Math.min(Math.max(tap, 0), length - 1), share / whole] as const);
  };
}

/** [given, made], row-major. Nobody makes it before there are weights: it may be far larger than the file. */
function matrixOf(of: Made, { length, made }: Axis): Float32Array<ArrayBuffer> {
  const matrix = new Float32Array(length * made);
  for (let at = 0; at < made; at++) for (const [place, share] of of(at)) matrix[place * made + at]! += share;
  return matrix;
}

/** How often each number is repeated, where that is all. */
function repeatsOf(of: Made, { length, made }: Axis): number | undefined {
  const times = made / length;
  const isOther = (at: number): boolean =>
    of(at).some(([place, share]) => share !== Number(place === Math.floor(at / times)));
  return inOrder(made).some(isOther) || times % 1 ? undefined : times;
}

const resize: Row = (node, ins) => {
  const x = inputOf(node, ins);
  const dims = dimsOf(x);
  const list = (at: number, what: string): readonly number[] | undefined => {
    const given = constant(node, ins[at], what);
    return given === undefined || given.dims[0] === 0 ? undefined : listOf(given);
  };
  const scales = list(isOld(node) ? 1 : 2, "scales") ?? node.floats("scales");
  const wanted = list(3, "sizes");
  expectCount(node, wanted === undefined ? "scales" : "sizes", wanted ?? scales, dims.length);
  const taps = chosen(node, "mode", node.text("mode", "nearest"), modes);
  const axes = dims.map((length, axis): Axis => {
    const given = scales?.[axis] as number;
    const made = wanted === undefined ? Math.floor(length * given + 1e-6) : (wanted[axis] as number);
    const scale = wanted === undefined ? given : made / length;
    if (!(made >= 1) || (axis === 0 && scale !== 1))
      refuse(node, `it makes ${made} of ${length} along axis ${axis}. At least 1 is read, and all samples.`);
    return { length, made, scale };
  });
  const moved = axes.flatMap(({ scale }, i) => (scale === 1 ? [] : [i]));
  if (moved.length === 0) return x;
  const ways = moved.map((at) => {
    const axis = axes[at] as Axis;
    return { place: x.order.indexOf(at), name: `axis${at}`, axis, of: madeOf(node, axis, taps) };
  });
  const repeats = ways.map(({ of, axis }) => repeatsOf(of, axis));
  return stepOf(x, (scope, value) => {
    if (repeats.every((times) => times !== undefined)) {
      const each = value.shape.map((_, place) => repeats[ways.findIndex((way) => way.place === place)] ?? 1);
      return scope.op(ops.tile, { x: value }, { repeats: each, each: true }).y;
    }
    return ways.reduce(
      (y, { place, name, axis, of }) => along(scope, y, place, name, axis.made, () => matrixOf(of, axis)),
      value,
    );
  });
};

export const resizing: Readonly<Record<string, Row>> = { Resize: resize, Upsample: resize };
