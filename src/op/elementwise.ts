// Ops that work on each number by itself. Most end the kernel that makes their input; the kernel here is for those that find none.
// Functions of an expression that WGSL has not built in stand in shaders/parts/math.wgsl.

import source from "../../shaders/elementwise.wgsl?raw";
import { checkPart } from "./check.ts";
import { epilogue, inHand } from "./epilogue.ts";
import { threads } from "./kernel.ts";
import type { Kernel } from "./op.ts";
import { defineOp, type Known, type Op, type Way } from "./op.ts";
import { given } from "./request.ts";
import { dims, size, type Tensor, type Tensors } from "./tensor.ts";

const kernel: Kernel = {
  name: "elementwise",
  source,
  choose({ op, all, outputs, epilogue: steps, checked }) {
    const [y] = outputs as [Tensor];
    const [flows] = inHand(op);
    const x = all[op.inputs.indexOf(flows as string)] as Tensor;
    const first = { op, inputs: op.inputs.map((name, i) => (name === flows ? undefined : i)), shape: y.shape };
    const columns = y.shape.at(-1) as number;
    const end = epilogue([first, ...steps], all, { lanes: 4, columns, aligned: true });
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

/** What an elementwise op is made of. */
export interface Formula<In extends string> {
  readonly name: string;
  readonly inputs: readonly In[];
  /** z. */
  readonly expression: string;
  /** Inputs with one number for each entry of the last axis. */
  readonly last?: readonly In[];
  /** The op of the way back, where that is one of its own. */
  readonly backward?: Op;
  back?(known: Known<In, "z">, way: Way<In>): void;
}

/**
 * An op that works on each number by itself, for `scope.op`: output `z` has the shape of the inputs that are not `last`. It is fused
 * into the end of the kernel that makes its input, so that it costs no pass over memory. The expression is WGSL over `V`, f32 or
 * vec4f, in the names of the inputs: constants are written `V(1)`, choices `select(no, yes, condition)`. Beside WGSL's own there
 * are tanh_exact, sigmoid, normal_cdf and normal_pdf.
 *
 * @example
 * const slope = defineElementwise({ name: "slope", inputs: ["dz", "x"], expression: "dz * select(V(0.1), V(1), x > V(0))" });
 * const leakyRelu = defineElementwise({
 *   name: "leakyRelu",
 *   inputs: ["x"],
 *   expression: "select(0.1 * x, x, x > V(0))",
 *   back: ({ dz, x }, { give, emit }) => give("x", () => emit(slope, { dz, x }).z),
 * });
 */
/* @__NO_SIDE_EFFECTS__ */ export function defineElementwise<const In extends string>({
  expression,
  last = [],
  backward,
  ...rest
}: Formula<In>): Op<In, "z"> {
  const [main] = rest.inputs as readonly [In];
  const shapeOf = (inputs: Tensors<In>): readonly number[] => inputs[main].shape;
  return defineOp({
    ...rest,
    outputs: ["z"],
    shape: (inputs) => ({ z: { shape: shapeOf(inputs) } }),
    refuse(inputs) {
      const shape = shapeOf(inputs);
      const needed = (name: In): readonly number[] => (last.includes(name) ? shape.slice(-1) : shape);
      const wrong = rest.inputs.find((name) => String(inputs[name].shape) !== String(needed(name)));
      if (wrong === undefined) return undefined;
      const what = last.includes(wrong) ? `"${wrong}" must be [${needed(wrong)}]` : "Both shapes must be equal";
      return `${given(...rest.inputs.map((name) => inputs[name]))} ${what}.`;
    },
    kernel,
    elementwise: { expression, last, backward },
  });
}

/** x + y of one shape. */
export const add = defineElementwise({
  name: "add",
  inputs: ["x", "y"],
  expression: "x + y",
  back({ dz }, { give }) {
    give("x", () => dz);
    give("y", () => dz);
  },
});

/** The same numbers in another place. */
export const copy = defineElementwise({ name: "copy", inputs: ["x"], expression: "x" });
