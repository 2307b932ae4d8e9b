// Walks through the nodes of a file at a number of samples: what is known is reckoned, everything else becomes a part of the model.
// Nothing of shapes is written down for all numbers of samples: a model that is traced with another number is walked through again.

import { sizeOf } from "../foreign/strided.ts";
import { CheckpointError, GradusError, type Scope, type Value } from "../index.ts";
import { type Asked, dryScope, dryValue } from "./dry.ts";
import { failInput } from "./fail.ts";
import { folds, keepsWeights } from "./fold.ts";
import { type Host, isFloat } from "./host.ts";
import {
  type About,
  arrange,
  channelsLast,
  dimsOf,
  hostAt,
  isHost,
  type Known,
  type Live,
  needed,
  type Step,
  seeded,
  tensorOf,
  view,
  weight,
} from "./live.ts";
import { claims, commonStart, kindOf, moduleOf, nodeName, shortened, trimmed } from "./names.ts";
import { inOrder, type Node, own, refuse } from "./node.ts";
import { known, rows } from "./rows.ts";

/** An input of the model. */
export interface PlotInput {
  /** ONNX's name. */
  readonly source: string;
  /** As the model knows it. */
  readonly name: string;
  /** As ONNX has it; undefined where the file leaves a length open. */
  readonly dims: readonly (number | undefined)[];
  readonly type: number;
  /** Rows of the tables that it looks up, where it does nothing else. */
  readonly classes?: number | undefined;
}

/** A file, ready to be walked through. */
export interface Plot {
  readonly nodes: readonly Node[];
  readonly constants: ReadonlyMap<string, Host>;
  readonly inputs: readonly PlotInput[];
  readonly outputs: readonly { readonly source: string; readonly name: string }[];
  /** Whether axis 0 counts samples. */
  readonly free: boolean;
  /** Whether images come and go with their channels last. */
  readonly channelsLast: boolean;
  /** The number of samples that the file says. */
  readonly told: number | undefined;
  trains(name: string): boolean;
  /** Nodes that make what an operator needs as a constant, such as the weights of an LSTM: reckoned though they are of weights. */
  readonly reckoned: ReadonlySet<Node>;
  /** Initializers that several nodes take: one weight for all. */
  readonly shared: ReadonlySet<string>;
}

/** A part of the model as it is at this number of samples. */
export interface Piece {
  readonly name: string;
  readonly node: string;
  readonly kind: string;
  readonly step: Step;
}

export interface Walk {
  readonly pieces: readonly Piece[];
  /** What each output is, by name: the part, or an input. */
  readonly outputs: Readonly<Record<string, Live>>;
  readonly asked: readonly Asked[];
  /** Nodes that were reckoned, or that only call axes by other names. */
  readonly folded: number;
}

/** Gives a part's outputs, always as a list. */
export const listed = (made: Value | readonly Value[]): readonly Value[] => ("shape" in made ? [made] : made);

