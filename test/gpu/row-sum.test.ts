// Norms of tensors on the GPU: the sums over many blocks against f64, in the slot of their step, with the length of the step and
// the factors that the row had.

import { expect, test } from "vitest";
import { lossPlateau } from "../../src/optim/controller/loss-plateau.ts";
import { updateRatio } from "../../src/optim/controller/update-ratio.ts";
import { adamw } from "../../src/optim/rule/adam.ts";
import { sgd } from "../../src/optim/rule/sgd.ts";
import { layOut } from "../../src/plan/layout.ts";
import { stream } from "../../src/random.ts";
import { submitSteps } from "../../src/step/replay.ts";
import { plainUpdate } from "../../src/step/update.ts";
import { complaint } from "../reference/compare.ts";
import { norm } from "../reference/norm.ts";
import { normals } from "../reference/numbers.ts";
import { rowSum } from "../reference/row-sum.ts";
import { exact, type Round, single } from "../reference/twin.ts";
import { onDevice } from "./device.ts";
import { gradientsAt, type Left, runSequence, type Sequence } from "./sequence.ts";
import { fillArenas, prepareUpdate } from "./update.ts";

const lengths = [1, 3, 255, 256, 257, 511, 1000, 100 * 256 + 7];

function expectNear(name: string, got: number, expected: number, sequential: number): void {
  const [right, near] = [Float64Array.of(expected), Float64Array.of(sequential)];
  expect(complaint({ name, shape: [1], got: [got], expected: right, sequential: near })).toBeUndefined();
}

const square = (values: Float64Array, round: Round): number => norm(values, values, values, undefined, round)[1];

test.each([1, 1e-4, 1e4])("each sampled step of a submission has a slot, gradients x %s", async (scale) => {
  const optimizer = sgd({ lr: 0.125 });
  const layout = layOut(lengths.map((length, i) => ({ name: `row ${i}`, shape: [length], layer: "" })));
  const starts = lengths.map((length, row) => [
    new Float64Array(length),
    normals(length, stream(row, "gradients")).map((g) => Math.fround(g * scale)),
  ]);
  const frozen = 4;
  await onDevice(lengths.length, async (gpu, replay) => {
    const { store, prepared } = await prepareUpdate(gpu, replay, plainUpdate(optimizer.rule), layout, {
      sampled: true,
    });
    const run = async () => {
      fillArenas(gpu, store, layout, ["parameters", "gradients"], starts);
      const submitted = await submitSteps(replay, prepared, 5, (i, table) => {
        for (const row of lengths.keys()) optimizer.writeRow(table, row * 4, 0.125, 0, 1);
        table.fill(0, frozen * 4, frozen * 4 + 4);
        return { step: 7 + i, start: 0, count: 1, sampled: i === 1 || i === 4 };
      });
      return (await submitted.metrics).statistics;
    };
    const [first, second] = [await run(), await run()];
    store.dispose();
    expect(second).toEqual(first);
    expect([...first.keys()]).toEqual([8, 11]);
    for (const [step, numbers] of first) {
      expect(numbers).toHaveLength(lengths.length * 8);
      for (const [row, [, gradients]] of starts.entries()) {
        const at = row * 8;
        // Weights start from 0 and have had so many equal steps before this one.
        const [g, p, dp] = [1, (step - 7) / 8, 1 / 8].map((by) => gradients!.map((value) => value * by));
        for (const [k, values] of [g!, p!, undefined, undefined, undefined, dp!].entries()) {
          if (values === undefined) expect(numbers[at + k]).toBe(0);
          else if (row === frozen) expect(numbers[at + k]).toBe(0);
          else expectNear(`row ${row}, number ${k}`, numbers[at + k]!, square(values, exact), square(values, single));
        }
        expect([...numbers.subarray(at + 6, at + 8)]).toEqual([1, 1]);
      }
    }
  });
});

test("sums are taken in f64 by blocks as over the whole tensor", () => {
  const values = normals(1000, 1);
  const blocks = [0, 256, 512, 768].map((at) => values.subarray(at, at + 256));
  const sum = rowSum(
    blocks.map((block) => norm(block, block, block, block, exact)),
    exact,
  );
  for (const [k, value] of norm(values, values, values, values, exact).entries()) expect(sum[k]).toBeCloseTo(value, 9);
});

/** Squared length of a row's last step, from the weights that were there before and after. */
function movedAt(left: readonly Left[], step: number, row: number, round: Round): number {
  const [before, after] = [left[step - 2]!, left[step - 1]!].map(({ arenas }) => arenas.get("parameters")![row]!);
  return square(
    Float64Array.from(after!, (p, i) => p - before![i]!),
    round,
  );
}

test("the controllers get the length of the step before, people that of this one and both factors", async () => {
  const one: Sequence = {
    layers: [lengths.slice(0, 3), lengths.slice(3, 5), lengths.slice(5)],
    optimizers: [adamw({ lr: 0.1 })],
    settings: {
      controllers: [updateRatio({ target: 0.5, power: 1 }), lossPlateau({ steps: 1, patience: 0 })],
      clip: { most: 1, byLayer: true },
    },
    sampled: true,
    reads: ["norms", "scales"],
    steps: 5,
  };
  const left = await runSequence(one);
  for (const step of [3, 4, 5]) {
    const { read, statistics, arenas } = left[step - 1]!;
    const [norms, scales] = [read.get("norms")!, read.get("scales")!];
    for (const row of lengths.keys()) {
      const at = row * 8;
      const g = gradientsAt(one, step)[row]!;
      const p = Float64Array.from(left[step - 2]!.arenas.get("parameters")![row]!);
      expect(arenas.get("parameters")![row]).not.toEqual(Float32Array.from(p));
      for (const [k, values] of [g, p].entries()) {
        for (const found of [norms, statistics!])
          expectNear(`row ${row}, number ${k}`, found[at + k]!, square(values, exact), square(values, single));
      }
      const [last, now] = [step - 1, step].map((k) => [exact, single].map((round) => movedAt(left, k, row, round)));
      expectNear(`row ${row}, last step`, norms[at + 5]!, last![0]!, last![1]!);
      expectNear(`row ${row}, this step`, statistics![at + 5]!, now![0]!, now![1]!);
      expect([...norms.subarray(at + 6, at + 8)]).toEqual([1, 1]);
      expect(statistics!.subarray(at + 6, at + 8)).toEqual(scales.subarray(row * 2, row * 2 + 2));
      expect(scales[row * 2]).not.toBe(scales[row * 2 + 1]);
    }
  }
});
