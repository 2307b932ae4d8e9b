// Metrics -> what each leaves of outputs and targets, to be told beside the losses.

import { OptionError } from "../errors.ts";
import {
  checkedName,
  isValue,
  type Measure,
  type Metric,
  type MetricScope,
  type Scope,
  type Value,
  type Values,
} from "../op/layer.ts";
import type { Tensor } from "../op/tensor.ts";
import { isRecord } from "../option.ts";
import type { Made } from "./report.ts";
import { isLoss, isTerm, leave, type TermParts, unweighted } from "./term.ts";

export interface MetricParts extends TermParts {
  /** The model's, by name; one alone has none. */
  readonly outputs: Values | Value;
  readonly scope: Scope;
  /** What is told beside the loss, by name. */
  readonly metrics: { readonly [name: string]: Metric } | undefined;
}

/** Labels that do not count, by the target in which they may stand. */
type Ignoring = ReadonlyMap<Tensor, number | undefined>;

/** What metrics leave, of targets as functions are given them. */
export function measured(parts: MetricParts, targets: Values | Value, ignoring: Ignoring): Made[] {
  const ignored = (labels: Value): number | undefined => ignoring.get(parts.known("metrics", labels));
  const scope: MetricScope = { ...parts.scope, ignored };
  return Object.entries(parts.metrics ?? {}).map(([name, metric]) => {
    const place = `metrics: "${checkedName("", name)}"`;
    const { term, ...told } = measureOf(parts, place, applied(place, metric, parts.outputs, targets, scope));
    return { name, ...told, ...leave(parts, place, term, unweighted, false) };
  });
}

function applied(place: string, metric: Metric, outputs: Values | Value, targets: Values | Value, scope: MetricScope) {
  if (!isLoss(metric)) return metric(outputs, targets, scope) as unknown;
  if (isValue(outputs) && isValue(targets)) return metric.of(outputs, targets);
  throw new OptionError(
    `${place}: it is one loss, the outputs are ${Object.keys(outputs).join(", ")}, the targets ${Object.keys(targets).join(", ")}. Say of which: (output, target) => meanAbsoluteError().of(output.size, target.size).`,
  );
}

const isMeasure = (made: unknown): made is Measure => isRecord(made) && isTerm((made as Partial<Measure>).term);

function measureOf({ known }: TermParts, place: string, made: unknown): Measure {
  if (isTerm(made)) return { term: made, tells: "mean" };
  if (isMeasure(made)) return made;
  known(place, made);
  return { term: { values: made as Value }, tells: "mean" };
}
