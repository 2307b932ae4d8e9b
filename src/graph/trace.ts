// Model -> forward graph: lets every layer apply itself once to values that only have a shape.

import { NameError, OptionError, ShapeError } from "../errors.ts";
import { type Initializer, initializer } from "../initializer.ts";
import { draw } from "../op/draw.ts";
import {
  applied,
  checkedName,
  isValue,
  type Metric,
  type Model,
  type Objective,
  placeOf,
  type Scope,
  type Value,
  type Values,
  wholeNumber,
} from "../op/layer.ts";
import type { Op } from "../op/op.ts";
import type { Tensor, Tensors } from "../op/tensor.ts";
import { checkList, checkName, shown } from "../option.ts";
import { hashOf } from "../random.ts";
import { type Base, checkBase, inBase } from "./base.ts";
import { createFeeds } from "./feed.ts";
import { addTensor, emit, type Graph, tensorAt } from "./graph.ts";
import { checkedNumbers } from "./loss-check.ts";
import { type TracedObjective, traceObjective } from "./objective.ts";
import { checkedRequest } from "./request.ts";
import type { DataFormat, Stream, Streams } from "./stream.ts";

/** A tensor of the model that lives on: a weight, trained or of the base, or a state. */
export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  readonly initializer: Initializer;
  /** Path of the layer that owns it. */
  readonly layer: string;
}

export interface Trace {
  readonly graph: Graph;
  readonly parameters: readonly Parameter[];
  /** Id of each parameter's tensor, in the order of `parameters`. */
  readonly parameterIds: readonly number[];
  readonly states: readonly Parameter[];
  readonly stateIds: readonly number[];
  /** For each state that this graph moves, by tensor id: what it becomes. */
  readonly commits: ReadonlyMap<number, Tensor>;
  /** Paths of the random numbers. */
  readonly draws: readonly string[];
  /** What the model gives, by name; one output alone has the empty name. */
  readonly outputs: readonly { readonly name: string; readonly id: number }[];
  /** Each use of a layer, those within it first. */
  readonly layers: readonly { readonly path: string; readonly kind: string; readonly output: number }[];
  readonly streams: Streams;
  /** Numbers that are the same in each step, by the names of their data. */
  readonly constants: ReadonlyMap<string, Float32Array<ArrayBuffer>>;
  /** What the losses leave; absent in a graph that only predicts. */
  readonly objective?: Pick<TracedObjective, "losses" | "labels" | "reports" | "matrices">;
}

export interface TraceOptions {
  readonly inputs: readonly Stream[];
  readonly batch: number;
  readonly format: DataFormat;
  readonly loss: Objective;
  /** What targets of a loss function are, where they are not as outputs are. */
  readonly targets?: readonly Stream[] | undefined;
  /** What is told beside the loss, by name. */
  readonly metrics?: { readonly [name: string]: Metric } | undefined;
  /** Layers of the trainer, behind whose alarms reports stand, and how many there may be of these in a step. */
  readonly rateLayers?: number;
  readonly mostReports?: number;
  /** Words of counts that there is room for. */
  readonly mostCounts?: number;
  /** Whether an evaluation tells the loss of each sample. */
  readonly perSample?: boolean;
  /** `train` has the loss's gradient, `evaluate` the loss alone, `predict` neither; `features` is a prediction as training makes it. */
  readonly mode: "train" | "evaluate" | "predict" | "features";
  /** Names of tensors that are frozen. */
  readonly frozen?: ReadonlySet<string>;
  /** Weights that never train. */
  readonly base?: Base | undefined;
  /** All paths of random numbers, in the order in which the device knows them. Default: those of this trace. */
  readonly draws?: readonly string[];
}