export function walk(plot: Plot, batch: number): Walk {
  const pieces: Piece[] = [];
  const asked: Asked[] = [];
  const start = commonStart(
    [...plot.constants.values()].flatMap(({ name, type, dims }) =>
      name !== undefined && isFloat(type) && sizeOf(dims) > 1 ? [name] : [],
    ),
  );
  const claim = claims([...plot.inputs.map(({ name }) => name), "x"]);
  const values = new Map<string, Known>(plot.constants);
  const used = new Set([...plot.nodes.flatMap(({ inputs }) => inputs), ...plot.outputs.map(({ source }) => source)]);
  used.delete("");
  const about: About = {
    ...{ batch, told: plot.told, free: plot.free },
    trains: (name) => plot.trains(name),
    isUsed: (node, output) => used.has(node.outputs[output] ?? ""),
  };

  /** Puts a step among the parts; gives what it makes. */
  function add(name: string, node: Pick<Node, "name" | "op" | "place">, step: Step): Live[] {
    const path = claim(shortened(name, start));
    let made: readonly Value[];
    try {
      const scope = seeded(
        dryScope(path, (one) => asked.push(one)),
        step.weights ?? {},
      );
      made = listed(
        step.run(
          scope,
          step.takes.map(({ value }) => value),
        ),
      );
    } catch (error) {
      // What a layer refuses is told with the node that asked for it.
      if (!(error instanceof GradusError) || error instanceof CheckpointError) throw error;
      return refuse(node, error.message);
    }
    pieces.push({ name: path, node: node.name, kind: step.kind ?? kindOf(node.op), step });
    const type = step.type ?? step.takes[0]?.type ?? 1;
    return made.map((value, i) => ({
      kind: "live",
      ref: made.length === 1 ? path : `${path}:o${i}`,
      value,
      order: step.orders?.[i] ?? inOrder(value.shape.length),
      type,
    }));
  }

  /** Names that parts with weights are to have. */
  const modules = new Set([...plot.constants.values()].map(({ name }) => moduleOf([name]) ?? ""));
  const weights = new Map<string, Live>();
  /** A constant as a part of its own. */
  function parameter(given: Host): Live {
    const { name: source, dims, type } = given;
    const before = weights.get(source ?? "");
    if (before !== undefined && String(dimsOf(before)) === String(dims)) return before;
    const node = { name: source ?? "", op: "Weight", place: `the initializer "${source}"` };
    const first = weight(node as Node, given, about);
    const path = trimmed(source ?? "").join(".") || "constant";
    const [made] = add(path, node, {
      ...{ takes: [], weights: { weight: first }, type, orders: [inOrder(dims.length)] },
      run: (scope) => view(scope, tensorOf(scope, "weight", first), dims),
    }) as [Live];
    if (source !== undefined) weights.set(source, made);
    return made;
  }

  for (const input of plot.inputs) values.set(input.source, begin(plot, input, batch, add));
  for (const source of plot.shared) {
    const one = values.get(source);
    if (isHost(one)) values.set(source, parameter(one));
  }

  const isWeight = (one: Known | undefined): one is Host =>
    isHost(one) && one.name !== undefined && isFloat(one.type) && sizeOf(one.dims) > 1 && plot.trains(one.name);

  let folded = 0;
  function visit(node: Node): void {
    const given = node.inputs.map((name) => values.get(name));
    const { op } = node;
    const [row, fold] = [own(rows, op), own(folds, op)];
    if (row === undefined && fold === undefined && op !== "If")
      refuse(node, `there is no operator ${op} of opset ${node.opset} here. Known are ${known().join(", ")}.`);
    const isKnown = given.every((one) => one === undefined || one.kind === "host");
    // What is reckoned of a weight would not train: it becomes part of the model.
    const isTrained =
      isKnown && row !== undefined && !keepsWeights.has(op) && !plot.reckoned.has(node) && given.some(isWeight);
    let made: readonly (Known | undefined)[];
    if (op === "If") {
      const name = `${hostAt(node, given, 0, "condition").data[0] === 0 ? "else" : "then"}_branch`;
      const { nodes, outputs } = node.branches?.get(name) ?? refuse(node, `it has no ${name}. The file is damaged.`);
      for (const inner of nodes) visit(inner);
      made = outputs.map((output) => values.get(output));
      folded++;
    } else if (isKnown && !isTrained && fold !== undefined) {
      if (op !== "Constant") needed(node, given, 0, "input");
      // What is laid out anew of a weight is one under the same name.
      const name = plot.reckoned.has(node) ? given.find(isWeight)?.name : undefined;
      const hosts = [fold(node, given as readonly Host[])].flat() as readonly Host[];
      made = name === undefined ? hosts : hosts.map((one) => ({ ...one, name }));
      folded++;
    } else {
      const ins = isTrained ? given.map((one) => (isWeight(one) ? parameter(one) : one)) : given;
      if (row === undefined) refuse(node, "it is read for constants alone, it takes a value of the network.");
      const result = row(node, ins, about);
      if (Array.isArray(result)) made = result;
      else if ("run" in result) {
        const sources = Object.values(result.weights ?? {}).map(({ source }) => source);
        made = add(moduleOf(sources) ?? nodeName(node.name, op, modules), node, result);
      } else {
        made = [result as Known];
        folded++;
      }
    }
    for (const [i, name] of node.outputs.entries()) {
      if (name === "") continue;
      const value = made[i];
      if (value !== undefined) values.set(name, value);
      else if (used.has(name)) refuse(node, `its output ${i} is taken, ${made.length} are made.`);
    }
  }

  for (const node of plot.nodes) visit(node);

  const settled = (one: Known): Live => (isHost(one) ? parameter(one) : one);
  const outputs = Object.fromEntries(
    plot.outputs.map(({ source, name }) => [name, end(plot, settled(values.get(source) as Known), name, add)]),
  );
  return { pieces, outputs, asked, folded };
}

type Add = (name: string, node: Pick<Node, "name" | "op" | "place">, step: Step) => Live[];

/** An input as a value. */
function begin({ free, channelsLast: last }: Plot, input: PlotInput, batch: number, add: Add): Live {
  const { name, source, type, classes } = input;
  const dims = input.dims.map((length, axis) => {
    if (free && axis === 0) return batch;
    if (length !== undefined && length >= 1) return length;
    return failInput(source, `an axis ${axis} of ${length ?? "any"} length`);
  });
  const ref = name;
  const order = last && dims.length === 4 ? channelsLast(4) : inOrder(dims.length);
  const shape = order.map((axis) => dims[axis] as number);
  const live: Live = {
    kind: "live",
    ref,
    value: dryValue(free ? shape : [1, ...shape], classes),
    order,
    type,
    ...(classes !== undefined && { ids: true }),
  };
  if (free) return live;
  const whole: Live = { ...live, order: inOrder(shape.length + 1) };
  const [made] = add(
    "input",
    { name: source, op: "input", place: `the input "${source}"` },
    {
      ...{ takes: [whole], orders: [order], type },
      run: (scope, [value]) => view(scope, value as Value, shape),
    },
  ) as [Live];
  return made;
}

/** An output, in the order that is promised. */
function end(plot: Plot, live: Live, name: string, add: Add): Live {
  const node = { name, op: "output", place: `the output "${name}"` };
  const rank = live.order.length;
  const order = plot.channelsLast && rank === 4 ? channelsLast(4) : inOrder(rank);
  const isDone = plot.free && String(order) === String(live.order) && !live.ids;
  if (isDone) return live;
  return add(`${name}_out`, node, {
    ...{ takes: [live], orders: [plot.free ? order : inOrder(rank + 1)] },
    run(scope: Scope, [value]) {
      const y = arrange(scope, value as Value, live.order, order);
      return plot.free ? y : view(scope, y, [1, ...y.shape]);
    },
  })[0] as Live;
}
