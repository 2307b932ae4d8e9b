// Tensors one after the other.

import { OptionError } from "../errors.ts";
import { shown } from "../option.ts";
import { moveKernel } from "./move.ts";
import { defineOp, type Op } from "./op.ts";
import { given } from "./request.ts";
import { partOf, slice } from "./slice.ts";
import type { Tensor } from "./tensor.ts";

function checkAxis(place: string, name: string, value: unknown): void {
  if (Number.isSafeInteger(value)) return;
  throw new OptionError(`${place}: ${name} is ${shown(value)}, it must be an axis, for example -1, the last one.`);
}

type Along = { readonly axis: number };

const along = (axis: number, { shape }: Tensor): number => (axis < 0 ? axis + shape.length : axis);

/** An op that puts its inputs one after the other along an axis. A kernel has room for three. */
const joining = /* @__NO_SIDE_EFFECTS__ */ <const In extends string>(
  name: string,
  inputs: readonly In[],
): Op<In, "y", Along> => {
  type Given = { readonly [Name in In]: Tensor };
  const listed = (tensors: Given): Tensor[] => inputs.map((input) => tensors[input]);
  /** Where each begins. */
  const begins = (parts: readonly Tensor[], axis: number): number[] =>
    parts.map((_, i) => parts.slice(0, i).reduce((sum, { shape }) => sum + shape[axis]!, 0));
  return defineOp<In, "y", Along>({
    name,
    inputs,
    outputs: ["y"],
    attributes: { axis: [-1, checkAxis] },
    refuse(tensors, { axis }) {
      const parts = listed(tensors);
      const [first] = parts as [Tensor];
      const at = along(axis, first);
      if (first.shape[at] === undefined)
        return `${given(...parts)} There is no axis ${axis}; axes count from 0, or back from -1.`;
      const others = (shape: readonly number[]): string => String(shape.filter((_, axis) => axis !== at));
      const fits = parts.every(({ shape }) => shape.length > at && others(shape) === others(first.shape));
      return fits ? undefined : `${given(...parts)} All axes but axis ${axis} must be equally long.`;
    },
    shape(tensors, { axis }) {
      const parts = listed(tensors);
      const at = along(axis, parts[0]!);
      return {
        y: {
          shape: parts[0]!.shape.with(
            at,
            parts.reduce((sum, { shape }) => sum + shape[at]!, 0),
          ),
        },
      } as never;
    },
    back(known, { attributes: { axis }, give, emit }) {
      const tensors = known as unknown as Given & { readonly dy: Tensor };
      const parts = listed(tensors);
      const at = along(axis, parts[0]!);
      for (const [i, first] of begins(parts, at).entries()) {
        const { shape } = parts[i]!;
        const begin = shape.map((_, other) => (other === at ? first : 0));
        const end = shape.map((length, other) => begin[other]! + length);
        give(inputs[i]!, () => emit(slice, { x: tensors.dy }, { begin, end, stride: [] }).y);
      }
    },
    kernel: moveKernel(name, inputs, ({ tensors, attributes }) => {
      const parts = inputs.map((input) => tensors[input] as Tensor);
      const at = along(attributes.axis as number, parts[0]!);
      const { shape } = tensors.y as Tensor;
      return begins(parts, at).map((first, i) =>
        partOf(
          parts[i]!,
          shape,
          shape.map((_, axis) => (axis === at ? first : 0)),
        ),
      );
    }),
    takesEpilogue: true,
  });
};

/** y: a, then b, along `axis`. */
export const concat = joining("concat", ["a", "b"]);

/** y: a, then b, then c, along `axis`. */
export const concat3 = joining("concat3", ["a", "b", "c"]);
