// Metrics -> what each leaves of outputs and targets, to be told beside the losses.

import { OptionError } from "../errors.ts";
import {
  type Counts,
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
import type { Counted } from "./kept.ts";
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

/** What metrics leave, of targets as functions are given them; `counting`: also counts, of which steps in training make none. */
export function measured(parts: MetricParts, targets: Values | Value, ignoring: Ignoring, counting: boolean) {
  const made: Made[] = [];
  const counted: Counted[] = [];
  const ignored = (labels: Value): number | undefined => ignoring.get(parts.known("metrics", labels));
  const scope: MetricScope = { ...parts.scope, ignored };
  for (const [name, metric] of Object.entries(parts.metrics ?? {})) {
    const place = `metrics: "${checkedName("", name)}"`;
    const found = applied(place, metric, parts.outputs, targets, scope);
    if (isCounts(found)) {
      const { counts, matrix } = found;
      if (counting) counted.push({ name, matrix, counts: parts.known(place, counts()) });
      continue;
    }
    const { term, ...told } = measureOf(parts, place, found);
    made.push({ name, ...told, ...leave(parts, place, term, unweighted, false) });
  }
  return { made, counted };
}

function applied(place: string, metric: Metric, outputs: Values | Value, targets: Values | Value, scope: MetricScope) {
  if (!isLoss(metric)) return metric(outputs, targets, scope) as unknown;
  if (isValue(outputs) && isValue(targets)) return metric.of(outputs, targets);
  throw new OptionError(
    `${place}: it is one loss, the outputs are ${Object.keys(outputs).join(", ")}, the targets ${Object.keys(targets).join(", ")}. Say of which: (output, target) => meanAbsoluteError().of(output.size, target.size).`,
  );
}

const isCounts = (made: unknown): made is Counts =>
  isRecord(made) && typeof (made as Partial<Counts>).counts === "function";

const isMeasure = (made: unknown): made is Measure => isRecord(made) && isTerm((made as Partial<Measure>).term);

function measureOf({ known }: TermParts, place: string, made: unknown): Measure {
  if (isTerm(made)) return { term: made, tells: "mean" };
  if (isMeasure(made)) return made;
  known(place, made);
  return { term: { values: made as Value }, tells: "mean" };
}
