// Outputs -> losses: the targets and weights that they ask for, what each leaves, and the metrics beside them.

import { OptionError } from "../errors.ts";
import { checkedName, isValue, type Loss, type Objective, type Term, type Value, type Values } from "../op/layer.ts";
import type { Tensor } from "../op/tensor.ts";
import { isRecord, shown } from "../option.ts";
import { keepCounts, keepLosses, type Matrix } from "./kept.ts";
import { checkPrediction } from "./loss-check.ts";
import { type MetricParts, measured } from "./metric.ts";
import { type Made, measure, type Report, type Room } from "./report.ts";
import type { DataFormat, Stream, WeightStream } from "./stream.ts";
import { isLoss, isTerm, leave, unweighted } from "./term.ts";

export interface ObjectiveParts extends Room, MetricParts {
  readonly objective: Objective;
  readonly format: DataFormat;
  readonly gradient: boolean;
  /** Whether the loss of each sample is told. */
  readonly perSample: boolean;
  /** What targets of a loss function are, where they are not as outputs are. */
  readonly targets: readonly Stream[] | undefined;
  /** What layers have reported. */
  readonly reported: readonly { readonly name: string; readonly values: Tensor }[];
  /** A stream of the data, gathered: targets and weights. */
  readonly gathered: (kind: "y" | "weight", stream: Stream) => Tensor;
}

export interface TracedObjective {
  /** Ids of the losses' rows. */
  readonly losses: readonly number[];
  readonly targets: readonly Stream[];
  readonly weights: readonly WeightStream[];
  /** Labels of a sample, over all losses. */
  readonly labels: number;
  readonly reports: readonly Report[];
  readonly matrices: readonly Matrix[];
}

/** Adds losses and metrics to a graph. Throws OptionError and ShapeError where they do not fit what the model gives. */
export function traceObjective(parts: ObjectiveParts): TracedObjective {
  const { graph, format, gradient, known, gathered, reported } = parts;
  const targets = new Map<Tensor, Stream>();
  const target = (stream: Stream): Tensor => {
    const made = gathered("y", stream);
    targets.set(made, stream);
    return made;
  };
  const terms = termsOf(parts, target);
  const ignoring = ignoredLabels(terms, known);
  const weights: WeightStream[] = [];
  const weightsOf =
    (name: string) =>
    (values: readonly number[], signed: boolean): Tensor | undefined => {
      weights.push({ name, values: values.slice(1), signed });
      const shape = format.weights.find((one) => one.name === name)?.shape;
      return shape && gathered("weight", { name, shape });
    };
  const made = terms.map(({ name, term }): Made => {
    const place = name === "" ? "loss" : `loss "${name}"`;
    return { name, tells: "loss", ...leave(parts, place, term, weightsOf(name), gradient) };
  });
  const metrics = measured(parts, targetsOf(targets), ignoring, !gradient);
  const extra = [
    ...reported.map(({ name, values }): Made => {
      const left = leave(parts, `report "${name}"`, { values }, unweighted, false);
      return { name, tells: "mean", ...left };
    }),
    ...metrics.made,
  ];
  const reports = measure(graph, parts, made, extra);
  const behind = { layers: parts.layers, reports: parts.room ?? reports.length };
  const matrices = keepCounts(graph, behind, metrics.counted);
  const words = parts.counts ?? matrices.reduce((sum, { words }) => sum + words, 0);
  const rows = made.map(({ rows }) => rows);
  if (parts.perSample) keepLosses(graph, { ...behind, counts: words }, rows, parts.batch);
  return {
    losses: rows.map(({ id }) => id),
    targets: [...targets].map(([made, stream]) => {
      const ignored = ignoring.get(made);
      return ignored === undefined ? stream : { ...stream, ignored };
    }),
    weights,
    labels: made.reduce((sum, one) => sum + one.labels, 0),
    ...{ reports, matrices },
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
