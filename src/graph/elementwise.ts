// Elementwise rows of the op table. A new activation is one entry of `activations`: its expression, its gradient,
// and whether that is a function of the input or of the output. The row of its backward op follows from that.
//
// Expressions are WGSL over `V` (f32 or vec4f); functions named here and not built in stand in shaders/parts/math.wgsl.

import type { Backward, Op } from "./op.ts";

interface Activation {
  /** y, as an expression in x. */
  readonly expression: string;
  /** dL/dx, as an expression in x, which is dL/dy here, and the saved value s. */
  readonly gradient: string;
  /** What s is. Saving the output lets the input's memory go. */
  readonly saves: "input" | "output";
}

const activations: Readonly<Record<string, Activation>> = {
  // The bits of -0 to -infinity, for `max` may drop NaN. On the way back NaN at s hands on what comes, as in PyTorch.
  relu: {
    expression: "select(x, V(0), bitcast<W>(x) - W(0x80000000) <= W(0x7f800000))",
    gradient: "select(x, V(0), s <= V(0))",
    saves: "output",
  },
  gelu: { expression: "x * normal_cdf(x)", gradient: "x * (normal_cdf(s) + s * normal_pdf(s))", saves: "input" },
  tanh: { expression: "tanh_exact(x)", gradient: "x * ((1 - s) * (1 + s))", saves: "output" },
  sigmoid: { expression: "sigmoid(x)", gradient: "x * (s * (1 - s))", saves: "output" },
};

function activationRows(name: string, { expression, gradient, saves }: Activation): Op[] {
  const backwardName = `${name}Backward`;
  return [
    {
      name,
      arity: 1,
      outputs: ([x]) => [{ shape: x!.shape }],
      backward(b: Backward) {
        const saved = saves === "input" ? b.inputs[0]! : b.outputs[0]!;
        if (b.wants(0)) b.give(0, b.emit(backwardName, [b.dy!, saved]));
      },
      kernel: "elementwise",
      elementwise: { expression },
    },
    {
      name: backwardName,
      arity: 2,
      outputs: ([dy]) => [{ shape: dy!.shape }],
      backward: null, // second derivatives are not computed
      kernel: "elementwise",
      elementwise: { expression: gradient.replace(/\bs\b/g, "y"), operand: "same" },
    },
  ];
}

const bias: Op = {
  name: "bias",
  arity: 2,
  outputs: ([x]) => [{ shape: x!.shape }],
  backward(b) {
    if (b.wants(0)) b.give(0, b.dy!);
    if (b.wants(1)) b.give(1, b.emit("columnSum", [b.dy!]));
  },
  kernel: "elementwise",
  elementwise: { expression: "x + y", operand: "last" },
};

const add: Op = {
  name: "add",
  arity: 2,
  outputs: ([x]) => [{ shape: x!.shape }],
  backward(b) {
    if (b.wants(0)) b.give(0, b.dy!);
    if (b.wants(1)) b.give(1, b.dy!);
  },
  kernel: "elementwise",
  elementwise: { expression: "x + y", operand: "same", commutes: true },
};

/** The same numbers in another place. */
const copy: Op = {
  name: "copy",
  arity: 1,
  outputs: ([x]) => [{ shape: x!.shape }],
  backward: null, // it is itself part of a backward pass
  kernel: "elementwise",
  elementwise: { expression: "x" },
};

export const elementwiseOps: readonly Op[] = [
  ...Object.entries(activations).flatMap(([name, row]) => activationRows(name, row)),
  bias,
  add,
  copy,
];
