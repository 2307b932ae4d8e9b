// TensorFlow.js's kernels: products, convolutions and their gradients, softmax. Layouts are Gradus's.

import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-webgpu";
import { type CreateRunner, gradientPlace, SAMPLE, valuesOf, wayOf } from "../../../demo/bench/kernels/runner.ts";

type Attributes = Readonly<Record<string, unknown>>;
/** `dy` is given where a gradient is made. */
type Make = (a: tf.Tensor, b: tf.Tensor, attributes: Attributes, dy: tf.Tensor) => tf.Tensor;

const kernel = (name: string, inputs: Readonly<Record<string, tf.Tensor>>, attributes: object): tf.Tensor =>
  tf.engine().runKernel(name, inputs, attributes as never) as tf.Tensor;

/** What both kinds of convolution are given. */
const slide = ({ stride }: Attributes) => ({ strides: stride, pad: "same", dilations: [1, 1], dataFormat: "NHWC" });

const ways: Readonly<Record<string, Make>> = {
  matmul: (a, b, { transposeA, transposeB }) => tf.matMul(a, b, transposeA === true, transposeB === true),
  "matmul: b": (a, _, __, dy) => tf.matMul(a, dy, true),
  conv2d: (x, filter, attributes) => kernel("Conv2D", { x, filter }, slide(attributes)),
  "conv2d: a": ({ shape: inputShape }, filter, attributes, dy) =>
    kernel("Conv2DBackpropInput", { dy, filter }, { ...slide(attributes), inputShape }),
  "conv2d: b": (x, { shape: filterShape }, attributes, dy) =>
    kernel("Conv2DBackpropFilter", { x, dy }, { ...slide(attributes), filterShape }),
  depthwiseConv2d: (x, filter, attributes) => kernel("DepthwiseConv2dNative", { x, filter }, slide(attributes)),
  "depthwiseConv2d: a": ({ shape: inputShape }, filter, attributes, dy) =>
    kernel("DepthwiseConv2dNativeBackpropInput", { dy, filter }, { ...slide(attributes), inputShape }),
  "depthwiseConv2d: b": (x, { shape: filterShape }, attributes, dy) =>
    kernel("DepthwiseConv2dNativeBackpropFilter", { x, dy }, { ...slide(attributes), filterShape }),
  softmax: (x) => tf.softmax(x),
  logSoftmax: (x) => tf.logSoftmax(x),
};

export const create: CreateRunner = async (one) => {
  const make = ways[wayOf(one)];
  if (make === undefined) return undefined;
  if (!(await tf.setBackend("webgpu"))) throw new Error("tfjs: its WebGPU backend did not start");
  const isDepthwise = one.op.name === "depthwiseConv2d";
  const given = (shape: readonly number[], place: number): tf.Tensor =>
    tf.tensor(
      valuesOf(
        place,
        shape.reduce((x, y) => x * y, 1),
      ),
      [...shape],
    );
  const [a, b = a] = one.shapes.map((shape, i) => given(isDepthwise && i === 1 ? [...shape, 1] : shape, i)) as [
    tf.Tensor,
    tf.Tensor?,
  ];
  const { shape } = Object.values(one.op.shape(shapesOf(one) as never, one.attributes))[0] as {
    shape: readonly number[];
  };
  const dy = given(shape, gradientPlace(one));
  const once = (): tf.Tensor => tf.tidy(() => make(a, b, one.attributes, dy));
  const first = async (tensor: tf.Tensor, count: number): Promise<Float32Array> => {
    const head = tf.tidy(() => tf.slice(tf.reshape(tensor, [-1]), 0, Math.min(count, tensor.size)));
    const data = (await head.data()) as Float32Array;
    tf.dispose([head, tensor]);
    return data;
  };
  return {
    async run(count) {
      for (let i = 1; i < count; i++) once().dispose();
      await first(once(), 1); // sends off what is still in its command buffer, and waits
    },
    sample: () => first(once(), SAMPLE),
    dispose: () => tf.dispose([a, b, dy]),
  };
};

const shapesOf = ({ op, shapes }: Parameters<CreateRunner>[0]): object =>
  Object.fromEntries(shapes.map((shape, i) => [op.inputs[i], { shape }]));
