// What a model does, as a list of ops with their shapes: a scope that makes values of shapes alone, so it needs no device and no graph.

import type { Attributes, Model, Op, Scope, Value, Values } from "../index.ts";

/** A tensor of the model. */
export interface Own {
  readonly kind: "parameter" | "state";
  readonly name: string;
}

/** A use of an op. */
export interface Use {
  readonly op: string;
  /** Of the layer that asked for it. */
  readonly path: string;
  readonly inputs: Readonly<Record<string, Value>>;
  readonly outputs: Readonly<Record<string, Value>>;
  readonly attributes: Attributes;
}

export interface Recorded {
  readonly uses: readonly Use[];
  /** By id of the value. */
  readonly owns: ReadonlyMap<number, Own>;
  readonly inputs: Readonly<Record<string, Value>>;
  readonly outputs: Readonly<Record<string, Value>>;
}

/** Stands for the number of samples: no other length is a multiple of it. */
export const BATCH = 65_537;

/** Shape of a sample, with the number of classes where it is of whole numbers. */
type Given = readonly number[] | { readonly shape: readonly number[]; readonly classes?: number };

/** Records what a model does in training. `inputs` by name; the only one has the empty name. */
export function recorded(model: Model, inputs: Readonly<Record<string, Given>>): Recorded {
  const uses: Use[] = [];
  const owns = new Map<number, Own>();
  const known = new Map<string, Value>();
  let ids = 0;
  const value = (shape: readonly number[], classes?: number): Value =>
    ({
      ...{ id: ids++, name: "", shape: [...shape], dtype: classes === undefined ? "f32" : "u32", role: "activation" },
      ...(classes !== undefined && { classes }),
    }) as Value;
  const kept = (kind: Own["kind"], name: string, shape: readonly number[]): Value => {
    const before = known.get(name);
    if (before !== undefined) return before;
    const made = value(shape);
    known.set(name, made);
    owns.set(made.id, { kind, name });
    return made;
  };
  const joined = (path: string, name: string): string => (path === "" ? name : `${path}.${name}`);
  const scopeAt = (path: string): Scope => ({
    path,
    mode: "train",
    child: (name) => scopeAt(joined(path, name)),
    parameter: (name, shape) => kept("parameter", joined(path, name), shape),
    state: (name, shape) => kept("state", joined(path, name), shape),
    commit: () => undefined,
    draw(name, _, shape) {
      const made = value(shape);
      uses.push({ op: "draw", path: joined(path, name), inputs: {}, outputs: { z: made }, attributes: {} });
      return made;
    },
    report: () => undefined,
    op(op, given, own = {}) {
      const { attributes: table = {}, shape } = op as unknown as Op;
      const defaults = Object.fromEntries(Object.entries(table).map(([name, [otherwise]]) => [name, otherwise]));
      const attributes = { ...defaults, ...own } as Attributes;
      const made = Object.entries(shape(given as never, attributes)).map(
        ([name, spec]) => [name, value(spec?.shape ?? [])] as const,
      );
      const outputs = Object.fromEntries(made);
      uses.push({ op: op.name, path, inputs: given, outputs, attributes });
      return outputs as never;
    },
  });
  const values = Object.fromEntries(
    Object.entries(inputs).map(([name, given]) => {
      const { shape, classes } = "shape" in given ? given : { shape: given, classes: undefined };
      return [name, value([BATCH, ...shape], classes)];
    }),
  );
  const made = model.apply(scopeAt(""), "" in values ? values[""] : values) as Value | Values;
  const isOne = "id" in made && "shape" in made && Array.isArray(made.shape);
  return { uses, owns, inputs: values, outputs: isOne ? { "": made as Value } : (made as Values) };
}
