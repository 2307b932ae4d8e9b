// Outputs -> losses: the targets and weights that they ask for, and a node for each that leaves its rows and begins the way back.

import { OptionError, ShapeError } from "../errors.ts";
import { meanOf } from "../op/element-loss.ts";
import {
  checkedName,
  isValue,
  type Loss,
  type Metric,
  type Objective,
  type Scope,
  type Term,
  type Value,
  type Values,
  type Weighting,
} from "../op/layer.ts";
import { type LossAttributes, type LossOp, weighting } from "../op/loss.ts";
import type { ClassesAttributes } from "../op/softmax-cross-entropy.ts";
import { size, type Tensor, type Tensors } from "../op/tensor.ts";
import { weigh, weighClasses } from "../op/weigh.ts";
import { checkKeys, isRecord, resolved, shown } from "../option.ts";
import { emit, type Graph } from "./graph.ts";
import { checkClasses, checkedNumbers, checkPrediction, checkRows, checkWeights } from "./loss-check.ts";
import { type Made, measure, type Report, type Room } from "./report.ts";
import type { DataFormat, Stream, WeightStream } from "./stream.ts";

export interface ObjectiveParts extends Room {
  readonly graph: Graph;
  readonly objective: Objective;
  /** The model's, by name; one alone has none. */
  readonly outputs: Values | Value;
  readonly batch: number;
  readonly format: DataFormat;
  readonly gradient: boolean;
  /** What targets of a loss function are, where they are not as outputs are. */
  readonly targets: readonly Stream[] | undefined;
  readonly scope: Scope;
  /** What is told beside the loss, by name. */
  readonly metrics: { readonly [name: string]: Metric } | undefined;
  /** What layers have reported. */
  readonly reported: readonly { readonly name: string; readonly values: Tensor }[];
  readonly known: (place: string, value: unknown) => Tensor;
  /** A stream of the data, gathered: targets and weights. */
  readonly gathered: (kind: "y" | "weight", stream: Stream) => Tensor;
  /** Numbers that are the same in each step. */
  readonly constant: (name: string, values: readonly number[]) => Tensor;
}

export interface TracedObjective {
  /** Ids of the losses' rows. */
  readonly losses: readonly number[];
  readonly targets: readonly Stream[];
  readonly weights: readonly WeightStream[];
  /** Labels of a sample, over all losses. */
  readonly labels: number;
  readonly reports: readonly Report[];
}

