// The end of a kernel: a chain of elementwise ops as one WGSL function, with a binding for each second operand.

import math from "../../shaders/parts/math.wgsl?raw";
import { bug } from "../errors.ts";
import type { EpilogueStep, Tensor } from "../graph/graph.ts";
import { opOf } from "../graph/table.ts";

/** Number of the first operand's binding: a kernel has up to four of its own. */
const FIRST = 4;

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

/** `at` is the first number's place in the output, `column` its place in the last axis. */
export function epilogue(steps: readonly EpilogueStep[], inputs: readonly Tensor[], form: EpilogueForm): Epilogue {
  const tensors: Record<string, Tensor> = {};
  const declarations: string[] = [];
  const body: string[] = [];
  for (const step of steps) {
    const { elementwise } = opOf(step.op);
    if (elementwise === undefined) return bug(`"${step.op}" is not elementwise, it cannot end a kernel`);
    let operand = "";
    if (step.operand !== undefined) {
      const name = `operand${Object.keys(tensors).length}`;
      tensors[name] = inputs[step.operand] ?? bug(`"${step.op}" lacks its operand`);
      const { element, read } = operandAccess(name, elementwise.operand === "last", form);
      declarations.push(
        `@group(0) @binding(${FIRST + declarations.length}) var<storage, read> ${name}: array<${element}>;`,
      );
      operand = `    let y = ${read};\n`;
    }
    body.push(`  { // ${step.op}\n${operand}    x = ${elementwise.expression};\n  }`);
  }
  const text = [
    `alias V = ${form.lanes === 4 ? "vec4f" : "f32"};`,
    `alias W = ${form.lanes === 4 ? "vec4u" : "u32"};`,
    usesMath(body) ? math : "",
    ...declarations,
    "fn epilogue(value: V, at: u32, column: u32) -> V {",
    "  var x = value;",
    ...body,
    "  return x;",
    "}",
  ].join("\n");
  return { text, tensors, note: steps.map((step) => ` +${step.op}`).join("") };
}

const usesMath = (body: readonly string[]): boolean => /tanh_exact|sigmoid|normal_/.test(body.join());

/** How an operand is stored and read: by vec4f where it can be, else number by number. */
function operandAccess(name: string, last: boolean, { lanes, columns, aligned }: EpilogueForm) {
  if (lanes === 1) return { element: "f32", read: `${name}[${last ? "column" : "at"}]` };
  if (last ? columns % 4 === 0 : aligned) {
    return { element: "vec4f", read: `${name}[${last ? "column" : "at"} / 4]` };
  }
  const lane = (i: number) => (last ? `${name}[(column + ${i}) % ${columns}]` : `${name}[at + ${i}]`);
  return { element: "f32", read: `vec4f(${[0, 1, 2, 3].map(lane).join(", ")})` };
}
