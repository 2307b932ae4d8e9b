// Whether the label is among the largest of its row: hits, and no loss.

import source from "../../shaders/in-top.wgsl?raw";
import { hitsOp } from "./hits.ts";
import { threads } from "./kernel.ts";
import type { ClassesAttributes } from "./softmax-cross-entropy.ts";
import { size } from "./tensor.ts";

type InTopAttributes = Pick<ClassesAttributes, "ignored"> & { readonly k?: number };

/** Logits [B, .., classes] and labels [B, ..]: hits where fewer than k numbers of a row are larger than that of its label. */
export const inTop = hitsOp({
  name: "inTop",
  kernel: "in-top",
  source,
  names: ["x", "labels"],
  spanOf: (shape) => size(shape.slice(1, -1)),
  shares({ shape, attributes }) {
    const { k = 1, ignored } = attributes as InTopAttributes;
    const classes = shape.at(-1) as number;
    const rows = size(shape) / classes;
    return {
      holes: { IGNORING: ignored !== undefined },
      constants: { ROWS: rows, CLASSES: classes, K: k, ...(ignored !== undefined && { IGNORED: ignored }) },
      grid: threads(rows),
    };
  },
});
