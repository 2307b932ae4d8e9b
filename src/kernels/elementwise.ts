// A chain of elementwise ops that found no kernel to end, and sums over rows or parts.

import columnSumSource from "../../shaders/column-sum.wgsl?raw";
import source from "../../shaders/elementwise.wgsl?raw";
import sumPartialsSource from "../../shaders/sum-partials.wgsl?raw";
import { size, type Tensor } from "../graph/graph.ts";
import { epilogue, operandBindings } from "./epilogue.ts";
import { dims, fold, type Kernel } from "./kernel.ts";

const WORKGROUP = 64;

export const elementwise: Kernel = {
  name: "elementwise",
  source,
  bindings: { x: "read", y: "readWrite", ...operandBindings },
  step: false,
  choose({ op, inputs, outputs, epilogue: steps }) {
    const [x] = inputs as [Tensor];
    const [y] = outputs as [Tensor];
    const columns = y.shape.at(-1) as number;
    const own = inputs.length - steps.filter((step) => step.operand !== undefined).length;
    const chain = [own === 2 ? { op, operand: 1 } : { op }, ...steps];
    const end = epilogue(chain, inputs, { lanes: 4, firstBinding: 2, columns, aligned: true });
    const quads = Math.ceil(size(y.shape) / 4);
    return {
      holes: { WORKGROUP, EPILOGUE: end.text },
      constants: { QUADS: quads, COLUMNS: columns },
      tensors: { x, y, ...end.tensors },
      grid: fold(Math.ceil(quads / WORKGROUP)),
      note: `${dims(x)}${end.note}`,
    };
  },
};

export const columnSum: Kernel = {
  name: "column-sum",
  source: columnSumSource,
  bindings: { x: "read", y: "readWrite" },
  step: false,
  choose({ inputs, outputs }) {
    const [x] = inputs as [Tensor];
    const [y] = outputs as [Tensor];
    const columns = size(y.shape);
    return {
      holes: { WORKGROUP },
      constants: { ROWS: size(x.shape) / columns, COLUMNS: columns },
      tensors: { x, y },
      grid: [Math.ceil(columns / WORKGROUP), 1, 1],
      note: dims(x),
    };
  },
};

export const sumPartials: Kernel = {
  name: "sum-partials",
  source: sumPartialsSource,
  bindings: { x: "read", y: "readWrite" },
  step: false,
  choose({ inputs, outputs }) {
    const [x] = inputs as [Tensor];
    const [y] = outputs as [Tensor];
    const length = size(y.shape);
    return {
      holes: { WORKGROUP },
      constants: { PARTS: size(x.shape) / length, LENGTH: length },
      tensors: { x, y },
      grid: fold(Math.ceil(length / WORKGROUP)),
      note: dims(x),
    };
  },
};
