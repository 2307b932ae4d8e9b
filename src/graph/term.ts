// A term, of a loss or of a metric -> the rows that it leaves: what each part of a sample adds, and its hits.

import { ShapeError } from "../errors.ts";
import { meanOf } from "../op/element-loss.ts";
import { isValue, type Loss, type Term, type Weighting } from "../op/layer.ts";
import { type LossAttributes, type LossOp, weighting } from "../op/loss.ts";
import type { ClassesAttributes } from "../op/softmax-cross-entropy.ts";
import { size, type Tensor, type Tensors } from "../op/tensor.ts";
import { weigh, weighClasses } from "../op/weigh.ts";
import { checkKeys, isRecord, resolved } from "../option.ts";
import { emit, type Graph } from "./graph.ts";
import { checkClasses, checkedNumbers, checkRows, checkWeights } from "./loss-check.ts";

export interface TermParts {
  readonly graph: Graph;
  readonly batch: number;
  readonly known: (place: string, value: unknown) => Tensor;
  /** Numbers that are the same in each step. */
  readonly constant: (name: string, values: readonly number[]) => Tensor;
}

/** What a term leaves. */
export interface Left {
  readonly rows: Tensor;
  /** Labels of a sample, of which some are hit; 0 where there are none. */
  readonly labels: number;
}

/** The weights of values in this shape, where there are any and the term has none; `signed`: they may be below 0. */
type WeightsOf = (values: readonly number[], signed: boolean) => Tensor | undefined;

export const unweighted: WeightsOf = () => undefined;

export const isLoss = (given: unknown): given is Loss => isRecord(given) && isRecord((given as Partial<Loss>).op);

export const isTerm = (given: unknown): given is Term =>
  isRecord(given) && (isValue((given as { values?: unknown }).values) || isLoss((given as { loss?: unknown }).loss));

/** Adds a term to the graph; where `gradient` is asked for, its node begins the way back. */
export function leave(parts: TermParts, place: string, term: Term, weightsOf: WeightsOf, gradient: boolean): Left {
  const { graph, batch, known, constant } = parts;
  const { loss, prediction, values, labels } = lossOf(place, term, known);
  const { weight: factor = 1, reduction = "mean" } = loss ?? (term as Weighting);
  checkRows(place, values, batch);
  const counted = reduction === "count";
  const given = term.weights === undefined ? weightsOf(values, counted) : known(place, term.weights);
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
  const inputs: Partial<Tensors<"prediction" | "target" | "scales" | "classes">> = {
    prediction,
    ...(target && { target }),
    ...(scales && { scales }),
    ...(classWeights && classes && { classes }),
  };
  const op: LossOp = loss?.op ?? meanOf;
  const asked: LossAttributes = { ...attributes, gradient, ...own };
  return { labels, rows: emit(graph, op, inputs as Required<typeof inputs>, asked).rows };
}

/** What each class counts, where that must be known of each row before the loss is. */
const classesOf = ({ classWeights, ignoreIndex }: Loss, classes: number): readonly number[] | undefined =>
  classWeights ?? (ignoreIndex === undefined ? undefined : new Array<number>(classes).fill(1));

/** What the op of a term is asked for: the prediction, the shape of the values, and how many labels a sample has. */
function lossOf(place: string, term: Term, known: TermParts["known"]) {
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
