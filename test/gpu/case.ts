// One thing to try on the GPU: an op with input shapes, attributes and an epilogue. Plain data, so that the lists of cases
// can be read without a GPU; `buildCase` makes a small graph of it.

import { addNode, addTensor, type Graph } from "../../src/graph/graph.ts";
import type { Attribute, Attributes, EpilogueStep, Op, TensorSpec, Way } from "../../src/op/op.ts";
import { size, type Tensor } from "../../src/op/tensor.ts";
import { stream } from "../../src/random.ts";
import type { StepValues } from "../../src/step/replay.ts";
import { type Fill, normals } from "../reference/numbers.ts";
import { opNamed, outputsOf } from "../reference/ops.ts";

export interface Input {
  readonly shape: readonly number[];
  /** Default: normal with deviation 1. */
  readonly fill?: Fill;
  /** Whether the numbers are multiplied by the scale of the run. Default true, and false where they are no f32. */
  readonly scaled?: boolean;
  /** How the numbers are stored. Default f32. */
  readonly store?: "f32" | "u32" | "bytes";
}

export interface Case {
  readonly op: string;
  /** What is special about the numbers. */
  readonly note?: string;
  readonly inputs: readonly Input[];
  readonly attributes?: Attributes;
  /** Ops at the end of the kernel, with their second operands; `shape` is what the numbers are seen as, default as they come out. */
  readonly epilogue?: readonly {
    readonly op: string;
    readonly attributes?: Attributes;
    readonly operand?: Input;
    readonly shape?: readonly number[];
  }[];
  /** Whether its products are also tried with operands in the memory of a workgroup. */
  readonly staged?: boolean;
  /** Whether the kernel also sums the columns of its second input. */
  readonly columnSum?: boolean;
  /** Default: the first step, with a full batch. */
  readonly step?: StepValues;
  /** How many of the outputs are written. Default all. */
  readonly results?: number;
  /** What the inputs are multiplied by, one node each. Default 1, 1e-4 and 1e4. */
  readonly scales?: readonly number[];
}

/** Small inputs on which the gradient of an op is held against finite differences. */
export interface GradientCase {
  readonly inputs: readonly {
    readonly shape: readonly number[];
    /** Default: numbers that keep apart from each other and from 0. */
    readonly fill?: Fill;
    /** Whether there is a gradient with respect to it. Default true. */
    readonly wanted?: boolean;
  }[];
  readonly attributes?: Attributes;
  /** An op between each parameter and this one, whose gradients are no tensors of their own. */
  readonly behind?: string;
  /** What the op is given in the place of these inputs, which other ops make of them. */
  readonly through?: (made: { readonly emit: Way["emit"]; readonly given: readonly Tensor[] }) => readonly Tensor[];
}

export interface BuiltCase {
  readonly graph: Graph;
  /** Numbers of the inputs, by tensor id. */
  readonly given: ReadonlyMap<number, Float64Array>;
  /** Tensors that are stored as bytes. */
  readonly bytes: ReadonlySet<number>;
  /** Tensors to look at. */
  readonly results: ReadonlySet<number>;
  readonly step: StepValues;
}

/** A graph of equal nodes, one for each scale. Tensors that hold f32 are parameters, all others data. */
export function buildCase(one: Case): BuiltCase {
  const { op, attributes = {}, epilogue = [], scales = [1, 1e-4, 1e4] } = one;
  const graph: Graph = { tensors: [], nodes: [] };
  const given = new Map<number, Float64Array>();
  const bytes = new Set<number>();
  const results = new Set<number>();
  for (const scale of scales) {
    const addInput = ({ shape, fill = normals, store = "f32", scaled = store === "f32" }: Input, place: number) => {
      const name = `${op} x ${scale}, input ${place}`;
      const dtype = store === "f32" ? "f32" : "u32";
      const isParameter = store === "f32" && op !== "gather";
      const tensor = addTensor(graph, { name, shape, dtype, role: isParameter ? "parameter" : "data" });
      const numbers = fill(size(shape), stream(place, caseName(one)));
      given.set(tensor.id, scaled && scale !== 1 ? numbers.map((value) => Math.fround(value * scale)) : numbers);
      if (store === "bytes") bytes.add(tensor.id);
      return tensor;
    };
    const own = one.inputs.map(addInput);
    const operands = epilogue.flatMap(({ operand }) => (operand === undefined ? [] : [operand]));
    const all = [...own, ...operands.map((operand, i) => addInput(operand, own.length + i))];
    const value = opNamed(op);
    const specs = specsOf(one, outputsOf(value, own, attributes));
    const outputs = addNode(
      graph,
      { op: value, inputs: all.map(({ id }) => id), attributes, layer: "" },
      specs.map((spec, i) => [value.outputs[i] as string, spec] as const),
    );
    let next = own.length;
    const steps = epilogue.map((step) => ({
      ...stepOf(opNamed(step.op), step.shape ?? outputs[0]!.shape, () => next++),
      ...(step.attributes && { attributes: step.attributes }),
    }));
    graph.nodes.push({ ...graph.nodes.pop()!, epilogue: steps });
    for (const { id } of outputs.slice(0, one.results)) results.add(id);
  }
  return { graph, given, bytes, results, step: one.step ?? { step: 1, start: 0, count: one.inputs[0]!.shape[0]! } };
}

/** What an op has where nothing else is asked for; its way back has the same. */
export const defaultsOf = ({ attributes = {} }: Op): Attributes =>
  Object.fromEntries(Object.entries(attributes).map(([name, [value]]) => [name, value as Attribute]));

/** A step at the end of a kernel, with the op's default attributes, whose operands stand where `place` says. */
export function stepOf(op: Op, shape: readonly number[], place: () => number): EpilogueStep {
  return { op, attributes: defaultsOf(op), inputs: op.inputs.map((_, i) => (i === 0 ? undefined : place())), shape };
}

/** What comes out, with the column sums where they are asked for. */
function specsOf({ columnSum, inputs, attributes = {} }: Case, specs: readonly TensorSpec[]): readonly TensorSpec[] {
  const { splits = 1 } = attributes;
  const columns = inputs[1]?.shape.at(-1) as number;
  return columnSum === true ? [...specs, { shape: splits === 1 ? [columns] : [splits as number, columns] }] : specs;
}

/** "matmul [3,5] [4,5] transposeB +bias +relu": the name of a test, and of the stream of its numbers. */
export function caseName({ op, inputs, attributes = {}, epilogue = [], columnSum, step, note = "" }: Case): string {
  const options = Object.entries(attributes).map(([name, value]) => (value === true ? name : `${name} ${value}`));
  return [
    op,
    ...inputs.map(({ shape, store }) => `[${shape}]${store === "bytes" ? " of bytes" : ""}`),
    options.join(", "),
    ...epilogue.map(({ op, shape }) => `+${op}${shape === undefined ? "" : ` as [${shape}]`}`),
    columnSum === true ? "+columnSum" : "",
    step === undefined ? "" : `${step.count} rows`,
    note,
  ]
    .filter((word) => word !== "")
    .join(" ");
}