/** Adds losses and metrics to a graph. Throws OptionError and ShapeError where they do not fit what the model gives. */
export function traceObjective(parts: ObjectiveParts): TracedObjective {
  const { graph, batch, format, gradient, known, gathered, reported, constant } = parts;
  const targets = new Map<Tensor, Stream>();
  const target = (stream: Stream): Tensor => {
    const made = gathered("y", stream);
    targets.set(made, stream);
    return made;
  };
  const terms = termsOf(parts, target);
  const ignoring = ignoredLabels(terms, known);
  const weights: WeightStream[] = [];
  const rowsOf = (op: LossOp, inputs: LossInputs, attributes: LossAttributes): Tensor =>
    emit(graph, op, inputs as Required<LossInputs>, attributes).rows;
  /** The weights of a term: its own, or those of the data. */
  function weightsOf(place: string, { name, term }: NamedTerm, values: readonly number[], signed: boolean) {
    if (term.weights !== undefined) return known(place, term.weights);
    weights.push({ name, values: values.slice(1), signed });
    const shape = format.weights.find((one) => one.name === name)?.shape;
    return shape && gathered("weight", { name, shape });
  }
  const made = terms.map((one): Made => {
    const { name, term } = one;
    const place = name === "" ? "loss" : `loss "${name}"`;
    const { loss, prediction, values, labels } = lossOf(place, term, known);
    const { weight: factor = 1, reduction = "mean" } = loss ?? (term as Weighting);
    checkRows(place, values, batch);
    const counted = reduction === "count";
    const given = weightsOf(place, one, values, counted);
    checkWeights(place, given, values);
    const target = "target" in term ? known(place, term.target) : undefined;
    // The share of a sample is a mean, of which a sum has as many as there are values.
    const share = loss?.summed === true ? factor * size(values.slice(1)) : factor;
    const weighing = { values: size(values), factor: share, counted };
    const { attributes = {}, classWeights } = loss ?? {};
    const { soft, ignored } = attributes as ClassesAttributes;
    const counts = loss && classesOf(loss, prediction.shape.at(-1) as number);
    const classes = counts && constant("classes", counts);
    const ofRows = { target, classes, weights: given } as Tensors<"target" | "classes" | "weights">;
    const { scales } =
      classes !== undefined
        ? emit(graph, weighClasses, ofRows, { ...weighing, soft, ignored })
        : given !== undefined
          ? emit(graph, weigh, { weights: given }, weighing)
          : {};
    const own = share === 1 || scales !== undefined ? {} : { factor: share };
    const inputs = {
      prediction,
      ...(target && { target }),
      ...(scales && { scales }),
      ...(classWeights && classes && { classes }),
    };
    return { name, labels, rows: rowsOf(loss?.op ?? meanOf, inputs, { ...attributes, gradient, ...own }) };
  });
  const told = Object.entries(parts.metrics ?? {}).map(([name, metric]) => {
    const values: unknown = metric(parts.outputs, targetsOf(targets), parts.scope);
    return { name: checkedName("", name), values: known(`metrics: "${name}"`, values) };
  });
  const extra = [...reported, ...told].map(({ name, values }): Made => {
    checkRows(`report "${name}"`, checkedNumbers(`report "${name}"`, values).shape, batch);
    return { name, labels: 0, rows: rowsOf(meanOf, { prediction: values }, { gradient: false }) };
  });
  return {
    losses: made.map(({ rows }) => rows.id),
    targets: [...targets].map(([made, stream]) => {
      const ignored = ignoring.get(made);
      return ignored === undefined ? stream : { ...stream, ignored };
    }),
    weights,
    labels: made.reduce((sum, one) => sum + one.labels, 0),
    reports: measure(graph, parts, made, extra),
  };
}

/** Targets as functions are given them: one value, or values by name. */
function targetsOf(targets: ReadonlyMap<Tensor, Stream>): Values | Value {
  const all = [...targets].map(([made, { name }]) => [name, made] as const);
  return all.length === 1 && all[0]?.[0] === "" ? all[0][1] : Object.fromEntries(all);
}

interface NamedTerm {
  readonly name: string;
  readonly term: Term;
}

interface LossInputs {
  readonly prediction: Tensor;
  readonly target?: Tensor;
  readonly scales?: Tensor;
  readonly classes?: Tensor;
}

/** What each class counts, where that must be known of each row before the loss is. */
const classesOf = ({ classWeights, ignoreIndex }: Loss, classes: number): readonly number[] | undefined =>
  classWeights ?? (ignoreIndex === undefined ? undefined : new Array<number>(classes).fill(1));

/** Labels that do not count, by the target in which they may stand. */
function ignoredLabels(terms: readonly NamedTerm[], known: ObjectiveParts["known"]): Map<Tensor, number | undefined> {
  const found = new Map<Tensor, number | undefined>();
  for (const { name, term } of terms) {
    if (!("target" in term)) continue;
    const place = name === "" ? "loss" : `loss "${name}"`;
    const target = known(place, term.target);
    const { ignoreIndex } = term.loss;
    if (found.has(target) && found.get(target) !== ignoreIndex) {
      throw new OptionError(
        `${place}: its ignoreIndex is ${ignoreIndex}, another loss of the same target has ${found.get(target)}. Give both the same.`,
      );
    }
    found.set(target, ignoreIndex);
  }
  return found;
}

