// A convolution by strips, as strip.wgsl makes them: how its lines are cut, what a thread reads in a step of its sum, and the text of that.

import { sidesOf } from "./block.ts";
import { type DeviceFacts, each, type Holes } from "./kernel.ts";
import type { Tactic } from "./op.ts";
import type { Strips } from "./tactic.ts";
import { stripOf, type Window } from "./window.ts";

/** What is cut: lines of positions, or, for the gradient of a filter, its rows of taps. */
interface Lines {
  readonly batch: number;
  readonly window: Window;
  /** From one tap of a row to the next, in pixels. */
  readonly dilation: number;
  readonly channels: number;
  readonly columns: number;
  /** Whether results are taps. */
  readonly ofTaps: boolean;
}

/** What a thread does in a step of its sum, whose results meet `other` numbers of each column. */
interface Step {
  readonly strip: number;
  readonly columns: number;
  readonly deep: number;
  readonly other: number;
}

/** Positions at a time, of which none should stand beyond a line. */
const positionsOf = (line: number): number => [4, 3, 2].find((length) => line % length === 0) ?? stripOf(line, 4);

function stepOf(tactic: Tactic, { window: { kernelWidth, outWidth }, ofTaps }: Lines): Step {
  const [strip, columns] = sidesOf(tactic);
  return ofTaps
    ? { strip, columns, deep: strip / kernelWidth, other: positionsOf(outWidth) }
    : { strip, columns, deep: 1, other: kernelWidth };
}

/** How many strips of results there are. */
function stripsIn(tactic: Tactic, lines: Lines): number {
  const { batch, window, channels, ofTaps } = lines;
  const { strip, deep } = stepOf(tactic, lines);
  return ofTaps
    ? window.kernelHeight * Math.ceil(channels / deep)
    : batch * window.outHeight * Math.ceil(window.outWidth / strip);
}

/** Which pixel, counted from the first, a result and one of the others meet in. */
const meeting = ({ window: { kernelWidth, strideWidth }, dilation, ofTaps }: Lines, result: number, other: number) =>
  ofTaps ? other * strideWidth + (result % kernelWidth) * dilation : result * strideWidth + other * dilation;

const pairs = ({ strip, other }: Step): (readonly [result: number, other: number])[] =>
  [...Array(strip * other).keys()].map((i) => [Math.floor(i / other), i % other]);

/** Multiply-adds of four numbers in a step, and sums of a thread: with more of either they take longer each. */
const [MOST_LINES, MOST_SUMS] = [64, 96];

/** All that fit, in equal order of terms: none for a window of single pixels, which nothing shares. */
function stripTactics(lines: Lines, { software, quads = false }: DeviceFacts, splits: number): Tactic[] {
  const { window, channels, columns, ofTaps } = lines;
  if (window.kernelWidth === 1) return [];
  const lengths = ofTaps
    ? [1, 2, 4].flatMap((deep) => (deep > channels ? [] : [deep * window.kernelWidth]))
    : [4, 8, 16].map((most) => stripOf(window.outWidth, most));
  const widths = [4, 8, 16].filter((width) => width === 4 || width / 2 < columns);
  return [...new Set(lengths)].flatMap((strip) =>
    widths.flatMap((width): Tactic[] => {
      const staging = quads ? "quads by strips" : "strips";
      const tactic: Tactic = { tile: `${strip}x${width}`, threads: software ? 16 : 64, shares: 1, splits, staging };
      const fits = strip * width <= MOST_SUMS && (pairs(stepOf(tactic, lines)).length * width) / 4 <= MOST_LINES;
      return fits ? [tactic] : [];
    }),
  );
}

