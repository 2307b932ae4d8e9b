// What a layer does, found by letting it apply itself once to a value that has only a shape, as a trainer would: its ops with their
// attributes, and its tensors. So a layer needs to tell nothing of its options to be written down.

import { type Attributes, type Layer, type Op, OptionError, type Scope, type Value, type Values } from "../index.ts";

/** A node that the layer asked for. */
export interface TracedOp {
  readonly name: string;
  readonly attributes: Attributes;
  readonly inputs: Readonly<Record<string, Value>>;
}

export interface TracedPart {
  readonly y: Value | Values;
  readonly ops: readonly TracedOp[];
  /** Shapes of its weights and states by their names below the layer, `weight` or `forward.weight`. */
  readonly tensors: ReadonlyMap<string, readonly number[]>;
  /** Shapes of the random numbers that it draws. */
  readonly draws: readonly (readonly number[])[];
}

/** A value of a shape. */
export const shapedValue = (shape: readonly number[], classes?: number): Value => {
  const dtype = classes === undefined ? "f32" : "u32";
  return { id: 0, name: "", shape, dtype, role: "activation", ...(classes !== undefined && { classes }) } as Value;
};

/** Applies a layer as in training. Throws what the layer throws. */
export function tracedPart(layer: Layer<Value | Values, Value | Values>, x: Value | Values): TracedPart {
  const ops: TracedOp[] = [];
  const tensors = new Map<string, readonly number[]>();
  const draws: (readonly number[])[] = [];
  const scopeAt = (path: string): Scope => {
    const kept = (name: string, shape: readonly number[]): Value => {
      tensors.set(path === "" ? name : `${path}.${name}`, shape);
      return shapedValue(shape);
    };
    return {
      path,
      mode: "train",
      child: (name) => scopeAt(path === "" ? name : `${path}.${name}`),
      parameter: kept,
      state: kept,
      commit() {},
      report() {},
      draw(_, __, shape) {
        draws.push(shape);
        return shapedValue(shape);
      },
      op(op, inputs, given = {}) {
        const attributes = withDefaults(op as Op, given);
        ops.push({ name: op.name, attributes, inputs });
        const made = (op as Op).shape(inputs as never, attributes);
        return Object.fromEntries(
          op.outputs.map((name) => [
            name,
            shapedValue((made[name] as { shape: readonly number[] } | undefined)?.shape ?? []),
          ]),
        ) as never;
      },
    };
  };
  return { y: layer.apply(scopeAt(""), x), ops, tensors, draws };
}

/** Attributes with those that were left out. */
function withDefaults(op: Op, given: Attributes): Attributes {
  const table = Object.entries(op.attributes ?? {}).map(([name, [otherwise]]) => [name, otherwise]);
  const told = Object.entries(given).filter(([, value]) => value !== undefined);
  return Object.fromEntries([...table, ...told]) as Attributes;
}

/** Refuses a model. */
export function refuseModel(what: string): never {
  throw new OptionError(`toKeras: ${what}`);
}