/** The terms of an objective by name. */
function termsOf(parts: ObjectiveParts, target: (stream: Stream) => Tensor): NamedTerm[] {
  const { objective, outputs, scope } = parts;
  const named = isValue(outputs) ? undefined : outputs;
  const listed = named === undefined ? "one output" : `the outputs ${Object.keys(named).join(", ")}`;
  if (typeof objective === "function") {
    const streams =
      parts.targets ??
      Object.entries(named ?? { "": outputs as Value }).map(([name, { shape }]) => ({ name, shape: shape.slice(1) }));
    const targets = targetsOf(new Map(streams.map((stream) => [target(stream), stream])));
    const made: unknown = objective(outputs, targets, scope);
    if (isTerm(made)) return [{ name: "", term: made }];
    const entries = isRecord(made) ? Object.entries(made as Readonly<Record<string, unknown>>) : [];
    if (entries.length > 0 && entries.every(([, term]) => isTerm(term)))
      return entries.map(([name, term]) => ({ name: checkedName("", name), term: term as Term }));
    throw new OptionError(
      `loss: its function returned ${shown(made)}. Return { values }, what crossEntropy().of(output, target) gives, or several of these by name.`,
    );
  }
  const isOne = isLoss(objective);
  if (isOne !== (named === undefined)) {
    throw new OptionError(
      `loss: it is ${isOne ? "one loss" : "losses by name"}, the model gives ${listed}. Give ${isOne ? "{ name: loss } with each output's name" : "one loss"}.`,
    );
  }
  const losses: readonly (readonly [string, Loss])[] = isOne ? [["", objective]] : Object.entries(objective);
  return losses.map(([name, loss]) => {
    const output = named === undefined ? (outputs as Value) : named[name];
    if (output === undefined) throw new OptionError(`loss: there is no output "${name}", the model gives ${listed}.`);
    checkPrediction(name === "" ? "" : `output "${name}": `, loss, output.shape, parts.batch);
    const shape = output.shape.slice(1, loss.integerTarget ? -1 : undefined);
    const classes = loss.integerTarget ? (output.shape.at(-1) as number) : undefined;
    return { name, term: { loss, output, target: target({ name, shape, classes }) } };
  });
}

export const isLoss = (given: unknown): given is Loss => isRecord(given) && isRecord((given as Partial<Loss>).op);

const isTerm = (given: unknown): given is Term =>
  isRecord(given) && (isValue((given as { values?: unknown }).values) || isLoss((given as { loss?: unknown }).loss));

/** What the op of a term is asked for: the prediction, the shape of the values, and how many labels a sample has. */
function lossOf(place: string, term: Term, known: ObjectiveParts["known"]) {
  if ("values" in term) {
    checkKeys(place, "a term", term, ["values", "weights", "weight", "reduction"]);
    const { weight, reduction } = term;
    resolved(
      place,
      { ...(weight !== undefined && { weight }), ...(reduction !== undefined && { reduction }) },
      weighting,
    );
    const prediction = checkedNumbers(place, known(place, term.values));
    return { loss: undefined, prediction, values: prediction.shape, labels: 0 };
  }
  const { loss, output, target } = term;
  const prediction = checkedNumbers(place, known(place, output));
  checkClasses(place, loss, prediction.shape);
  const values = loss.byRow ? prediction.shape.slice(0, -1) : prediction.shape;
  const asked = loss.integerTarget ? values : prediction.shape;
  const { shape, dtype, classes = 0 } = known(place, target);
  const most = prediction.shape.at(-1) as number;
  if (loss.integerTarget && classes > most) {
    throw new ShapeError(
      `${place}: its target has classes 0 to ${classes - 1}, the output ${most} logits. Give as many.`,
    );
  }
  if (String(shape) !== String(asked) || (dtype === "u32") !== loss.integerTarget) {
    throw new ShapeError(
      `${place}: its target is [${shape}] of ${dtype}, the output [${prediction.shape}] asks for [${asked}] of ${loss.integerTarget ? "u32" : "f32"}. Tell compile what the targets are: { target: { shape, classes } }.`,
    );
  }
  return { loss, prediction, values, labels: loss.hasHits ? size(values.slice(1)) : 0 };
}
