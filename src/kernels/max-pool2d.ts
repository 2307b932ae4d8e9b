// Max pooling and its gradient.

import source from "../../shaders/max-pool2d.wgsl?raw";
import backwardSource from "../../shaders/max-pool2d-backward.wgsl?raw";
import type { Tensor } from "../graph/graph.ts";
import { checkBindings, checkPart } from "./check.ts";
import { epilogue, operandBindings } from "./epilogue.ts";
import { dims, fold, type Kernel } from "./kernel.ts";
import { windowConstants, windowFrom, windowNote } from "./window.ts";

const WORKGROUP = 64;
type Four = readonly [number, number, number, number];

export const maxPool2d: Kernel = {
  name: "max-pool2d",
  source,
  bindings: { x: "read", y: "readWrite", tap: "readWrite" },
  step: false,
  choose({ inputs, outputs, attributes }) {
    const [x] = inputs as [Tensor];
    const [y, tap] = outputs as [Tensor, Tensor];
    const [batch, height, width, channels] = x.shape as Four;
    const kernel = [attributes.kernelHeight as number, attributes.kernelWidth as number];
    const window = windowFrom(attributes, height, width, kernel);
    const vector = channels % 4 === 0;
    const lanes = vector ? channels / 4 : channels;
    return {
      holes: { WORKGROUP, VECTOR: vector },
      constants: { ...windowConstants(window), BATCH: batch, LANES: lanes },
      tensors: { x, y, tap },
      grid: fold(Math.ceil((batch * window.outHeight * window.outWidth * lanes) / WORKGROUP)),
      note: `${dims(x)} ${windowNote(window)}`,
    };
  },
};

const backwardBindings = { dy: "read", tap: "read", dx: "readWrite", ...operandBindings, ...checkBindings } as const;

export const maxPool2dBackward: Kernel = {
  name: "max-pool2d-backward",
  source: backwardSource,
  bindings: backwardBindings,
  step: false,
  choose({ inputs, outputs, attributes, epilogue: steps, checked = false }) {
    const [dy, tap] = inputs as [Tensor, Tensor];
    const [dx] = outputs as [Tensor];
    const [batch, height, width, channels] = dx.shape as Four;
    const kernel = [attributes.kernelHeight as number, attributes.kernelWidth as number];
    const window = windowFrom(attributes, height, width, kernel);
    const vector = channels % 4 === 0;
    const lanes = vector ? channels / 4 : channels;
    const form = { lanes: vector ? 4 : 1, firstBinding: 3, columns: channels, aligned: vector } as const;
    const end = epilogue(steps, inputs, form);
    return {
      holes: { WORKGROUP, VECTOR: vector, EPILOGUE: end.text, CHECK: checkPart(backwardBindings, checked) },
      constants: { ...windowConstants(window), BATCH: batch, LANES: lanes },
      tensors: { dy, tap, dx, ...end.tensors },
      grid: fold(Math.ceil((batch * height * width * lanes) / WORKGROUP)),
      note: `${dims(dy)} ${windowNote(window)}${end.note}`,
    };
  },
};
