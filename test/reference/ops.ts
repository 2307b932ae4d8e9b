// Every op that there is, found in its file: nobody keeps a list of them.

import { specsOf } from "../../src/graph/graph.ts";
import type { Scope, Value } from "../../src/op/layer.ts";
import type { Attributes, Kernel, Op, TensorSpec } from "../../src/op/op.ts";
import type { Tensor } from "../../src/op/tensor.ts";

const files: Readonly<Record<string, Readonly<Record<string, unknown>>>> = import.meta.glob("../../src/op/*.ts", {
  eager: true,
});

const isOp = (value: unknown): value is Op => typeof (value as Op | undefined)?.shape === "function";

/** By name; the op of a layer that is nothing else is found at it, and the way back of an activation at its op. */
export const allOps: ReadonlyMap<string, Op> = new Map(
  Object.values(files)
    .flatMap((file) => Object.values(file))
    .flatMap((value) => [value, (value as { op?: unknown } | undefined)?.op])
    .filter(isOp)
    .flatMap((op) => [op, op.elementwise?.backward ?? []].flat())
    .map((op) => [op.name, op]),
);

/** Their kernels, each once. */
export const allKernels: readonly Kernel[] = [
  ...new Map(
    [...allOps.values()].flatMap(({ kernel }) => (kernel === undefined ? [] : [[kernel.name, kernel]])),
  ).values(),
];

export function opNamed(name: string): Op {
  const op = allOps.get(name);
  if (op === undefined) throw new Error(`There is no op "${name}" in src/op.`);
  return op;
}

/** What comes out of an op of these inputs, in the order of both. */
export const outputsOf = (op: Op, inputs: readonly Tensor[], attributes: Attributes): TensorSpec[] =>
  specsOf(op, Object.fromEntries(op.inputs.map((name, i) => [name, inputs[i] as Tensor])), attributes).map(
    ([, spec]) => spec,
  );

/** Asks a scope for an op by name, with its inputs in order; gives its first output. */
export const apply = (scope: Scope, name: string, inputs: readonly Value[], attributes: Attributes = {}): Value => {
  const op = opNamed(name);
  const named = Object.fromEntries(inputs.map((value, i) => [op.inputs[i] ?? `more${i}`, value]));
  return scope.op(op, named, attributes)[op.outputs[0] as string] as Value;
};
