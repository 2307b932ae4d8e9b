// Images [B, H, W, C] made larger, with numbers between those of their pixels.

import source from "../../shaders/interpolate.wgsl?raw";
import { checkPart } from "./check.ts";
import { epilogue } from "./epilogue.ts";
import { threads } from "./kernel.ts";
import { defineOp, type Kernel, type Op } from "./op.ts";
import { checkPair, given } from "./request.ts";
import { dims, size, type Tensor } from "./tensor.ts";

type Enlarging = {
  /** How many times as large: [vertical, horizontal]. */
  readonly size: readonly number[];
  /** Whether the corners of both images are the centres of their outer pixels; else their outer borders are. */
  readonly alignCorners: boolean;
};

/** What an output asks for, and what a pixel does on the way back, as WGSL. */
const ways = {
  forward: {
    OWN: "LARGE",
    OTHER: "SMALL",
    FIRST: "place_of(at) / PER",
    LAST: "first + 1",
    PAIR: "at, that",
  },
  backward: {
    OWN: "SMALL",
    OTHER: "LARGE",
    FIRST: "max(((at - 1) * PER - OFFSET) / TIMES, vec2i())",
    LAST: "((at + 1) * PER - OFFSET) / TIMES",
    PAIR: "that, at",
  },
} as const;

const kernel = /* @__NO_SIDE_EFFECTS__ */ (name: string, way: keyof typeof ways): Kernel => ({
  name,
  source,
  choose({ tensors, all, attributes, epilogue: steps, checked }) {
    const { size: times, alignCorners } = attributes as Enlarging;
    const [x, y] = [all[0], Object.values(tensors).at(-1)] as [Tensor, Tensor];
    const [small, large] = (way === "backward" ? [y, x] : [x, y]).map(({ shape }) => shape.slice(1, 3)) as [
      number[],
      number[],
    ];
    const columns = y.shape[3] as number;
    const lanes = columns % 4 === 0 ? 4 : 1;
    const end = epilogue(steps, all, { lanes, columns, aligned: lanes === 4 });
    const length = size(y.shape) / lanes;
    const pair = (of: (times: number, small: number) => number): string =>
      times.map((one, axis) => of(one, small[axis]!)).join(", ");
    return {
      holes: {
        EPILOGUE: end.text,
        CHECK: checkPart(checked),
        // Of a single pixel all outputs take all, wherever they stand.
        TIMES: pair((_, pixels) => (alignCorners ? Math.max(1, pixels - 1) : 2)),
        OFFSET: pair((one) => (alignCorners ? 0 : 1 - one)),
        PER: pair((one, pixels) => (alignCorners ? Math.max(1, pixels * one - 1) : 2 * one)),
        ...{ SMALL: small.join(", "), LARGE: large.join(", "), ...ways[way] },
        ...{ WIDTH: lanes, ASK: lanes === 4 ? "check" : "check_one" },
      },
      constants: { LENGTH: length, LANES: columns / lanes },
      tensors: { x, y, ...end.tensors },
      grid: threads(length),
      note: `${dims(x)} to ${dims(y)}${end.note}`,
    };
  },
});

/** y: x [B, H, W, C], `size` [vertical, horizontal] times as large, bilinear between pixels. */
export const interpolate: Op<"x", "y", Enlarging> = defineOp({
  name: "interpolate",
  inputs: ["x"],
  outputs: ["y"],
  attributes: { size: [undefined, checkPair], alignCorners: [false] },
  refuse: ({ x }) => (x.shape.length === 4 ? undefined : `${given(x)} Give images [batch, height, width, channels].`),
  shape: ({ x: { shape } }, { size: times }) => ({
    y: { shape: shape.map((length, axis) => length * (times[axis - 1] ?? 1)) },
  }),
  back: ({ dy }, { attributes, give, emit }) => give("x", () => emit(interpolateBackward, { dy }, attributes).dx),
  kernel: kernel("interpolate", "forward"),
  takesEpilogue: true,
});

/** Gathers: each pixel adds up what outputs took of it. */
export const interpolateBackward = defineOp({
  name: "interpolateBackward",
  inputs: ["dy"],
  outputs: ["dx"],
  shape: ({ dy: { shape } }, { size: times }: Enlarging) => ({
    dx: { shape: shape.map((length, axis) => length / (times[axis - 1] ?? 1)) },
  }),
  kernel: kernel("interpolate-backward", "backward"),
  takesEpilogue: true,
});
