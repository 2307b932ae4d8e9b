// Whether the label is among the largest of its row.

import source from "../../shaders/in-top.wgsl?raw";
import { defineOp } from "./op.ts";
import { checkCount, given } from "./request.ts";
import { size } from "./tensor.ts";

type InTopAttributes = { readonly k: number };

/** y [B, ..]: 1 where fewer than k numbers of a row of x [B, .., classes] are larger than that of its label, else 0. */
export const inTop = defineOp({
  name: "inTop",
  inputs: ["x", "labels"],
  integers: ["labels"],
  outputs: ["y"],
  attributes: { k: [1, checkCount] },
  refuse({ x, labels }, { k }: InTopAttributes) {
    const classes = x.shape.at(-1) ?? 0;
    if (String(x.shape.slice(0, -1)) !== String(labels.shape))
      return `${given(x, labels)} Give one label for each row.`;
    return k > classes ? `k is ${k}, there are ${classes} classes. Give at most as many.` : undefined;
  },
  shape: ({ labels: { shape } }) => ({ y: { shape } }),
  kernel: {
    name: "in-top",
    source,
    choose({ tensors: { x, y }, attributes }) {
      const rows = size(y.shape);
      return { constants: { ROWS: rows, CLASSES: size(x.shape) / rows, K: attributes.k as number }, grid: rows };
    },
  },
});