/** Traces a model. Throws ShapeError and the like with the path of the layer that does not fit. */
export function trace(model: Model, options: TraceOptions): Trace {
  const graph: Graph = { tensors: [], nodes: [] };
  const parameters = new Map<string, Owned>();
  const states = new Map<string, Owned>();
  const commits = new Map<number, Tensor>();
  const draws: string[] = [];
  const layers: { path: string; kind: string; output: number }[] = [];
  const { inputs, batch, loss, mode, format, frozen = new Set() } = options;
  const reported: { name: string; values: Tensor }[] = [];
  const isBase = inBase(options.base);
  const trains = mode === "train" || mode === "features";

  /** The tensor behind a value, which must be of this very trace. */
  const known = (place: string, given: unknown): Tensor => {
    const value = given as Value | undefined;
    const tensor = graph.tensors[value?.id as number];
    if (tensor !== undefined && tensor === value) return tensor;
    throw new OptionError(
      `${place}: ${value?.shape === undefined ? `${shown(value)} is no value` : "a value comes from another model or from an earlier call"}. Give what this call of apply was given, or what its scope gave.`,
    );
  };

  /** A tensor of the model; asking twice for one name gives the same. */
  function kept(
    path: string,
    role: "parameter" | "state",
    name: string,
    shape: readonly number[],
    start: Start,
  ): Tensor {
    const place = placeOf(path);
    const full = joined(path, checkedName(path, name));
    checkShape(place, name, shape);
    const [own, others] = role === "parameter" ? [parameters, states] : [states, parameters];
    if (others.has(full)) {
      throw new NameError(`${place}: "${name}" is a parameter and a state. Give the two different names.`);
    }
    const before = own.get(full);
    if (before !== undefined) {
      if (String(before.parameter.shape) === String(shape)) return tensorAt(graph, before.id);
      throw new ShapeError(
        `${place}: it is used twice, with "${name}" as [${before.parameter.shape}] and as [${shape}]. Give the two uses different names, or inputs of one shape.`,
      );
    }
    const parameter = { name: full, shape: [...shape], initializer: initializer(place, start), layer: path };
    const home = role === "parameter" && isBase(full) ? "base" : role;
    const tensor = addTensor(graph, { name: full, shape: parameter.shape, dtype: "f32", role: home });
    own.set(full, { parameter, id: tensor.id });
    return tensor;
  }

  const scopeAt = (path: string): Scope => ({
    path,
    child: (name) => scopeAt(joined(path, checkedName(path, name))),
    parameter: (name, shape, start) => kept(path, "parameter", name, shape, start),
    get mode() {
      const own = [...parameters.values()].filter(({ parameter }) => parameter.layer === path);
      const rests = own.length > 0 && own.every(({ parameter: { name } }) => frozen.has(name) || isBase(name));
      return trains && !rests ? "train" : "predict";
    },
    // A layer that is used again goes on from what its use before has made of the state.
    state(name, shape, start) {
      const tensor = kept(path, "state", name, shape, start);
      return commits.get(tensor.id) ?? tensor;
    },
    commit(state, next) {
      const place = placeOf(path);
      const [before, after] = [known(place, state), known(place, next)];
      const id = before.role === "state" ? before.id : [...commits].find(([, made]) => made === before)?.[0];
      if (id === undefined) throw new OptionError(`${place}: "${before.name}" is no state. Commit what state() gave.`);
      if (String(before.shape) !== String(after.shape)) {
        throw new ShapeError(
          `${place}: state "${before.name}" is [${before.shape}], what it is to become is [${after.shape}]. Give equal shapes.`,
        );
      }
      if (mode === "train") commits.set(id, after);
    },
    draw(name, kind, shape) {
      const place = placeOf(path);
      const full = joined(path, checkedName(path, name));
      checkShape(place, name, shape);
      checkName(place, "the kind of random numbers", kind, ["uniform", "normal"]);
      // A layer that is used again draws others.
      const uses = draws.filter((other) => other === full || other.startsWith(`${full} `)).length;
      const own = uses === 0 ? full : `${full} ${uses + 1}`;
      draws.push(own);
      const index = (options.draws ?? draws).indexOf(own);
      if (index < 0)
        throw new OptionError(`${place}: "${name}" is not drawn in training. Draw there too, or there alone.`);
      return emit(graph, draw, {}, { shape: [...shape], kind, index }, path).y;
    },
    op(op, inputs, attributes = {}) {
      const checked = checkedRequest(path, op as Op, inputs, attributes, known);
      return emit(graph, op, checked.tensors as typeof inputs & Tensors, checked.attributes, path);
    },
    report(name, values) {
      const place = placeOf(path);
      reported.push({ name: joined(path, checkedName(path, name)), values: known(place, values) });
    },
    made: (kind, { id }) => layers.push({ path, kind, output: id }),
  });

  const constants = new Map<string, Float32Array<ArrayBuffer>>();
  /** Named by what it holds, so that equal commands read equal numbers. */
  function constant(name: string, values: readonly number[]): Tensor {
    const full = `data.${name}.${hashOf(JSON.stringify(values)).join("-")}`;
    constants.set(full, Float32Array.from(values));
    const found = graph.tensors.find((tensor) => tensor.role === "data" && tensor.name === full);
    return found ?? addTensor(graph, { name: full, shape: [values.length], dtype: "f32", role: "data" });
  }

  const feed = createFeeds(graph, options);
  const xs = inputs.map((stream) => [stream.name, feed.gathered("x", stream)] as const);
  const only = xs.length === 1 && xs[0]?.[0] === "" ? xs[0][1] : undefined;
  const made: unknown = applied(model, scopeAt(""), only ?? Object.fromEntries(xs));
  const named = isValue(made) ? [["", made] as const] : Object.entries(made as Values);
  const outputOf = (place: string, value: unknown): number => checkedNumbers(place, known(place, value)).id;
  const outputs = named.map(([name, value]) => ({
    name,
    id: outputOf(name === "" ? "model: its output" : `model: its output "${name}"`, value),
  }));
  const objective =
    mode === "predict" || mode === "features"
      ? undefined
      : traceObjective({
          ...{
            graph,
            batch,
            format,
            reported,
            known,
            objective: loss,
            targets: options.targets,
            metrics: options.metrics,
          },
          outputs: made as Value | Values,
          gradient: mode === "train",
          layers: options.rateLayers ?? 0,
          ...{ room: options.mostReports, counts: options.mostCounts, perSample: options.perSample === true },
          scope: scopeAt(""),
          ...{ gathered: feed.gathered, constant },
        });
  const owned = [...parameters.values()];
  if (owned.length === 0)
    throw new OptionError("model: no layer has weights, so there is nothing to train. Add a dense() or conv2d().");
  if (options.base !== undefined)
    checkBase(
      options.base,
      owned.map(({ parameter }) => parameter),
    );
  feed.begin(outputs.map(({ id }) => id));
  return {
    graph,
    parameters: owned.map(({ parameter }) => parameter),
    parameterIds: owned.map(({ id }) => id),
    states: [...states.values()].map(({ parameter }) => parameter),
    stateIds: [...states.values()].map(({ id }) => id),
    ...{ commits, draws, outputs, layers, constants },
    streams: { inputs, targets: objective?.targets ?? [], weights: objective?.weights ?? [] },
    ...(objective && { objective }),
  };
}

type Start = Parameters<Scope["parameter"]>[2];

interface Owned {
  readonly parameter: Parameter;
  readonly id: number;
}

function checkShape(place: string, name: string, shape: readonly number[]): void {
  checkList(place, `the shape of "${name}"`, shape);
  for (const length of shape) wholeNumber(place, `a length of "${name}"`, length);
}

const joined = (path: string, name: string): string => (path === "" ? name : `${path}.${name}`);