/** What a thread takes, in loads of one number, of which a sum of products takes a sixteenth. */
function costOfStrip(tactic: Tactic, lines: Lines): number {
  const { batch, window, channels, ofTaps } = lines;
  const step = stepOf(tactic, lines);
  const steps = ofTaps
    ? (batch * window.outHeight * Math.ceil(window.outWidth / step.other)) / tactic.splits
    : window.kernelHeight * channels;
  const met = pairs(step);
  const pixels = new Set(met.map((pair) => meeting(lines, ...pair))).size * step.deep;
  const others = (step.other * step.columns) / (tactic.staging === "strips" ? 1 : 4);
  return steps * (pixels + others + (met.length * step.columns) / 16);
}

const onlyIf = (asked: boolean, condition: string, text: string): string =>
  asked ? `if (${condition}) { ${text} }` : text;

/** `adds`: where columns of B are added up, in sums, in parts of them, or not at all. In a quad each thread adds up every fourth. */
function stripText(tactic: Tactic, lines: Lines, adds: "sum" | "part" | ""): Holes {
  const { strip, columns, deep, other } = stepOf(tactic, lines);
  const inQuads = tactic.staging === "quads by strips";
  const perBlock = (text: (block: number) => string): string => each(columns / 4, text);
  const sums = (text: (block: number) => string): string => (adds === "" ? "" : perBlock(text));
  const zero = inQuads ? "0f" : "vec4f()";
  const pixels = new Map<string, string>();
  const pixel = (result: number, i: number): string => {
    const [offset, channel] = [meeting(lines, result, i), Math.floor(result / (strip / deep))];
    const name = `x${offset < 0 ? "_" : ""}${Math.abs(offset)}_${channel}`;
    pixels.set(name, `let ${name} = pixel(line, from_a + channel + ${channel}, first + ${offset});`);
    return name;
  };
  // All terms of a sum one after the other, as long as it stands in registers.
  const products = each(strip, (result) =>
    perBlock((n) =>
      each(other, (i) => `s${result}_${n} = fma(vec4f(${pixel(result, i)}), o${i}_${n}, s${result}_${n});`),
    ),
  );
  const others = each(other, (i) =>
    perBlock((n) => `let o${i}_${n} = other(from_b, under, ${i}, n + ${4 * n}, lane);`),
  );
  // A condition costs as much as several results.
  const isUneven = (lines.ofTaps ? lines.channels % deep : lines.window.outWidth % strip) > 0;
  const stored = (n: number): string =>
    each(strip, (i) => {
      const put = `put(row_of(strip, ${i}), n + ${4 * n}, from_c, ordered(s${i}_${n}, lane));`;
      return onlyIf(isUneven, `is_there(strip, ${i})`, put);
    });
  return {
    ...{ A: "f32", B: "f32", STRIP: strip, OTHER: other, DEEP: deep },
    SUMS: each(strip, (i) => perBlock((n) => `var s${i}_${n} = vec4f();`)) + sums((n) => `var sum${n} = ${zero};`),
    PRODUCTS: [...pixels.values(), others, products].join("\n"),
    ADD_COLUMNS: sums((n) => each(other, (i) => `${adds}${n} += o${i}_${n}${inQuads ? ".x" : ""};`)),
    PARTS: sums((n) => `var part${n} = ${zero};`),
    ADD_PARTS: sums((n) => `sum${n} += part${n};`),
    JOINED: sums((n) => {
      const joined = `vec4f(${each(4, (i) => `quadBroadcast(sum${n}, ${i})`, ", ")})`;
      return `let total${n} = ${inQuads ? joined : `sum${n}`};`;
    }),
    STORES: perBlock((n) => onlyIf(lines.columns % columns > 0, `n + ${4 * n} < N`, stored(n))),
    STORE_SUMS: sums((n) => `store_sum(n + ${4 * n}, from_sum, total${n});`),
  };
}

/** A convolution's strips, for its products. */
export const stripsOf = (lines: Lines): Strips => ({
  tactics: (device, splits) => stripTactics(lines, device, splits),
  countOf: (tactic) => stripsIn(tactic, lines),
  costOf: (tactic) => costOfStrip(tactic, lines),
  textOf: (tactic, adds) => stripText(tactic, lines, adds),
});
