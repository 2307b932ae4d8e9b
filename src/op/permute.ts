// Axes in another order.

import { mapOf, strides } from "./index-map.ts";
import { moveKernel } from "./move.ts";
import { defineOp, type Op } from "./op.ts";
import { given, wholes } from "./request.ts";
import type { Tensor } from "./tensor.ts";

const checkAxes = wholes("a list of axes, for example [0, 2, 1]", () => true);
type Order = { readonly axes: readonly number[] };

const orderOf = ({ shape }: Tensor, { axes }: Order): number[] =>
  axes.map((axis) => (axis < 0 ? axis + shape.length : axis));

/** y: the axes of x in another order, those that `axes` names; -1 is the last. */
export const permute: Op<"x", "y", Order> = defineOp({
  name: "permute",
  inputs: ["x"],
  outputs: ["y"],
  attributes: { axes: [undefined, checkAxes] },
  refuse({ x }, order: Order) {
    const isOrder = x.shape.every((_, axis) => orderOf(x, order).includes(axis));
    return isOrder && order.axes.length === x.shape.length
      ? undefined
      : `${given(x)} axes is [${order.axes}], it must name each of ${x.shape.length} axes once, from 0, or back from -1.`;
  },
  shape: ({ x }, order) => ({ y: { shape: orderOf(x, order).map((axis) => x.shape[axis] as number) } }),
  back({ x, dy }, { attributes, give, emit }) {
    const order = orderOf(x, attributes);
    give("x", () => emit(permute, { x: dy }, { axes: order.map((_, axis) => order.indexOf(axis)) }).y);
  },
  kernel: moveKernel("permute", ["x"], ({ tensors, attributes }) => {
    const { shape } = tensors.x as Tensor;
    const far = strides(shape);
    const order = orderOf(tensors.x as Tensor, attributes as Order);
    return [mapOf(order.map((axis) => ({ length: shape[axis]!, to: far[axis]! })))];
  }),
  takesEpilogue: true,
  moves: ({ axes }) => axes[0] !== 0 && axes[0] !== -axes.length,
});
