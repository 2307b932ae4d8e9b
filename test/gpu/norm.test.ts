// Sums of squares block by block on the GPU, with and without a direction, before and after clipping, against f64. What they
// are taken of is what the step before left on the GPU.

import { describe, expect, test } from "vitest";
import { hypergradient } from "../../src/optim/controller/hypergradient.ts";
import type { Optimizer } from "../../src/optim/optimizer.ts";
import { adamw, lamb } from "../../src/optim/rule/adam.ts";
import { sgd } from "../../src/optim/rule/sgd.ts";
import { BLOCK } from "../../src/plan/layout.ts";
import type { UpdateSettings } from "../../src/step/update.ts";
import { complaint } from "../reference/compare.ts";
import { direction, norm } from "../reference/norm.ts";
import { exact, single } from "../reference/twin.ts";
import { clipped, withMomentum } from "../reference/update.ts";
import { fillTable, gradientsAt, runSequence, type Sequence } from "./sequence.ts";

const names = ["|g|^2", "|p|^2", "|u|^2", "g u", "bad"];

/** On a CPU and as on a GPU. `directed`: there is a u. */
async function check(one: Sequence, directed: boolean): Promise<void> {
  for (const software of [true, false]) await checkOn({ ...one, software }, directed);
}

async function checkOn(one: Sequence, directed: boolean): Promise<void> {
  const clips = one.settings?.clip !== undefined;
  const left = await runSequence({ ...one, steps: 3, reads: ["partials", ...(clips ? ["scales"] : [])] });
  const [before, { read }] = left.slice(1) as [(typeof left)[0], (typeof left)[0]];
  const partials = read.get("partials")!;
  const table = new Float32Array(one.layers.flat().length * 4);
  fillTable(one, table, 3);
  const rule = withMomentum(one.optimizers[0]!.rule, one.momentumAt?.(3));
  const gradients = gradientsAt(one, 3);
  const complaints: string[] = [];
  let block = 0;
  for (const [row, length] of one.layers.flat().entries()) {
    const host = table.subarray(row * 4, row * 4 + 4);
    const isFrozen = host[3] === 0;
    const raw = isFrozen ? new Float64Array(length) : gradients[row]!;
    const arrays = ["parameters", ...rule.moments].map((name) => Float64Array.from(before.arenas.get(name)![row]!));
    const sums = [exact, single].map((round) => {
      const g = clipped(raw, one.settings?.clamp, read.get("scales")?.[row * 2] ?? 1, round);
      const [weights, ...moments] = arrays as [Float64Array];
      const u = directed && !isFrozen ? direction(rule, [weights, g, ...moments], host, round) : undefined;
      return Array.from({ length: Math.ceil(length / BLOCK) }, (_, i) => {
        const [own, seen, p, way] = [raw, g, weights, u].map((all) => all?.subarray(i * BLOCK, (i + 1) * BLOCK));
        return norm(own!, seen!, p!, way, round);
      });
    });
    for (const [i, expected] of sums[0]!.entries()) {
      const near = sums[1]![i]!;
      for (const [k, name] of names.entries()) {
        // The product may be small beside its terms.
        const size = k === 3 ? Math.sqrt(expected[0] * expected[2]) : 0;
        const text = complaint({
          name: `${name} of row ${row}, block ${i}`,
          shape: [2],
          got: [partials[(block + i) * 5 + k]!, size],
          expected: Float64Array.of(expected[k]!, size),
          sequential: Float64Array.of(near[k]!, size),
        });
        if (text !== undefined) complaints.push(text);
      }
      if (directed && !isFrozen) expect(expected[2]).toBeGreaterThan(0);
    }
    block += sums[0]!.length;
  }
  if (complaints.length > 0) throw new Error(complaints.slice(0, 5).join("\n"));
}

const clip = { most: 1, byLayer: false };
const hyper = { controllers: [hypergradient()] };

describe.each<[string, Optimizer, Partial<UpdateSettings>, Partial<Sequence>, boolean]>([
  ["without a direction", sgd({ momentum: 0.9, lr: 1e-6 }), {}, { sampled: true }, false],
  ["with sgd's", sgd({ momentum: 0.9, lr: 1e-6 }), hyper, {}, true],
  ["with adam's", adamw({ lr: 0.01 }), hyper, {}, true],
  ["with adam's and clamping", adamw({ lr: 0.01 }), { ...hyper, clamp: 0.5 }, {}, true],
  ["with lamb's", lamb({ lr: 0.01 }), {}, {}, true],
  ["with lamb's after clipping", lamb({ lr: 0.01 }), { clip, clamp: 2 }, {}, true],
  [
    "with lamb's and the momentum of the step",
    lamb(),
    { momentum: true },
    { momentumAt: (step) => 0.8 + 0.05 * step },
    true,
  ],
])("%s", (_, optimizer, settings, more, directed) => {
  const one: Sequence = {
    layers: [[1, 3], [255, 256], [257], [511, 1000]],
    optimizers: [optimizer],
    isFrozen: (step, row) => row === 3 && step === 3,
    settings,
    ...more,
  };

  test.each([1, 1e-4, 1e4])("gradients x %s", (scale) => check({ ...one, scale }, directed));

  test("70 tensors", () =>
    check({ ...one, layers: Array.from({ length: 70 }, (_, i) => [1 + 37 * (i % 9)]) }, directed));
});

test("gradients that are bad are counted and are 0 in the sums, clamped or not", async () => {
  const bad = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3e14, -1e30];
  const gradient = (usual: Float64Array, step: number, row: number): Float64Array =>
    step === 3 ? usual.map((g, i) => (i % 100 < row ? bad[i % 5]! : g)) : usual;
  const one: Sequence = { layers: [[300], [1], [2, 513]], optimizers: [sgd()], gradient, sampled: true };
  await check(one, false);
  await check({ ...one, settings: { clamp: 1 } }, false);
});
