// Ops that work on each number by itself. Most end the kernel that makes their input; the kernel here is for those that find none.
// Functions of an expression that WGSL has not built in stand in shaders/parts/math.wgsl.

import source from "../../shaders/elementwise.wgsl?raw";
import { checkPart } from "./check.ts";
import { epilogue, isWhole } from "./epilogue.ts";
import { broadcast } from "./index-map.ts";
import { threads } from "./kernel.ts";
import { type Attributes, defineOp, type Kernel, type Known, type Op, type Way } from "./op.ts";
import { given } from "./request.ts";
import { sumTo } from "./sum.ts";
import { dims, size, type Tensor, type Tensors } from "./tensor.ts";

const kernel: Kernel = {
  name: "elementwise",
  source,
  choose({ op, all, outputs, attributes, epilogue: steps, checked }) {
    const [y] = outputs as [Tensor];
    const own = all.slice(0, op.inputs.length);
    const flows = own.findIndex((input) => isWhole(input, y.shape));
    const first = { op, attributes, inputs: op.inputs.map((_, i) => (i === flows ? undefined : i)), shape: y.shape };
    const columns = y.shape.at(-1) ?? 1;
    const end = epilogue([first, ...steps], all, { lanes: 4, columns, aligned: true });
    const length = size(y.shape);
    const quads = Math.ceil(length / 4);
    const x = all[flows];
    return {
      holes: { EPILOGUE: end.text, CHECK: checkPart(checked), IN_HAND: x !== undefined },
      constants: { QUADS: quads, COLUMNS: columns, LENGTH: length },
      tensors: { ...(x && { x }), y, ...end.tensors },
      grid: threads(quads),
      note: `${x === undefined ? own.map(dims).join(" ") : dims(x)}${end.note}`,
    };
  },
};

/** What an elementwise op is made of. */
export interface Formula<In extends string, A extends Attributes = Attributes> {
  /** The op's name, in messages and recordings. */
  readonly name: string;
  /** Names of its inputs, which the expression uses. */
  readonly inputs: readonly In[];
  /** What a layer may give beside inputs, as for `defineOp`. */
  readonly attributes?: NonNullable<Op["attributes"]>;
  /** z, or what writes it for attributes. */
  readonly expression: string | ((attributes: A) => string);
  /** The op of the way back, where that is one of its own. */
  readonly backward?: Op;
  /** Why attributes do not go together, and what to do, in sentences. */
  refuse?(attributes: A): string | undefined;
  /** Gradients in the shape of z: what comes for an input that was repeated is summed. */
  back?(known: Known<In, "z">, way: Way<In, A>): void;
}

/** A number of an option in an expression: the f32 next to it. */
export const literal = (value: number): string => `(${Math.fround(value)}f)`;

/**
 * An op that works on each number by itself, for `scope.op`: output `z` has the shape to which the inputs are repeated, as in NumPy:
 * shapes end together, and 1 goes with any length. It is fused into the end of the kernel that makes one of its inputs, so that it
 * costs no pass over memory. The expression is WGSL over `V`, f32 or vec4f, in the names of the inputs: constants are written `V(1)`,
 * choices `select(no, yes, condition)`. Beside WGSL's own there are tanh_exact, sigmoid, softplus, normal_cdf, normal_pdf and
 * or_nan(x, y), which is y, or x where that is NaN. Where it depends on attributes it is a function of them, and the op stays one.
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
/* @__NO_SIDE_EFFECTS__ */ export function defineElementwise<
  const In extends string,
  A extends Attributes = Attributes,
>({ expression, backward, refuse, back, ...rest }: Formula<In, A>): Op<In, "z", A> {
  const shapesOf = (inputs: Tensors<In>) => rest.inputs.map((name) => inputs[name].shape);
  return defineOp({
    ...rest,
    outputs: ["z"],
    shape: (inputs) => ({ z: { shape: broadcast(shapesOf(inputs)) ?? [] } }),
    refuse: (inputs, attributes: A) =>
      broadcast(shapesOf(inputs)) === undefined
        ? `${given(...rest.inputs.map((name) => inputs[name]))} From the last axis on, lengths must be equal or 1.`
        : refuse?.(attributes),
    ...(back && {
      back: (known: Known<In, "z">, way: Way<In, A>) =>
        back(known, {
          ...way,
          give: (name, make) => way.give(name, () => sumTo(make(), (known as Tensors<In>)[name].shape, way.emit)),
        }),
    }),
    kernel,
    elementwise: {
      expression: (attributes) => (typeof expression === "string" ? expression : expression(attributes as A)),
      backward,
    },
  });
}

/** x + y. */
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
