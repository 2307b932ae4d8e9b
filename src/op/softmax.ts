// Softmax along the last axis and its logarithm, as ops and layers.

import joined from "../../shaders/parts/joined-channels.wgsl?raw";
import source from "../../shaders/softmax.wgsl?raw";
import { checkPart } from "./check.ts";
import { epilogue } from "./epilogue.ts";
import { fold, threads } from "./kernel.ts";
import { checkNothing, layerOf, type OpLayer } from "./layer.ts";
import { defineOp, type Kernel } from "./op.ts";
import { sharesRow } from "./split.ts";
import { dims, size, type Tensor } from "./tensor.ts";

/** From so many columns on a workgroup shares a row. */
const SHARED = 128;

const kernelOf = /* @__NO_SIDE_EFFECTS__ */ (log: boolean): Kernel => ({
  name: "softmax",
  source,
  choose({ tensors, all, outputs, epilogue: steps, checked, device }) {
    const { shape } = outputs[0] as Tensor;
    const columns = shape.at(-1) as number;
    const rows = size(shape) / columns;
    const isShared = sharesRow(rows, columns, SHARED, device);
    const end = epilogue(steps, all, { lanes: 1, columns, aligned: false });
    return {
      holes: {
        EPILOGUE: end.text,
        CHECK: checkPart(checked),
        JOINED: joined,
        SHARED: isShared,
        GRADIENT: tensors.dy !== undefined,
        LOG: log,
      },
      constants: { ROWS: rows, COLUMNS: columns },
      tensors: { ...tensors, ...end.tensors },
      grid: isShared ? fold(rows) : threads(rows),
      note: `${dims(outputs[0] as Tensor)}${log ? " log" : ""}${end.note}`,
    };
  },
});

/** The Jacobian's product with a gradient, from what came out. */
const sharesBackward = /* @__NO_SIDE_EFFECTS__ */ (name: string, log: boolean) =>
  defineOp({
    name,
    inputs: ["y", "dy"],
    outputs: ["dx"],
    shape: ({ y: { shape } }) => ({ dx: { shape } }),
    kernel: kernelOf(log),
    takesEpilogue: true,
  });

export const softmaxBackward = sharesBackward("softmaxBackward", false);

export const logSoftmaxBackward = sharesBackward("logSoftmaxBackward", true);

const shares = /* @__NO_SIDE_EFFECTS__ */ (name: string, log: boolean, backward: typeof softmaxBackward) =>
  layerOf(
    defineOp({
      name,
      inputs: ["x"],
      outputs: ["y"],
      shape: ({ x: { shape } }) => ({ y: { shape } }),
      back: ({ y, dy }, { give, emit }) => give("x", () => emit(backward, { y, dy }).dx),
      kernel: kernelOf(log),
      takesEpilogue: true,
    }),
    (place, ...given: []) => checkNothing(place, given),
  );

/**
 * exp(x) / sum of exp(x) along the last axis: what is positive and adds up to 1. A classifier under `crossEntropy` needs none, for that
 * takes logits.
 */
export const softmax: OpLayer<[], "y"> = shares("softmax", false, softmaxBackward);

/** The logarithm of softmax, x - log(sum of exp(x)) along the last axis, without the digits that a logarithm of it would lose. */
export const logSoftmax: OpLayer<[], "y"> = shares("logSoftmax", true, logSoftmaxBackward);
