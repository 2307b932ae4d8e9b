// A scope that keeps shapes alone: what a layer makes of a value is asked of its ops, without a graph. So a reader learns the shapes of
// a network, and its tensors, before anybody traces it.

import { type Initializer, type InitializerName, type Op, type Scope, ShapeError, type Value } from "../index.ts";

/** A tensor that was asked for. */
export interface Asked {
  readonly path: string;
  readonly shape: readonly number[];
  readonly role: "parameter" | "state";
  readonly start: Initializer | InitializerName;
}

let ids = 0;

/** A value that has a shape and nothing else; with classes it is one of whole numbers. */
export const dryValue = (shape: readonly number[], classes?: number): Value => {
  const tensor = {
    id: ids++,
    name: "",
    shape: [...shape],
    dtype: classes === undefined ? "f32" : "u32",
    role: "activation",
  };
  return { ...tensor, ...(classes !== undefined && { classes }) } as Value;
};

/** The scope of a layer at `path`; it tells of each tensor. */
export function dryScope(path: string, tell: (asked: Asked) => void): Scope {
  const keep = (role: Asked["role"], name: string, shape: readonly number[], start: Asked["start"]): Value => {
    tell({ path: path === "" ? name : `${path}.${name}`, shape, role, start });
    return dryValue(shape);
  };
  return {
    path,
    mode: "predict",
    child: (name) => dryScope(path === "" ? name : `${path}.${name}`, tell),
    parameter: (name, shape, start) => keep("parameter", name, shape, start),
    state: (name, shape, start) => keep("state", name, shape, start),
    commit: () => undefined,
    draw: (_, __, shape) => dryValue(shape),
    op(op, inputs, given = {}) {
      const { attributes: table = {}, refuse, shape } = op as unknown as Op;
      const defaults = Object.fromEntries(Object.entries(table).map(([name, [otherwise]]) => [name, otherwise]));
      const attributes = { ...defaults, ...given };
      const tensors = inputs as never;
      const refusal = refuse?.(tensors, attributes as never);
      if (refusal !== undefined) throw new ShapeError(`${op.name}: ${refusal}`);
      const made = Object.entries(shape(tensors, attributes as never)).map(([name, spec]) => [
        name,
        dryValue(spec?.shape ?? []),
      ]);
      return Object.fromEntries(made);
    },
    report: () => undefined,
  };
}
