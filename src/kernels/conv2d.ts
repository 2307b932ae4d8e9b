// Convolution and its two gradients, as implicit matrix products.

import source from "../../shaders/conv2d.wgsl?raw";
import backwardFilterSource from "../../shaders/conv2d-backward-filter.wgsl?raw";
import backwardInputSource from "../../shaders/conv2d-backward-input.wgsl?raw";
import { bug } from "../errors.ts";
import type { Tensor } from "../graph/graph.ts";
import { checkBindings, checkPart } from "./check.ts";
import { epilogue, operandBindings } from "./epilogue.ts";
import { dims, type Kernel } from "./kernel.ts";
import { tilingFor } from "./tile.ts";
import { windowConstants, windowFrom, windowNote } from "./window.ts";

type Four = readonly [number, number, number, number];

export const conv2d: Kernel = {
  name: "conv2d",
  source,
  bindings: { x: "read", w: "read", y: "readWrite", ...operandBindings },
  step: false,
  choose({ inputs, outputs, attributes, epilogue: steps, device }) {
    const [x, w] = inputs as [Tensor, Tensor];
    const [y] = outputs as [Tensor];
    const [batch, height, width, channels] = x.shape as Four;
    const filters = w.shape[3] as number;
    const window = windowFrom(attributes, height, width, w.shape);
    const aligned = filters % 4 === 0;
    const end = epilogue(steps, inputs, { lanes: 4, firstBinding: 3, columns: filters, aligned });
    const tiling = tilingFor(device, batch * window.outHeight * window.outWidth, filters);
    return {
      holes: { ...tiling.holes, EPILOGUE: end.text, VECTOR_X: channels % 4 === 0, VECTOR_W: aligned },
      constants: { ...windowConstants(window), BATCH: batch, CHANNELS: channels, FILTERS: filters },
      tensors: { x, w, y, ...end.tensors },
      grid: tiling.grid,
      note: `${dims(x)} * ${dims(w)} ${windowNote(window)}${end.note}`,
    };
  },
};

const inputBindings = { dy: "read", w: "read", dx: "readWrite", ...operandBindings, ...checkBindings } as const;
const filterBindings = { x: "read", dy: "read", dw: "readWrite", sum: "readWrite", ...checkBindings } as const;

export const conv2dBackwardInput: Kernel = {
  name: "conv2d-backward-input",
  source: backwardInputSource,
  bindings: inputBindings,
  step: false,
  choose({ inputs, outputs, attributes, epilogue: steps, device, checked = false }) {
    const [dy, w] = inputs as [Tensor, Tensor];
    const [dx] = outputs as [Tensor];
    const [batch, height, width, channels] = dx.shape as Four;
    const filters = dy.shape[3] as number;
    const window = windowFrom(attributes, height, width, w.shape);
    const aligned = channels % 4 === 0;
    const end = epilogue(steps, inputs, { lanes: 4, firstBinding: 3, columns: channels, aligned });
    const tiling = tilingFor(device, batch * height * width, channels);
    return {
      holes: {
        ...tiling.holes,
        EPILOGUE: end.text,
        CHECK: checkPart(inputBindings, checked),
        VECTOR_X: aligned,
        VECTOR_W: filters % 4 === 0,
      },
      constants: { ...windowConstants(window), BATCH: batch, CHANNELS: channels, FILTERS: filters },
      tensors: { dy, w, dx, ...end.tensors },
      grid: tiling.grid,
      note: `${dims(dy)} * ${dims(w)} ${windowNote(window)}${end.note}`,
    };
  },
};

export const conv2dBackwardFilter: Kernel = {
  name: "conv2d-backward-filter",
  source: backwardFilterSource,
  bindings: filterBindings,
  step: false,
  choose({ inputs, outputs, attributes, epilogue: steps, device, checked = false }) {
    if (steps.length > 0) return bug("conv2d-backward-filter takes no epilogue");
    const [x, dy] = inputs as [Tensor, Tensor];
    const [dw, sum] = outputs as [Tensor, Tensor?];
    const [batch, height, width, channels] = x.shape as Four;
    const filters = dy.shape[3] as number;
    const splits = attributes.splits as number;
    const kernel = [attributes.kernelHeight as number, attributes.kernelWidth as number];
    const window = windowFrom(attributes, height, width, kernel);
    const tiling = tilingFor(device, window.kernelHeight * window.kernelWidth * channels, filters, splits);
    return {
      holes: {
        ...tiling.holes,
        CHECK: checkPart(filterBindings, checked, sum !== undefined),
        VECTOR_X: channels % 4 === 0,
        VECTOR_W: filters % 4 === 0,
        COLUMN_SUM: sum !== undefined,
      },
      constants: { ...windowConstants(window), BATCH: batch, CHANNELS: channels, FILTERS: filters, SPLITS: splits },
      tensors: { x, dy, dw, ...(sum === undefined ? {} : { sum }) },
      grid: tiling.grid,
      note:
        `${dims(x)} * ${dims(dy)} ${windowNote(window)}` +
        `${splits > 1 ? ` in ${splits} parts` : ""}${sum === undefined ? "" : " +columnSum"}`,
    };
  },
};
