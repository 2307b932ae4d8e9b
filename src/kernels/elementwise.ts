// A chain of elementwise ops that found no kernel to end, and sums over rows or parts.

import columnSumSource from "../../shaders/column-sum.wgsl?raw";
import source from "../../shaders/elementwise.wgsl?raw";
import sumPartialsSource from "../../shaders/sum-partials.wgsl?raw";
import { size, type Tensor } from "../graph/graph.ts";
import { checkBindings, checkPart } from "./check.ts";
import { epilogue, operandBindings } from "./epilogue.ts";
import { dims, fold, type Kernel } from "./kernel.ts";

const WORKGROUP = 64;

const bindings = { x: "read", y: "readWrite", ...operandBindings, ...checkBindings } as const;
const sumBindings = { x: "read", y: "readWrite", ...checkBindings } as const;

export const elementwise: Kernel = {
  name: "elementwise",
  source,
  bindings,
  step: false,
  choose({ op, inputs, outputs, epilogue: steps, checked = false }) {
    const [x] = inputs as [Tensor];
    const [y] = outputs as [Tensor];
    const columns = y.shape.at(-1) as number;
    const own = inputs.length - steps.filter((step) => step.operand !== undefined).length;
    const chain = [own === 2 ? { op, operand: 1 } : { op }, ...steps];
    const end = epilogue(chain, inputs, { lanes: 4, firstBinding: 2, columns, aligned: true });
    const length = size(y.shape);
    const quads = Math.ceil(length / 4);
    return {
      holes: { WORKGROUP, EPILOGUE: end.text, CHECK: checkPart(bindings, checked) },
      constants: { QUADS: quads, COLUMNS: columns, LENGTH: length },
      tensors: { x, y, ...end.tensors },
      grid: fold(Math.ceil(quads / WORKGROUP)),
      note: `${dims(x)}${end.note}`,
    };
  },
};

export const columnSum: Kernel = {
  name: "column-sum",
  source: columnSumSource,
  bindings: sumBindings,
  step: false,
  choose({ inputs, outputs, attributes, checked = false }) {
    const [x] = inputs as [Tensor];
    const [y] = outputs as [Tensor];
    const columns = x.shape.at(-1) as number;
    const splits = (attributes.splits as number | undefined) ?? 1;
    return {
      holes: { WORKGROUP, CHECK: checkPart(sumBindings, checked) },
      constants: { ROWS: size(x.shape) / columns, COLUMNS: columns, SPLITS: splits },
      tensors: { x, y },
      grid: fold(Math.ceil((splits * columns) / WORKGROUP)),
      note: `${dims(x)}${splits > 1 ? ` in ${splits} parts` : ""}`,
    };
  },
};

export const sumPartials: Kernel = {
  name: "sum-partials",
  source: sumPartialsSource,
  bindings: sumBindings,
  step: false,
  choose({ inputs, outputs, checked = false }) {
    const [x] = inputs as [Tensor];
    const [y] = outputs as [Tensor];
    const length = size(y.shape);
    return {
      holes: { WORKGROUP, CHECK: checkPart(sumBindings, checked) },
      constants: { PARTS: size(x.shape) / length, LENGTH: length },
      tensors: { x, y },
      grid: fold(Math.ceil(length / WORKGROUP)),
      note: dims(x),
    };
  },
};
