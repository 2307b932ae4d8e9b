// Attention, and positions that are turns, as nodes of ONNX, which has no operator for them: products of heads, softmax, and tables of
// cosines and sines.

import { FLOAT, host } from "../onnx/host.ts";
import type { Ask } from "./ask.ts";
import { type Flow, type Held, inOrder, shapeOf } from "./sheet.ts";

/** What hides a key: the number of f32 that is furthest below 0. */
const LEAST = -3.4028234663852886e38;

/** softmax(scale q k^T) v of each head. Heads of queries that share one of keys are an axis of their own. */
export function attention(ask: Ask): Held {
  const { sheet, attributes } = ask;
  const { q, k, v, mask } = ask.x as Record<"q" | "k" | "v", Held> & { readonly mask?: Held };
  const heads = attributes.heads as number;
  const keyHeads = (attributes.keyHeads ?? heads) as number;
  const [batch, places, units] = shapeOf(q) as [number, number, number];
  const keys = shapeOf(k)[1] as number;
  const length = units / heads;
  const shared = heads / keyHeads;
  const { node, number } = sheet;
  const part = (x: Held, count: number, own: readonly number[], axes: readonly number[]): string => {
    const lying = x.kind === "flow" ? x : sheet.flow(sheet.laid(x), x.dims);
    return sheet.laid(sheet.permuted(sheet.reshaped(lying, [batch, count, ...own, length]), axes));
  };
  const [group, turned, plain] =
    shared === 1
      ? [[heads], [0, 2, 3, 1], [0, 2, 1, 3]]
      : [
          [keyHeads, shared],
          [0, 2, 3, 4, 1],
          [0, 2, 3, 1, 4],
        ];
  const one = shared === 1 ? [heads] : [keyHeads, 1];
  const queries = part(q, places, group, plain);
  const scale = (attributes.scale ?? 1 / Math.sqrt(length)) as number;
  let scores = node("Mul", [node("MatMul", [queries, part(k, keys, one, turned)]), number(scale)]);
  // Of each place and key: what is added, 0 where it is seen, or whether it is.
  const looks = (hidden: number, seen: number) =>
    host(
      [places, keys],
      Float32Array.from({ length: places * keys }, (_, i) => (i % keys > Math.floor(i / keys) ? hidden : seen)),
      FLOAT,
    );
  let seen: string | undefined;
  if (mask !== undefined) {
    const lead = inOrder(one.length).map(() => 1);
    const row = sheet.laid(sheet.reshaped(mask, [batch, ...lead, 1, keys]));
    const isHidden = node("Equal", [row, number(0)]);
    const own = node("Where", [isHidden, number(0), number(1)]);
    seen = attributes.causal === true ? node("Mul", [own, number(looks(0, 1))]) : own;
    scores = node("Where", [node("Equal", [seen, number(0)]), number(LEAST), scores]);
  } else if (attributes.causal === true) scores = node("Add", [scores, number(looks(LEAST, 0))]);
  let shares = node("Softmax", [scores], { axis: -1 });
  // A query that sees no key gives 0.
  if (seen !== undefined) shares = node("Mul", [shares, seen]);
  const made = node("MatMul", [shares, part(v, keys, one, plain)]);
  const dims = [batch, places, ...group, length];
  return { ...sheet.flow(made, dims, plain), shape: ask.shape };
}

/** Each pair (a, b) of a place becomes (a cos - b sin, b cos + a sin). */
export function rotary(ask: Ask): Held {
  const { sheet, attributes, shape } = ask;
  const x = ask.x.x as Flow;
  const [places, length] = [shape[1] as number, shape.at(-1) as number];
  const half = length / 2;
  const isPair = attributes.interleaved === true;
  const lead = inOrder(shape.length - 3).map(() => 1);
  const dims = [places, ...lead, ...(isPair ? [half, 1] : [half])];
  const table = (of: (angle: number) => number): string =>
    sheet.number(
      host(
        dims,
        Float32Array.from({ length: places * half }, (_, i) =>
          of(Math.floor(i / half) * (attributes.base as number) ** ((-2 * (i % half)) / length)),
        ),
        FLOAT,
      ),
    );
  const { node, ints } = sheet;
  const given = sheet.laid(isPair ? sheet.reshaped(x, [...shape.slice(0, -1), half, 2]) : x);
  const middle = isPair ? 1 : half;
  const part = (from: number, to: number): string => node("Slice", [given, ints([from]), ints([to]), ints([-1])]);
  const [a, b, cos, sin] = [part(0, middle), part(middle, 2 * middle), table(Math.cos), table(Math.sin)];
  const times = (one: string, other: string): string => node("Mul", [one, other]);
  const first = node("Sub", [times(a, cos), times(b, sin)]);
  const second = node("Add", [times(b, cos), times(a, sin)]);
  const made = node("Concat", [first, second], { axis: -1 });
  const whole = isPair ? [...shape.slice(0, -1), half, 2] : shape;
  return { ...sheet.flow(made, whole), shape };
}
