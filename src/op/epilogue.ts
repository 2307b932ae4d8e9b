// The end of a kernel: a chain of elementwise ops as one WGSL function, with a binding for each second operand.

import math from "../../shaders/parts/math.wgsl?raw";
import { bug } from "../errors.ts";
import { placeOf, repeated } from "./index-map.ts";
import type { EpilogueStep } from "./op.ts";
import { size, type Tensor } from "./tensor.ts";

/** Number of the first operand's binding, behind those of a kernel and of what asks its gradients. */
const FIRST = 10;

/** How many numbers the function works on at a time, and how they lie in memory. */
export interface EpilogueForm {
  /** 4 for vec4f, 1 for f32. */
  readonly lanes: 4 | 1;
  /** Length of the last axis. */
  readonly columns: number;
  /** Whether four numbers always lie in one vec4f of a tensor of the output's shape. */
  readonly aligned: boolean;
}

export interface Epilogue {
  /** WGSL: `fn epilogue(value: V, at: u32, column: u32) -> V`, and what it needs. */
  readonly text: string;
  readonly tensors: Readonly<Record<string, Tensor>>;
  /** For the recording, " +bias +relu". */
  readonly note: string;
}

/**
 * `at` is the first number's place in the output, `column` its place in the last axis. `outputs` are those of the node; what is kept of
 * numbers that are 4 at a time must be aligned.
 */
export function epilogue(
  steps: readonly EpilogueStep[],
  inputs: readonly Tensor[],
  form: EpilogueForm,
  outputs: readonly Tensor[] = [],
): Epilogue {
  const tensors: Record<string, Tensor> = {};
  const declarations: string[] = [];
  const body: string[] = [];
  const declare = (name: string, mode: string, element: string): void => {
    const number = FIRST + declarations.length;
    declarations.push(`@group(0) @binding(${number}) var<storage, ${mode}> ${name}: array<${element}>;`);
  };
  for (const { op, attributes, inputs: places, shape, kept } of steps) {
    const elementwise = op.elementwise ?? bug(`"${op.name}" is not elementwise, it cannot end a kernel`);
    const values = op.inputs.map((input, i) => {
      const place = places[i];
      if (place === undefined) return `let ${input} = result;`;
      const name = `operand${declarations.length}`;
      const operand = inputs[place] ?? bug(`"${op.name}" lacks its operand`);
      tensors[name] = operand;
      const { element, read } = operandAccess(name, operand.shape, shape, form);
      declare(name, "read", element);
      return `let ${input} = ${read};`;
    });
    if (kept !== undefined) {
      const name = `kept${kept}`;
      tensors[name] = outputs[kept] ?? bug(`"${op.name}" lacks a place for what it takes`);
      declare(name, "read_write", form.lanes === 4 ? "vec4f" : "f32");
      body.push(`  ${name}[at${form.lanes === 4 ? " / 4" : ""}] = result;`);
    }
    body.push(`  { // ${op.name}\n    ${values.join(" ")}\n    result = ${elementwise.expression(attributes)};\n  }`);
  }
  const text = [
    `alias V = ${form.lanes === 4 ? "vec4f" : "f32"};`,
    `alias W = ${form.lanes === 4 ? "vec4u" : "u32"};`,
    usesMath(body) ? math : "",
    ...declarations,
    "fn epilogue(value: V, at: u32, column: u32) -> V {",
    "  var result = value;",
    ...body,
    "  return result;",
    "}",
  ].join("\n");
  return {
    text,
    tensors,
    note: steps.map((step) => `${step.kept === undefined ? "" : " kept"} +${step.op.name}`).join(""),
  };
}

/** Whether an input may be what a kernel has in hand: it has a number for each of the result. */
export const isWhole = (input: Pick<Tensor, "shape">, shape: readonly number[]): boolean =>
  size(input.shape) === size(shape);

const usesMath = (body: readonly string[]): boolean =>
  /expm1|mish_gate|normal_|or_nan|sigmoid|softplus|tanh_exact|wave/.test(body.join());

/** How an operand of a result is stored and read: by vec4f where it can be, once where it is the same for four, else number by number. */
function operandAccess(
  name: string,
  operand: readonly number[],
  shape: readonly number[],
  { lanes, columns, aligned }: EpilogueForm,
) {
  const map = repeated(operand, shape);
  const { from, length } = map.runs.at(-1) ?? { from: 0, length: 0 };
  const isLine = map.runs.length === 1 && from === 1 && length === columns && length < map.count;
  const place = isLine ? "column" : placeOf(map, "at");
  if (lanes === 1) return { element: "f32", read: `${name}[${place}]` };
  if (aligned && from === 1 && (length % 4 === 0 || length === map.count)) {
    return { element: "vec4f", read: `${name}[${place.includes(" ") ? `(${place})` : place} / 4]` };
  }
  if (from === 0 || (aligned && from % 4 === 0)) return { element: "f32", read: `vec4f(${name}[${place}])` };
  const lane = (i: number) => (isLine ? `(column + ${i}) % ${columns}` : placeOf(map, `(at + ${i})`));
  return { element: "f32", read: `vec4f(${[0, 1, 2, 3].map((i) => `${name}[${lane(i)}]`).join(", ")})` };
}
