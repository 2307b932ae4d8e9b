// Which classes are taken for which: counts of a batch, and what they say of each class.

import source from "../../shaders/confusion.wgsl?raw";
import step from "../../shaders/parts/step.wgsl?raw";
import { threads } from "./kernel.ts";
import { defineOp, type Kernel } from "./op.ts";
import { checkCount, given, perhaps } from "./request.ts";
import { size } from "./tensor.ts";

/** How often samples of each class were told to be of each, and what follows from it. */
export interface ConfusionMatrix {
  /** [label][prediction], as in scikit-learn and TensorFlow: row l has what was told of samples of class l. */
  readonly counts: readonly (readonly number[])[];
  /** Of all that was told to be of a class the part that is, by class. */
  readonly precision: readonly number[];
  /** Of all that is of a class the part that was told to be, by class. */
  readonly recall: readonly number[];
  /** 2 precision recall / (precision + recall), by class. */
  readonly f1: readonly number[];
  /** The mean over all classes of each. */
  readonly macro: { readonly precision: number; readonly recall: number; readonly f1: number };
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** What counts [C, C] say. 0 where there is nothing to divide by. */
export function confusionOf(flat: ArrayLike<number>): ConfusionMatrix {
  const classes = Math.sqrt(flat.length);
  const counts = Array.from({ length: classes }, (_, l) =>
    Array.from({ length: classes }, (_, p) => flat[l * classes + p] as number),
  );
  const part = (right: number, all: number): number => (all === 0 ? 0 : right / all);
  const right = counts.map((row, i) => row[i] as number);
  const labelled = counts.map(sum);
  const told = counts.map((_, p) => sum(counts.map((row) => row[p] as number)));
  const precision = right.map((hits, i) => part(hits, told[i] as number));
  const recall = right.map((hits, i) => part(hits, labelled[i] as number));
  const f1 = right.map((hits, i) => part(2 * hits, (told[i] as number) + (labelled[i] as number)));
  const mean = (values: readonly number[]): number => sum(values) / classes;
  return { counts, precision, recall, f1, macro: { precision: mean(precision), recall: mean(recall), f1: mean(f1) } };
}

type ConfusionAttributes = { readonly classes: number; readonly logit?: number; readonly ignored?: number | undefined };

const kernelOf = (binary: boolean): Kernel<"x" | "target" | "c"> => ({
  name: "confusion",
  source,
  choose({ tensors: { x, target, c }, attributes }) {
    const { classes, logit = 0, ignored } = attributes as ConfusionAttributes;
    const rows = size(target.shape);
    return {
      holes: { STEP: step, BINARY: binary, IGNORING: ignored !== undefined },
      constants: {
        ...{ ROWS: rows, SPAN: rows / (target.shape[0] as number), CLASSES: classes },
        ...(binary && { LOGIT: logit }),
        ...(ignored !== undefined && { IGNORED: ignored }),
      },
      tensors: { x, [binary ? "targets" : "labels"]: target, c },
      grid: threads(classes),
    };
  },
});

const confusionOp = /* @__NO_SIDE_EFFECTS__ */ (name: string, binary: boolean) =>
  defineOp({
    name,
    inputs: ["x", "target"],
    ...(!binary && { integers: ["target"] }),
    outputs: ["c"],
    attributes: {
      classes: [undefined, checkCount],
      ...(binary
        ? { logit: [0, "a finite number"] }
        : { ignored: [undefined, perhaps("a finite number of at least 0")] }),
    },
    refuse({ x, target }, { classes }: ConfusionAttributes) {
      const asked = binary ? target.shape : [...target.shape, classes];
      if (String(x.shape) === String(asked) && (!binary || classes === 2)) return undefined;
      return `${given(x, target)} With ${classes} classes it takes ${binary ? "labels; numbers have 2" : `[${asked}]`}. Give as many as there are.`;
    },
    shape: (_, { classes }: ConfusionAttributes) => ({ c: { shape: [classes, classes] } }),
    kernel: kernelOf(binary),
  });

/** Logits [B, .., C] and labels [B, ..] -> counts [C, C] over the real samples of a batch. */
export const confusion = confusionOp("confusion", false);

/** Logits and numbers from 0 to 1, both [B, ..] -> counts [2, 2]. */
export const binaryConfusion = confusionOp("binaryConfusion", true);
