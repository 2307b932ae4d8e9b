// Layers that make one value of several.

import { concatenate, type Model, type Op, ops, type Scope, type Value, type Values } from "../index.ts";
import { optionOf, refuse, shown } from "./config.ts";
import type { LayerClass } from "./layer-class.ts";
import { line } from "./own-ops.ts";

/** The values in the order in which they were named. */
const merge = (kind: string, join: (scope: Scope, values: readonly [Value, ...Value[]]) => Value): Model => ({
  kind,
  takesValues: true,
  apply: (scope, x: Values) => join(scope, Object.values(x) as [Value, ...Value[]]),
});

/** One after the other by an op of two. */
const folded =
  (op: Op<"x" | "y", "z">) =>
  (scope: Scope, [first, ...rest]: readonly [Value, ...Value[]]): Value =>
    rest.reduce((x, y) => scope.op(op, { x, y }).z, first);

const folding =
  (kind: string, op: Op<"x" | "y", "z">, most = Number.POSITIVE_INFINITY): LayerClass =>
  () => ({ layer: merge(kind, folded(op)), needs: [], takes: most === 2 ? ["a", "b"] : "many" });

const average: LayerClass = () => ({
  layer: merge("average", (scope, values) => {
    const x = folded(ops.add)(scope, values);
    return scope.op(line, { x }, { factor: 1 / values.length, offset: 0 }).z;
  }),
  needs: [],
  takes: "many",
});

const concatenateLayer: LayerClass = (config) => {
  const axis = optionOf(config, "axis") ?? -1;
  if (!Number.isInteger(axis) || axis === 0)
    refuse(config, `axis is ${shown(axis)}, it must be a whole number, and not that of the batch.`);
  return {
    layer: merge("concatenate", (scope, values) => concatenate(scope, values, axis as number)),
    needs: [],
    takes: "many",
  };
};

export const mergeLayers: ReadonlyMap<string, LayerClass> = new Map([
  ["Add", folding("add", ops.add)],
  ["Subtract", folding("subtract", ops.subtract, 2)],
  ["Multiply", folding("multiply", ops.multiply)],
  ["Maximum", folding("maximum", ops.maximum)],
  ["Minimum", folding("minimum", ops.minimum)],
  ["Average", average],
  ["Concatenate", concatenateLayer],
]);
