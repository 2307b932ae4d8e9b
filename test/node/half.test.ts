// Numbers of f16, and kernels that read a base of them: all 65,536 come back, others go to the nearest, and every text that reads the base
// unpacks what it reads, from half of the bytes.

import { describe, expect, test } from "vitest";
import { charGpt } from "../../demo/models/char-gpt.ts";
import { charLstm } from "../../demo/models/char-lstm.ts";
import { resnet8 } from "../../demo/models/resnet8.ts";
import { vitTiny } from "../../demo/models/vit-tiny.ts";
import { fromHalf, toHalf } from "../../src/half.ts";
import type { Layer } from "../../src/index.ts";
import { specialise } from "../../src/op/shader.ts";
import { arenaBytes } from "../../src/plan/layout.ts";
import { readingHalves } from "../../src/step/reading.ts";
import { programOf } from "./program.ts";

test("each of them that is a number comes back, with the sign of 0", () => {
  const wrong = Array.from({ length: 65_536 }, (_, bits) => bits).filter(
    (bits) => !Number.isNaN(fromHalf(bits)) && toHalf(fromHalf(bits)) !== bits,
  );
  expect(wrong).toEqual([]);
  expect(fromHalf(toHalf(Number.NaN))).toBe(Number.NaN);
});

test("between two neighbours the nearer one is taken, half way the even one", () => {
  const wrong = Array.from({ length: 0x7bff }, (_, bits) => bits).filter((bits) => {
    const [low, gap] = [fromHalf(bits), fromHalf(bits + 1) - fromHalf(bits)];
    const [down, half, up, minus] = [0.499, 0.5, 0.501, 0.501].map((part, i) =>
      toHalf((i === 3 ? -1 : 1) * (low + part * gap)),
    );
    return down !== bits || half !== bits + (bits % 2) || up !== bits + 1 || minus !== 0x8000 + bits + 1;
  });
  expect(wrong).toEqual([]);
  // What rounds to more than the largest is infinite.
  expect([65519.99, 65520, 1e30, Number.POSITIVE_INFINITY].map(toHalf)).toEqual([0x7bff, 0x7c00, 0x7c00, 0x7c00]);
  expect([2 ** -25, 1.01 * 2 ** -25, 1e-30].map(toHalf)).toEqual([0, 1, 0]);
});

describe("texts", () => {
  const code = [
    "@group(0) @binding(0) var<storage, read> a: array<f32>;",
    "@group(0) @binding(1) var<storage,read>b:array<vec4f>;",
    "fn main() { let a_b = a[i[2] + 1]; x.a[0] = a_b; let b = b[k]; } // b[",
  ].join("\n");

  test("read functions in place of buffers, and leave other names alone", () => {
    expect(readingHalves(code, ["a", "b"])).toBe(
      [
        "@group(0) @binding(0) var<storage, read> a: array<u32>;",
        "@group(0) @binding(1) var<storage,read>b:array<vec2u>;",
        "fn main() { let a_b = a_read(u32(i[2] + 1)); x.a[0] = a_b; let b = b_read(u32(k)); } ",
        "fn a_read(i: u32) -> f32 { let two = unpack2x16float(a[i / 2u]); return select(two.x, two.y, i % 2u == 1u); }",
        "",
        "fn b_read(i: u32) -> vec4f { return vec4f(unpack2x16float(b[i].x), unpack2x16float(b[i].y)); }",
        "",
      ].join("\n"),
    );
  });

  test("that read something else are refused", () => {
    const other = "var<storage, read> a: array<vec3f>;";
    expect(() => readingHalves(other, ["a"])).toThrow('"a" of "vec3f" has no form in f16');
    expect(() => readingHalves(other, ["b"])).toThrow('"b" of "" has no form in f16');
  });
});

const text = { shape: [16], classes: 11 };
const models: Readonly<Record<string, readonly [model: Layer, input: typeof text | { readonly shape: number[] }]>> = {
  "a char-GPT": [charGpt({ vocabulary: 11, length: 16, units: 8, heads: 2, blocks: 1 }), text],
  "an LSTM": [charLstm(11, 8), text],
  "a residual network": [resnet8(), { shape: [28, 28, 1] }],
  "a Vision Transformer": [vitTiny(), { shape: [28, 28, 1] }],
};

test.each(Object.entries(models))("%s reads its base from half of the bytes", (_, [model, input]) => {
  const inputs = [{ name: "", ...input }];
  const names = programOf(model, { inputs, batch: 2 }).parameters.map(({ name }) => name);
  const except = names.at(-1) as string;
  let joined = 0;
  for (const software of [false, true]) {
    const [whole, half] = (["f32", "f16"] as const).map((dtype) =>
      programOf(model, { inputs, batch: 2, software, base: { except, dtype } }),
    ) as [ReturnType<typeof programOf>, ReturnType<typeof programOf>];
    expect(arenaBytes(half.base.layout)).toBe(arenaBytes(whole.base.layout) / 2);
    const commandsOf = ({ recording }: typeof whole) =>
      recording.commands.filter(({ bindings }) => bindings.some(({ arena }) => arena === "base"));
    const [before, after] = [commandsOf(whole), commandsOf(half)];
    expect(after.length).toBeGreaterThan(2);
    expect(after.map(({ kernel, grid, layer }) => [kernel, grid, layer])).toEqual(
      before.map(({ kernel, grid, layer }) => [kernel, grid, layer]),
    );
    for (const [i, { kernel, source, holes, bindings, parts }] of after.entries()) {
      const own = bindings.filter(({ arena }) => arena === "base");
      const those = before[i]?.bindings.filter(({ arena }) => arena === "base") ?? [];
      expect(own.map(({ number, offset }) => [number, 2 * offset])).toEqual(
        those.map((one) => [one.number, one.offset]),
      );
      for (const [n, { bytes }] of own.entries()) expect(bytes).toBeLessThan((those[n]?.bytes ?? 0) / 2 + 16);
      const code = specialise(kernel, source, holes);
      // Of kernels in one dispatch, numbers begin where they do in f32: both count in fours, or in ones, of which two are a word.
      const begins = (text: string) =>
        [...text.matchAll(/(bound_\d+)\[(\d+)u \+/g)].map(([, name, at]) => {
          const isWords = own.some((one) => one.name === name) && text.includes(`${name}: array<u32>`);
          return Number(at) * (isWords ? 2 : 1);
        });
      if (parts !== undefined) {
        const [own, those] = [code, before[i]?.source ?? ""].map((text) => new Set(begins(text)));
        expect(own).toEqual(those);
        joined++;
      }
      for (const { name } of own) {
        expect(code).toMatch(new RegExp(`var<storage, read> ${name}: array<(u32|vec2u)>;`));
        // Nowhere but in the function that unpacks.
        const reads = code.split("\n").filter((line) => new RegExp(`(?<![.\\w])${name}\\[`).test(line));
        expect(reads.length).toBeGreaterThan(0);
        for (const line of reads) expect(line).toContain("unpack2x16float");
      }
    }
  }
  expect(joined).toBeGreaterThan(0);
});
