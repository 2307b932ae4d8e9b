// Model -> forward graph: lets every layer apply itself once to values that only have a shape.

import { NameError, OptionError, ShapeError } from "../errors.ts";
import { type Initializer, initializer } from "../initializer.ts";
import { draw } from "../op/draw.ts";
import { gather } from "../op/gather.ts";
import {
  applied,
  checkedName,
  type Layer,
  type Loss,
  placeOf,
  type Scope,
  type Value,
  wholeNumber,
} from "../op/layer.ts";
import { metrics } from "../op/metrics.ts";
import type { Op } from "../op/op.ts";
import { size, type Tensor, type Tensors } from "../op/tensor.ts";
import { checkList, checkName, shown } from "../option.ts";
import { checkBase, inBase } from "./base.ts";
import { addTensor, emit, type Graph, tensorAt } from "./graph.ts";
import { checkedRequest } from "./request.ts";

/** A tensor of the model that lives on: a weight, trained or of the base, or a state. */
export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  readonly initializer: Initializer;
  /** Path of the layer that owns it. */
  readonly layer: string;
}

/** How a data set is stored on the GPU. */
export interface DataFormat {
  readonly bytes: boolean;
  /**
   * Numbers of a sample after which scales and shifts repeat, a multiple of 4: every value v of x enters the model as
   * v * scale + shift. They are data of the step. 0 where x enters as it is.
   */
  readonly period: number;
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
  readonly prediction: number;
  /** Each use of a layer, those within it first. */
  readonly layers: readonly { readonly path: string; readonly kind: string; readonly output: number }[];
  /** Id of the loss rows; absent in a graph that only predicts. */
  readonly loss?: number;
}

export interface TraceOptions {
  /** Shape of one sample. */
  readonly input: readonly number[];
  readonly batch: number;
  readonly format: DataFormat;
  readonly loss: Loss;
  /** `train` has the loss's gradient, `evaluate` the loss alone, `predict` neither; `features` is a prediction as training makes it. */
  readonly mode: "train" | "evaluate" | "predict" | "features";
  /** Names of tensors that are frozen. */
  readonly frozen?: ReadonlySet<string>;
  /** A pattern for the weights that never train. */
  readonly base?: string | undefined;
  /** All paths of random numbers, in the order in which the device knows them. Default: those of this trace. */
  readonly draws?: readonly string[];
}

/** Traces a model. Throws ShapeError and the like with the path of the layer that does not fit. */
export function trace(model: Layer, options: TraceOptions): Trace {
  const graph: Graph = { tensors: [], nodes: [] };
  const parameters = new Map<string, Owned>();
  const states = new Map<string, Owned>();
  const commits = new Map<number, Tensor>();
  const draws: string[] = [];
  const layers: { path: string; kind: string; output: number }[] = [];
  const { input, batch, loss, mode, format, frozen = new Set() } = options;
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
    made: (kind, { id }) => layers.push({ path, kind, output: id }),
  });

  const data = (name: string, dtype: "f32" | "u32") => addTensor(graph, { name, shape: [1], dtype, role: "data" });
  const isPrediction = mode === "predict" || mode === "features";
  const outputShape = isPrediction ? [batch, 1] : predictionShape(model, options);
  const { x, y } = emit(
    graph,
    gather,
    {
      data_x: data("data.x", "u32"),
      data_y: data("data.y", "u32"),
      data_order: data("data.order", "u32"),
      data_norm: data("data.norm", "f32"),
    },
    {
      input: [batch, ...input],
      target: loss.integerTarget ? [batch] : outputShape,
      integerTarget: loss.integerTarget,
      targets: !isPrediction,
      bytes: format.bytes,
      period: format.period,
    },
  );

  const prediction = known("model: its output", applied(model, scopeAt(""), x));
  const owned = [...parameters.values()];
  const result = {
    graph,
    parameters: owned.map(({ parameter }) => parameter),
    parameterIds: owned.map(({ id }) => id),
    states: [...states.values()].map(({ parameter }) => parameter),
    stateIds: [...states.values()].map(({ id }) => id),
    ...{ commits, draws },
    prediction: prediction.id,
    layers,
  };
  if (owned.length === 0)
    throw new OptionError("model: no layer has weights, so there is nothing to train. Add a dense() or conv2d().");
  if (options.base !== undefined) checkBase(options.base, result.parameters);
  if (isPrediction) return result;

  checkPrediction(loss, prediction.shape, batch);
  const { rows } = emit(graph, loss.op, { prediction, target: y }, { gradient: mode === "train" });
  emit(graph, metrics, { rows });
  return { ...result, loss: rows.id };
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

/** The shape that comes out of a model, [B, ...]. */
export function predictionShape(model: Layer, options: TraceOptions): readonly number[] {
  const { graph, prediction } = trace(model, { ...options, mode: "predict" });
  return tensorAt(graph, prediction).shape;
}

function checkPrediction(loss: Loss, shape: readonly number[], batch: number): void {
  if (shape[0] !== batch) {
    throw new ShapeError(
      `model: it ends in shape [${shape}], but a batch has ${batch} samples. Keep the first axis as it is.`,
    );
  }
  if (loss.integerTarget && shape.length !== 2) {
    throw new ShapeError(
      `crossEntropy: the model ends in shape [${shape}], it must be [batch, classes]. End the model with flatten() and dense(classes).`,
    );
  }
  if (loss.integerTarget && (shape[1] as number) < 2) {
    throw new ShapeError(
      "crossEntropy: the model ends in 1 class, it needs at least 2. Use meanSquaredError() for a single number.",
    );
  }
  if (size(shape) === 0) throw new ShapeError(`model: its output has the empty shape [${shape}].`);
}
