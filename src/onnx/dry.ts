// A scope that keeps shapes alone: what a layer makes of a value is asked of its ops, without a graph. So a reader learns the shapes of
// a network, and its tensors, before anybody traces it, and a writer hears which ops it is made of.

import {
  type Attributes,
  type Initializer,
  type InitializerName,
  type Op,
  type Scope,
  ShapeError,
  type Value,
} from "../index.ts";

/** A tensor that was asked for. */
export interface Asked {
  readonly path: string;
  readonly shape: readonly number[];
  readonly role: "parameter" | "state";
  readonly start: Initializer | InitializerName;
}

/** An op that was asked for, by a layer at `path`. */
export interface DryUse {
  readonly op: Op;
  readonly path: string;
  /** One that may be left out is undefined where it is. */
  readonly inputs: Readonly<Record<string, Value | undefined>>;
  readonly outputs: Readonly<Record<string, Value>>;
  readonly attributes: Attributes;
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

/** The scope of a layer at `path`; it tells of each tensor, and of each op. */
export function dryScope(
  path: string,
  tell: (asked: Asked, value: Value) => void,
  tellOp: (use: DryUse) => void = () => undefined,
): Scope {
  const keep = (role: Asked["role"], name: string, shape: readonly number[], start: Asked["start"]): Value => {
    const value = dryValue(shape);
    tell({ path: path === "" ? name : `${path}.${name}`, shape, role, start }, value);
    return value;
  };
  return {
    path,
    mode: "predict",
    child: (name) => dryScope(path === "" ? name : `${path}.${name}`, tell, tellOp),
    parameter: (name, shape, start) => keep("parameter", name, shape, start),
    state: (name, shape, start) => keep("state", name, shape, start),
    commit: () => undefined,
    draw: (_, __, shape) => dryValue(shape),
    op(op, inputs, given = {}) {
      const { attributes: table = {}, refuse, shape } = op as unknown as Op;
      const defaults = Object.fromEntries(Object.entries(table).map(([name, [otherwise]]) => [name, otherwise]));
      const attributes = { ...defaults, ...given } as Attributes;
      const tensors = inputs as never;
      const refusal = refuse?.(tensors, attributes as never);
      if (refusal !== undefined) throw new ShapeError(`${op.name}: ${refusal}`);
      const made = Object.entries(shape(tensors, attributes as never)).map(([name, spec]) => [
        name,
        dryValue(spec?.shape ?? []),
      ]);
      const outputs = Object.fromEntries(made);
      tellOp({ op: op as unknown as Op, path, inputs, outputs, attributes });
      return outputs;
    },
    report: () => undefined,
  };
}
