// A chain of elementwise ops that found no kernel to end, and sums over rows or parts.

import columnSumSource from "../../shaders/column-sum.wgsl?raw";
import source from "../../shaders/elementwise.wgsl?raw";
import { size, type Tensor } from "../graph/graph.ts";
import { checkPart } from "./check.ts";
import { epilogue } from "./epilogue.ts";
import { dims, type Kernel, threads } from "./kernel.ts";

export const elementwise: Kernel = {
  name: "elementwise",
  source,
  choose({ op, inputs, outputs, epilogue: steps, checked = false }) {
    const [x] = inputs as [Tensor];
    const [y] = outputs as [Tensor];
    const columns = y.shape.at(-1) as number;
    const own = inputs.length - steps.filter((step) => step.operand !== undefined).length;
    const chain = [own === 2 ? { op, operand: 1 } : { op }, ...steps];
    const end = epilogue(chain, inputs, { lanes: 4, columns, aligned: true });
    const length = size(y.shape);
    const quads = Math.ceil(length / 4);
    return {
      holes: { EPILOGUE: end.text, CHECK: checkPart(checked) },
      constants: { QUADS: quads, COLUMNS: columns, LENGTH: length },
      tensors: { x, y, ...end.tensors },
      grid: threads(quads),
      note: `${dims(x)}${end.note}`,
    };
  },
};

/** Sums over rows, in parts where `splits` says so; to add up parts is the same with each part for a row. */
const sumOver = (name: string): Kernel => ({
  name,
  source: columnSumSource,
  choose({ inputs, outputs, attributes, checked = false }) {
    const [x] = inputs as [Tensor];
    const [y] = outputs as [Tensor];
    const splits = (attributes.splits as number | undefined) ?? 1;
    const sums = size(y.shape);
    const columns = sums / splits;
    return {
      holes: { CHECK: checkPart(checked) },
      constants: { ROWS: size(x.shape) / columns, COLUMNS: columns, SPLITS: splits },
      tensors: { x, y },
      grid: threads(sums),
      note: `${dims(x)}${splits > 1 ? ` in ${splits} parts` : ""}`,
    };
  },
});

export const columnSum = sumOver("column-sum");
export const sumPartials = sumOver("sum-partials");
