// Depth counted in blocks, as timm counts for layer decay.

import { expect, test } from "vitest";
import { adamw, dense, layerDecay, relu, sequential } from "../../src/index.ts";
import { blockDepths } from "../../src/optim/blocks.ts";
import { createRateTable } from "../../src/optim/rates.ts";
import { programOf } from "./program.ts";

const depths = new Map([
  ["conv1", 1],
  ["layer1.0.conv1", 2],
  ["layer1.0.conv2", 3],
  ["layer1.1.conv1", 4],
  ["layer2.0.conv1", 5],
  ["layer2.0.down", 5],
  ["layer2.0.conv2", 6],
  ["fc", 7],
]);
const counted = (pattern: string) => [...blockDepths(depths, pattern).values()].join(" ");

test("layers of a block are equally deep, all others count as they did", () => {
  expect(counted("layer*.*")).toBe("1 2 2 3 4 4 4 5");
  expect(counted("layer*")).toBe("1 2 2 2 3 3 3 4");
  expect(counted("layer2.0")).toBe("1 2 3 4 5 5 5 6");
  expect(counted("**.conv1")).toBe("1 2 3 4 5 5 6 7");
});

test("a pattern that matches nothing is refused", () => {
  expect(() => blockDepths(depths, "block*")).toThrow(
    'compile: blocks "block*" matches no layer. Layers: conv1, layer1.0.conv1, layer1.0.conv2,',
  );
});

test("layer decay goes by blocks: one factor from block to block, none within", () => {
  const block = () => [dense(5), relu(), dense(6)];
  const model = sequential({ stem: dense(6), block1: block(), block2: block(), head: dense(2) });
  const { layout, depths: each } = programOf(model);
  const rates = { rates: layerDecay(0.5), base: [], now: () => 0 };
  const table = createRateTable(layout.tensors, blockDepths(each, "block*"), adamw({ lr: 1 }), rates);
  const multipliers = table.rows.filter(({ name }) => name.endsWith("weight")).map(({ multiplier }) => multiplier);
  expect(multipliers).toEqual([0.125, 0.25, 0.25, 0.5, 0.5, 1]);
});
