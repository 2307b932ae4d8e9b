// jax-js's kernels, each in a `jit`: products, convolutions and their gradients, softmax. Images and filters stand as it has them.

import {
  blockUntilReady,
  defaultDevice,
  init,
  jit,
  lax,
  nn,
  numpy as np,
  type Array as Values,
  vjp,
} from "@jax-js/jax";
import { type CreateRunner, gradientPlace, SAMPLE, valuesOf, wayOf } from "../../../demo/bench/kernels/runner.ts";

type Attributes = Readonly<Record<string, unknown>>;
/** Takes over what it is given; `dy` is there where a gradient is made. */
type Make = (a: Values, b: Values, attributes: Attributes, dy: Values) => Values;

const convolve = (image: Values, filter: Values, attributes: Attributes, groups = 1): Values =>
  lax.convGeneralDilated(image, filter, attributes.stride as number[], "SAME", { featureGroupCount: groups });

/** The gradient of a convolution by its image (0) or its filter (1). */
const gradient =
  (of: 0 | 1, isDepthwise = false): Make =>
  (image, filter, attributes, dy) => {
    const groups = isDepthwise ? (image.shape[1] as number) : 1;
    const forward = (value: Values): Values =>
      of === 0 ? convolve(value, filter, attributes, groups) : convolve(image, value, attributes, groups);
    const [made, back] = vjp(forward, [of === 0 ? image : filter]);
    made.dispose();
    const [result] = back(dy) as unknown as [Values];
    return result;
  };

const ways: Readonly<Record<string, Make>> = {
  matmul: (a, b, { transposeA, transposeB }) =>
    np.matmul(transposeA === true ? a.transpose() : a, transposeB === true ? b.transpose() : b),
  "matmul: b": (a, _, __, dy) => np.matmul(a.transpose(), dy),
  conv2d: (image, filter, attributes) => convolve(image, filter, attributes),
  "conv2d: a": gradient(0),
  "conv2d: b": gradient(1),
  depthwiseConv2d: (image, filter, attributes) => convolve(image, filter, attributes, image.shape[1] as number),
  "depthwiseConv2d: a": gradient(0, true),
  "depthwiseConv2d: b": gradient(1, true),
  softmax: (x) => nn.softmax(x),
  logSoftmax: (x) => nn.logSoftmax(x),
};

const toNchw = [0, 3, 1, 2];
const toNhwc = [0, 2, 3, 1];
/** [kh, kw, in, out] to [out, in, kh, kw], and back. */
const toOihw = [3, 2, 0, 1];
const toHwio = [2, 3, 1, 0];

/** Results that are waited for together: what is disposed before that may never be computed. */
const TOGETHER = 8;

export const create: CreateRunner = async (one) => {
  const { op, shapes, attributes, gradients } = one;
  const make = ways[wayOf(one)];
  if (make === undefined) return undefined;
  if (!(await init("webgpu")).includes("webgpu")) throw new Error("jax-js: its WebGPU device did not start");
  defaultDevice("webgpu");
  const isConvolution = op.name !== "matmul" && shapes.length === 2;
  const isDepthwise = op.name === "depthwiseConv2d";
  const given = (shape: readonly number[], place: number): Values => {
    const values = np
      .array(
        valuesOf(
          place,
          shape.reduce((x, y) => x * y, 1),
        ),
      )
      .reshape([...shape]);
    if (!isConvolution) return values;
    if (place === 1)
      return isDepthwise ? values.reshape([...shape, 1]).transpose([2, 3, 0, 1]) : values.transpose(toOihw);
    return values.transpose(toNchw);
  };
  const named = Object.fromEntries(shapes.map((shape, i) => [op.inputs[i], { shape }]));
  const { shape } = Object.values(op.shape(named as never, attributes))[0] as { shape: readonly number[] };
  const [a, b] = [given(shapes[0] as readonly number[], 0), given(shapes[1] ?? [1], 1)];
  const dy = given(shape, gradientPlace(one));
  await blockUntilReady([a, b, dy]);
  const jitted = jit((x: Values, y: Values, d: Values): Values => make(x, y, attributes, d));
  const once = (): Values => jitted(a.ref, b.ref, dy.ref);
  const isFilter = isConvolution && gradients[0] === "b";
  return {
    async run(count) {
      for (let left = count; left > 0; left -= TOGETHER) {
        const made = Array.from({ length: Math.min(left, TOGETHER) }, once);
        await blockUntilReady(made);
        for (const value of made) value.dispose();
      }
    },
    async sample() {
      const made = once();
      const own = isFilter
        ? made.transpose(isDepthwise ? [2, 3, 0, 1] : toHwio)
        : isConvolution
          ? made.transpose(toNhwc)
          : made;
      return ((await own.data()) as Float32Array).slice(0, SAMPLE);
    },
    dispose() {
      for (const value of [a, b, dy]) value.dispose();
      jitted.dispose();
    },
  };
};
