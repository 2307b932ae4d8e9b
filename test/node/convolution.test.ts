// Convolutions and poolings against PyTorch: the values of test/golden/convolution.py, and the gradients that `differentiate` finds,
// both on the f64 twins.

import { expect, test } from "vitest";
import {
  conv1d,
  conv2d,
  conv2dTranspose,
  dense,
  depthwiseConv2d,
  flatten,
  type Layer,
  maxPool2d,
  separableConv2d,
  sequential,
} from "../../src/index.ts";
import type { Attributes } from "../../src/op/op.ts";
import type { Tensor } from "../../src/op/tensor.ts";
import golden from "../golden/convolution.json";
import { expectGolden, type GoldenNumbers, type Make } from "../reference/golden-op.ts";
import { opNamed } from "../reference/ops.ts";
import { programOf } from "./program.ts";

interface GoldenCase {
  readonly op: string;
  readonly attributes: Attributes;
  readonly inputs: readonly GoldenNumbers[];
  readonly output: GoldenNumbers;
}

const cases = golden.cases as readonly GoldenCase[];

test.each(cases.map((one) => [`${one.op} ${JSON.stringify(one.attributes)}`, one] as const))("%s", (_, one) => {
  const { inputs: names, outputs } = opNamed(one.op);
  const inputs = Object.fromEntries(one.inputs.map((numbers, i) => [names[i] as string, numbers]));
  const output = { [outputs[0] as string]: one.output };
  const build = (make: Make, tensors: { readonly [name: string]: Tensor }) => make(one.op, tensors, one.attributes);
  expectGolden(inputs, output, build, { values: 1e-14, gradients: 1e-12 });
});

const traced = (layer: Layer, input = [6, 6, 2]) => programOf(sequential([layer, flatten(), dense(2)]), { input });

test.each([
  [
    () => conv2d(4, { padding: "full" as never }),
    'OptionError: conv2d: padding is "full", it must be "same" or "valid".',
  ],
  [
    () => conv2d(4, { padding: [1, 1] as never }),
    'OptionError: conv2d: padding is [1,1], it must be "same", "valid", a whole number of at least 0, or [[top, bottom], [left, right]] of such.',
  ],
  [
    () => conv1d(4, { padding: [-1, 0] }),
    'OptionError: conv1d: padding is [-1,0], it must be "same", "valid", a whole number of at least 0, or [before, after] of such.',
  ],
  [
    () => traced(conv2d(4, { kernel: 9, padding: 1 })),
    'ShapeError: conv2d "0": input is 6 x 6, with its padding 8 x 8, the window 9 x 9. Use a smaller window or padding "same".',
  ],
  [
    () =>
      traced(
        maxPool2d(2, {
          padding: [
            [0, 2],
            [0, 0],
          ],
        }),
      ),
    'ShapeError: maxPool2d "0": its padding is 2 where its window is 2, so that it would see nothing of the image. Give less padding than the window has.',
  ],
  [
    () => traced(conv2dTranspose(4, { kernel: 3, padding: 4 })),
    'ShapeError: conv2dTranspose "0": it was given [32,6,6,2] and [3,3,4,2]. Its padding leaves 0 x 0 pixels. Give less.',
  ],
  [
    () => traced(depthwiseConv2d({ groups: 2 } as never)),
    'OptionError: depthwiseConv2d: it has no "groups". It may have kernel, stride, padding, dilation, depthMultiplier, bias, initializer.',
  ],
  [() => separableConv2d(0), "OptionError: separableConv2d: filters is 0, it must be a whole number of at least 1."],
])("is refused: %s", (make, message) => {
  expect(told(make)).toBe(message);
});

function told(make: () => unknown): string {
  try {
    make();
    return "nothing was thrown";
  } catch (error) {
    return String(error);
  }
}
