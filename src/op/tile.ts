// A tensor several times over.

import { mapOf, strides } from "./index-map.ts";
import { moveKernel } from "./move.ts";
import { defineOp, type Op } from "./op.ts";
import { perAxis, wholes } from "./request.ts";
import { reshape } from "./reshape.ts";
import { sumOver } from "./sum.ts";
import type { Tensor } from "./tensor.ts";

const checkRepeats = wholes("a list of whole numbers of at least 1, one for each axis", (value) => value >= 1);

type Repeats = { readonly repeats: readonly number[]; readonly each: boolean };

/** The axes of y, where each that is repeated is two: how often, which is `again`, and the numbers themselves. */
const tiled = ({ shape }: Tensor, { repeats, each }: Repeats) =>
  shape.flatMap((length, axis) => {
    const own = { length, to: strides(shape)[axis]!, again: false };
    const again = { length: repeats[axis]!, to: 0, again: true };
    return repeats[axis] === 1 ? [own] : each ? [own, again] : [again, own];
  });

/** y: x `repeats` times along each axis; with `each` every number by itself. */
export const tile: Op<"x", "y", Repeats> = defineOp({
  name: "tile",
  inputs: ["x"],
  outputs: ["y"],
  attributes: { repeats: [undefined, checkRepeats], each: [false] },
  refuse: ({ x }, { repeats }: Repeats) => perAxis(x, "repeats", repeats),
  shape: ({ x }, { repeats }) => ({ y: { shape: x.shape.map((length, axis) => length * repeats[axis]!) } }),
  back({ x, dy }, { attributes, give, emit }) {
    const parts = tiled(x, attributes);
    const axes = [...parts.keys()].filter((axis) => parts[axis]?.again);
    give("x", () => {
      if (axes.length === 0) return dy;
      const apart = emit(reshape, { x: dy }, { shape: parts.map(({ length }) => length) }).y;
      return emit(sumOver, { x: apart }, { axes, shape: x.shape }).y;
    });
  },
  kernel: moveKernel("tile", ["x"], ({ tensors, attributes }) => [
    mapOf(tiled(tensors.x as Tensor, attributes as Repeats)),
  ]),
  takesEpilogue: true,
  moves: ({ repeats }) => repeats[0] !== 1,
});
