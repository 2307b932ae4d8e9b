// What a model does, op by op, for any number of samples: it is walked through with two of them and with three, and a length that grows
// with them is written as below 0, -k for k of each sample.

import { type Model, OptionError, type Value, type Values } from "../index.ts";
import { type Asked, type DryUse, dryScope, dryValue } from "../onnx/dry.ts";

/** Lengths, of which one below 0 counts samples. */
export type Dims = readonly number[];

/** An input: of a sample, with the number of classes where it is of whole numbers. */
export interface Given {
  readonly name: string;
  readonly shape: readonly number[];
  readonly classes?: number | undefined;
}

/** An op with the inputs that it is given, in its order. */
export interface Use extends Omit<DryUse, "op" | "inputs"> {
  readonly op: string;
  readonly inputs: Values;
}

export interface Traced {
  readonly uses: readonly Use[];
  /** Of all values, by id. */
  readonly dims: ReadonlyMap<number, Dims>;
  /** Tensors of the model, by the ids of their values. */
  readonly owns: ReadonlyMap<number, Asked>;
  readonly inputs: readonly Value[];
  /** By name; the only one has the empty name. */
  readonly outputs: Values;
}

interface Run extends Omit<Traced, "dims"> {
  readonly owns: Map<number, Asked>;
}

function run(model: Model, inputs: readonly Given[], isOne: boolean, batch: number): Run {
  const uses: Use[] = [];
  const owns = new Map<number, Asked>();
  const values = inputs.map(({ shape, classes }) => dryValue([batch, ...shape], classes));
  const scope = dryScope(
    "",
    (asked, { id }) => owns.set(id, asked),
    ({ op, inputs: given, ...rest }) => {
      const inOrder = op.inputs.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]]));
      uses.push({ ...rest, op: op.name, inputs: Object.fromEntries(inOrder) });
    },
  );
  const x = isOne ? values[0] : Object.fromEntries(inputs.map(({ name }, i) => [name, values[i]]));
  const made = model.apply(scope, x) as Value | Values;
  const outputs = typeof made.id === "number" ? { "": made as Value } : (made as Values);
  return { uses, owns, inputs: values, outputs };
}

/** Ops whose attributes may tell lengths, which are read off their dims. */
const byDims = new Set(["reshape", "slice", "tile"]);

/** `isOne`: the model takes a value, and not values by name. `batch`: undefined for any. */
export function traced(model: Model, inputs: readonly Given[], isOne: boolean, batch: number | undefined): Traced {
  const [first, other] = [batch ?? 2, batch ?? 3].map((count) => run(model, inputs, isOne, count)) as [Run, Run];
  const dims = new Map<number, Dims>();
  const fixed = (what: string): never => {
    throw new OptionError(
      `toOnnx: ${what} depends on the number of samples. Say for how many the file is: { batch: 1 }.`,
    );
  };
  const note = (what: string, a: Value, b: Value | undefined): void => {
    const lengths = a.shape.map((length, i) => {
      const there = b?.shape[i] ?? 0;
      if (length === there) return length;
      return length * 3 === there * 2 ? -length / 2 : fixed(what);
    });
    dims.set(a.id, lengths);
  };
  if (first.uses.length !== other.uses.length) fixed("the model");
  for (const [i, value] of first.inputs.entries()) note("an input", value, other.inputs[i]);
  const own = [...other.owns];
  for (const [i, [id, { path, shape }]] of [...first.owns].entries()) {
    if (String(own[i]?.[1].shape) !== String(shape)) fixed(`the shape of "${path}"`);
    dims.set(id, shape);
  }
  for (const [i, { op, path, outputs, attributes }] of first.uses.entries()) {
    const there = Object.values(other.uses[i]?.attributes ?? {});
    if (!byDims.has(op) && String(there) !== String(Object.values(attributes))) fixed(`the op "${op}" of "${path}"`);
    for (const [name, value] of Object.entries(outputs))
      note(`the op "${op}" of "${path}"`, value, other.uses[i]?.outputs[name]);
  }
  return { ...first, dims };
}
