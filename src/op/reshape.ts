// A change of shape that moves nothing, and the layer that makes rows of images.

import { checkNothing, type Layer } from "./layer.ts";
import { defineOp } from "./op.ts";
import { checkShape, given } from "./request.ts";
import { size } from "./tensor.ts";

/** The same numbers under another shape: a change of view, without a kernel. */
export const reshape = defineOp({
  name: "reshape",
  inputs: ["x"],
  outputs: ["y"],
  attributes: { shape: [undefined, checkShape] },
  refuse: ({ x }, { shape }: { readonly shape: readonly number[] }) =>
    size(x.shape) === size(shape)
      ? undefined
      : `${given(x)} The new shape is [${shape}], it must hold ${size(x.shape)} numbers.`,
  shape: (_, { shape }) => ({ y: { shape, viewOf: "x" } }),
  back: ({ dy, x }, { give, emit }) => give("x", () => emit(reshape, { x: dy }, { shape: x.shape }).y),
});

/** [B, ...] -> [B, product of the rest]; a change of view that moves nothing. */
export function flatten(...given: []): Layer {
  checkNothing("flatten", given);
  return {
    kind: "flatten",
    apply(scope, x) {
      const [batch = 1, ...rest] = x.shape;
      return scope.op(reshape, { x }, { shape: [batch, size(rest)] }).y;
    },
  };
}
