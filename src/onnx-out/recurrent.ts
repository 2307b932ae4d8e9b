// Layers that go through a sequence as LSTM and GRU of ONNX, which multiply the input themselves: so a form looks back to what its
// input was multiplied by. Gates have another order there, matrices lie transposed, and the steps come before the samples.

import { FLOAT, type Host, host, transposed } from "../onnx/host.ts";
import type { Ask } from "./ask.ts";
import { type Held, inOrder, type Sheet, shapeOf } from "./sheet.ts";

/** ONNX's gates by their places here: i o f c of i f c o, z r h of r z h. */
const cells: Readonly<Record<string, { readonly op: string; readonly gates: readonly number[] }>> = {
  lstmSteps: { op: "LSTM", gates: [0, 3, 1, 2] },
  gruSteps: { op: "GRU", gates: [1, 0, 2] },
  gruResetBeforeSteps: { op: "GRU", gates: [1, 0, 2] },
};

/** What x is x W + b of, through changes of shape; undefined where it is no product with a weight. */
function productOf(x: Held): { readonly x: Held; readonly w: Host; readonly b: Host | undefined } | undefined {
  const peeled = (one: Held | undefined, op: string, name: string): Held | undefined =>
    one?.from?.op === op ? one.from.x[name] : undefined;
  const flat = peeled(x, "reshape", "x") ?? x;
  const unbiased = peeled(flat, "bias", "x") ?? flat;
  const b = flat.from?.op === "bias" ? flat.from.x.b : undefined;
  const w = peeled(unbiased, "matmul", "b");
  const rows = peeled(unbiased, "matmul", "a");
  const given = rows && (peeled(rows, "reshape", "x") ?? rows);
  const isProduct =
    w?.kind === "host" && (b === undefined || b.kind === "host") && given && shapeOf(given).length === 3;
  return isProduct ? { x: given, w, b: b as Host | undefined } : undefined;
}

/** Columns of gates in ONNX's order, as rows, of one direction. */
function gatesOf(given: Host, order: readonly number[]): Host {
  const matrix = given.dims.length === 2 ? transposed(given, [1, 0]) : given;
  const whole = matrix.data.length / order.length;
  const data = new Float32Array(matrix.data.length);
  for (const [to, from] of order.entries())
    for (let i = 0; i < whole; i++) data[to * whole + i] = matrix.data[from * whole + i] as number;
  return { ...matrix, dims: [1, ...matrix.dims], data };
}

export function recurrent(ask: Ask): Readonly<Record<string, Held>> {
  const { sheet, attributes, op: name } = ask;
  const { u, b: own, h0, c0 } = ask.x as Readonly<Record<string, Held>>;
  const { op, gates } = cells[name] as (typeof cells)[string];
  if (u?.kind !== "host" || (own !== undefined && own.kind !== "host"))
    return ask.refuse("has a recurrent weight that is reckoned");
  const x = ask.x.x as Held;
  const units = u.dims[0] as number;
  const width = gates.length * units;
  const { x: given, w, b } = productOf(x) ?? { x, w: unit(width), b: undefined };
  const zeros = host([width], new Float32Array(width), FLOAT);
  const [first, second] = [b ?? zeros, own ?? zeros].map((one) => gatesOf(one, gates)) as [Host, Host];
  const both = new Float32Array(2 * width);
  both.set(first.data);
  both.set(second.data, width);
  const bias: Host = { ...host([1, 2 * width], both, FLOAT), name: b?.name ?? own?.name };
  const state = (one: Held): string => sheet.laid(sheet.reshaped(flowOf(sheet, one), [1, ...shapeOf(one)]));
  const states = [h0, c0].flatMap((one) => (one === undefined ? [] : [state(one)]));
  const inputs = [
    sheet.laid(given, [1, 0, 2]),
    ...[gatesOf(w, gates), gatesOf(u, gates), bias].map((one) => sheet.laid(one)),
    ...(states.length === 0 ? [] : ["", ...states]),
  ];
  const outputs = op === "LSTM" ? ["y", "h", "c"] : ["y", "h"];
  const made = sheet.nodes(
    op,
    inputs,
    {
      ...{ hidden_size: units, direction: attributes.reverse === true ? "reverse" : "forward" },
      ...(op === "GRU" && { linear_before_reset: name === "gruSteps" ? 1 : 0 }),
    },
    outputs.length,
  );
  const [batch = 0, places = 0] = shapeOf(x);
  return Object.fromEntries(
    outputs.map((key, i): [string, Held] => {
      // [T, 1, B, units] and [1, B, units].
      const dims = key === "y" ? [batch, 1, places, units] : [1, batch, units];
      const flow = sheet.flow(made[i] as string, dims, key === "y" ? [2, 1, 0, 3] : inOrder(3));
      return [key, { ...flow, shape: key === "y" ? [batch, places, units] : [batch, units] }];
    }),
  );
}

const flowOf = (sheet: Sheet, x: Held): Held => (x.kind === "flow" ? x : sheet.flow(sheet.laid(x), x.dims));

/** The matrix that changes nothing: of an input that is multiplied in another way. */
const unit = (width: number): Host =>
  host(
    [width, width],
    Float32Array.from({ length: width * width }, (_, i) => (i % (width + 1) === 0 ? 1 : 0)),
    FLOAT,
  );
