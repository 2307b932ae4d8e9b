// What a layer asks for by `scope.op`, and the checks of it. The rules of ops trust their inputs, so whatever a custom layer gets
// wrong is refused here: a shape that does not fit would make a kernel read the wrong numbers in silence.

import { OptionError, ShapeError } from "../errors.ts";
import { placeOf, where } from "../op/layer.ts";
import type { Attributes, Op } from "../op/op.ts";
import type { Tensor, Tensors } from "../op/tensor.ts";
import { isRecord, resolved, shown } from "../option.ts";

/** Inputs and attributes of an op as they go into the graph; `known` gives the tensor of a value. */
export function checkedRequest(
  path: string,
  op: Op,
  inputs: unknown,
  attributes: Attributes,
  known: (place: string, value: unknown) => Tensor,
): { readonly tensors: Tensors; readonly attributes: Attributes } {
  if (!isRecord(op) || typeof op.shape !== "function" || !Array.isArray(op.inputs)) {
    throw new OptionError(`${placeOf(path)}: ${shown(op)} is no op. Give one of ops, for example ops.matmul.`);
  }
  const place = where(op.name, { path });
  const names = op.inputs.join(", ");
  const needed = op.inputs.filter((name) => !op.optional?.includes(name));
  const keys = isRecord(inputs) ? Object.keys(inputs) : undefined;
  if (
    keys === undefined ||
    needed.some((name) => !keys.includes(name)) ||
    keys.some((name) => !op.inputs.includes(name))
  ) {
    throw new OptionError(
      `${place}: its inputs are ${keys === undefined ? (Array.isArray(inputs) ? "a list" : shown(inputs)) : `{ ${keys.join(", ")} }`}, they must be { ${names} }.`,
    );
  }
  const tensors = Object.fromEntries(
    Object.entries(inputs as Readonly<Record<string, unknown>>).map(([name, value]) => [name, known(place, value)]),
  );
  for (const [name, { dtype }] of Object.entries(tensors)) {
    const needed = op.integers?.includes(name) ? "u32" : "f32";
    if (dtype !== needed) {
      throw new ShapeError(
        `${place}: "${name}" is of ${dtype}, it must be of ${needed}. ${dtype === "u32" ? "Whole numbers go into ops that ask for them." : "Give whole numbers, such as an input with classes."}`,
      );
    }
  }
  const checked = resolved(place, attributes, op.attributes ?? {}, "{ name: value } or nothing") as Attributes;
  const refusal = op.refuse?.(tensors, checked);
  if (refusal !== undefined) throw new ShapeError(`${place}: ${refusal}`);
  return { tensors, attributes: checked };
}
