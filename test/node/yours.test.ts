// The page on which a network of others becomes one's own, as far as it goes without a GPU: the rates of its ways, examples that are drawn, and
// whether each network with its new head goes out in the forms that the page offers.

import { expect, test } from "vitest";
import { dataFile } from "../../demo/data.ts";
import { drawings, drawn } from "../../demo/yours/given.ts";
import { networkNames, networks, readNetwork, withHead } from "../../demo/yours/networks.ts";
import { verdict } from "../../demo/yours/race.ts";
import { ratesOf } from "../../demo/yours/ways.ts";
import { fromKeras, toKeras } from "../../src/keras/index.ts";
import { fromOnnx } from "../../src/onnx/index.ts";
import { toOnnx } from "../../src/onnx-out/index.ts";

test("rates by layer let the head begin alone, and fall evenly to the input", () => {
  const info = { name: "", tensor: "", shape: [], parameterCount: 1, weightDecay: 0, multiplier: 1, maxDepth: 4 };
  const of = (way: "layers" | "head" | "scratch", depth: number) =>
    ratesOf({ way, lr: 0.01, body: 0.1, first: 0.25, alone: 20 })({ ...info, depth });
  expect([1, 2, 3, 4].map((depth) => of("layers", depth))).toEqual([
    { multiplier: 0.025, from: 20 },
    { multiplier: 0.05, from: 20 },
    { multiplier: 0.1, from: 20 },
    undefined,
  ]);
  expect([of("head", 3), of("head", 4), of("scratch", 1)]).toEqual([{ frozen: true }, undefined, undefined]);
});

test("examples are drawn by their seed, none both to learn from and to judge by", async () => {
  const data = { x: Uint8Array.from({ length: 60 }, (_, i) => i), y: Array.from({ length: 60 }, (_, i) => i % 3) };
  const labels = [
    [2, "two"],
    [0, "none"],
  ] as const;
  const { names, learnt, others } = drawn(data, labels, { each: 4, others: 20, seed: 3 });
  expect([names, [...learnt.y], others.y.length]).toEqual([["two", "none"], [0, 0, 0, 0, 1, 1, 1, 1], 20]);
  expect([...learnt.x].map((i) => (i % 3 === 2 ? 0 : 1))).toEqual([...learnt.y]);
  expect(new Set([...learnt.x, ...others.x]).size).toBe(28);
  expect(drawn(data, labels, { each: 4, others: 20, seed: 4 }).learnt.x).not.toEqual(learnt.x);
  const three = await drawings(dataFile, { each: 2, others: 30, seed: 0 });
  expect([three.names, three.others.y.length]).toEqual([["cat", "rainbow", "train"], 30]);
});

test("the verdict says who was ahead, and where it may be chance", () => {
  const ended = (layers: number, head: number) =>
    [
      { way: "layers", accuracy: layers },
      { way: "head", accuracy: head },
    ].map((one) => ({ steps: 1, seconds: 1, ...one })) as Parameters<typeof verdict>[0];
  expect(verdict(ended(0.97, 0.88), 500)).toBe("In the same seconds rates by layer beat head only: 9.0 points more.");
  expect(verdict(ended(0.88, 0.97), 500)).toBe(
    "In the same seconds rates by layer lost to head only: 9.0 points less.",
  );
  expect(verdict(ended(0.9, 0.91), 500)).toBe(
    "In the same seconds rates by layer did not beat head only beyond chance: 1.0 points less, where chance alone makes up to 3.7 on 500 others.",
  );
  expect(verdict(ended(1, 1), 12)).toContain("0.0 points more, where chance alone makes up to");
});

test.each(networkNames)("%s with a new head goes out as TensorFlow.js and ONNX, with all weights", async (name) => {
  const { model, weights } = await readNetwork(name, dataFile);
  const { sizes, channels } = networks[name];
  const input = [sizes[0], sizes[0], channels];
  const own = withHead(name, model, 3);
  const wide = name === "doodlenet" ? 512 : 256;
  const head = Float32Array.from({ length: 3 * wide }, (_, i) => i / 100);
  const all = new Map([...weights, ["head.0.weight", { shape: [wide, 3], data: head }]] as const);
  all.set("head.0.bias", { shape: [3], data: Float32Array.of(1, 2, 3) });
  const again = await fromKeras(toKeras(own, all, { input }));
  const largest = (found: ReadonlyMap<string, { readonly data: Float32Array }>) =>
    [...found.values()].some(({ data }) => data.length === head.length && data.every((value, i) => value === head[i]));
  expect(largest(again.weights)).toBe(true);
  expect(largest((await fromOnnx(await toOnnx(all, own, { input }))).weights)).toBe(true);
});
