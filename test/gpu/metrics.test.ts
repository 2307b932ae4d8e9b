// The metrics on the GPU: the numbers of a step against the twin, a slot for each step of a submission, and the mark that a
// loss leaves which is no finite number.

import { expect, test } from "vitest";
import type { Gpu } from "../../src/gpu/device.ts";
import { layOut } from "../../src/plan/layout.ts";
import { plan } from "../../src/plan/plan.ts";
import { record } from "../../src/step/record.ts";
import { createReplay, type Prepared, type Replay, submitSteps } from "../../src/step/replay.ts";
import { createStore, readBack } from "../../src/step/store.ts";
import { plainUpdate } from "../../src/step/update.ts";
import { complaint, distance } from "../reference/compare.ts";
import { interpret } from "../reference/interpret.ts";
import { exact, single } from "../reference/twin.ts";
import { cases as kept } from "./case/keep.ts";
import { cases } from "./case/metrics.ts";
import { buildCase, type Case, caseName } from "./case.ts";
import { onDevice } from "./device.ts";

/** Prepares the one dispatch, and gives a way to set the rows. */
async function prepare(gpu: Gpu, replay: Replay, one: Case, halts = true) {
  const { graph, given, step } = buildCase(one);
  const [rows, result] = graph.tensors as [(typeof graph.tensors)[0], (typeof graph.tensors)[0]];
  const layout = layOut([{ name: rows.name, shape: rows.shape, layer: "" }]);
  const recording = record(graph, plan(graph, layout, [rows.id], new Set()), {
    ...{ name: "test", device: { software: true }, halts, tellsMore: one.op === "keep" },
  });
  const store = createStore(gpu, layout, plainUpdate());
  const prepared: Prepared = await replay.prepare(recording, new Map(store.buffers).set("metrics", replay.metrics));
  const numbers = given.get(rows.id)!;
  const write = (values: Float64Array): void =>
    store.write("parameters", layout.tensors[0]!, Float32Array.from(values));
  write(numbers);
  const resultOf = (round: typeof exact) => interpret(graph, given, step, round).get(result.id)!;
  return { prepared, numbers, write, step, resultOf, dispose: () => store.dispose() };
}

test.for(cases.map((one) => [caseName(one), one] as const))("%s", async ([, one], { task }) => {
  await onDevice(1, async (gpu, replay) => {
    const { prepared, step, resultOf, dispose } = await prepare(gpu, replay, one);
    const runs = [];
    for (let i = 0; i < 2; i++) runs.push(await (await submitSteps(replay, prepared, 1, () => step)).metrics);
    dispose();
    expect(runs[1]).toEqual(runs[0]);
    const [number, loss, hits, ignored] = resultOf(exact) as unknown as [number, number, number, number];
    expect(runs[0]).toMatchObject({ steps: [{ step: number, hits, ignored, count: step.count }], badStep: 0 });
    const mean = {
      name: "mean loss",
      shape: [1],
      got: [runs[0]!.steps[0]!.loss],
      expected: Float64Array.of(loss),
      sequential: resultOf(single).slice(1, 2),
    };
    task.meta.told = { op: one.op, texts: [JSON.stringify(one.attributes ?? {})], ...distance(mean) };
    expect(complaint(mean)).toBeUndefined();
  });
});

test("each step of a submission has a slot, and the first loss that is not finite leaves its number", async () => {
  await onDevice(1, async (gpu, replay) => {
    const { prepared, numbers, write, dispose } = await prepare(gpu, replay, cases[4]!);
    const submit = async (first: number) =>
      (await submitSteps(replay, prepared, 3, (i) => ({ step: first + i, start: 0, count: 10 + i }))).metrics;

    const good = await submit(5);
    expect(good.badStep).toBe(0);
    expect(good.steps.map(({ step, count }) => [step, count])).toEqual([
      [5, 10],
      [6, 11],
      [7, 12],
    ]);
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      write(numbers.with(62, bad));
      expect(await submit(8)).toMatchObject({ badStep: 8, badRow: 0 });
      write(numbers);
      expect((await submit(11)).badStep, "stays until it is cleared").toBe(8);
      replay.clearStatus();
      expect((await submit(14)).badStep).toBe(0);
    }
    dispose();
  });
});

test("a loss that is not finite leaves no mark where nothing is trained", async () => {
  await onDevice(1, async (gpu, replay) => {
    const { prepared, numbers, write, dispose } = await prepare(gpu, replay, cases[4]!, false);
    write(numbers.with(0, Number.NaN));
    const { steps, badStep } = await (await submitSteps(replay, prepared, 1, () => ({ step: 3, start: 0, count: 63 })))
      .metrics;
    dispose();
    expect([steps[0]!.loss, badStep]).toEqual([Number.NaN, 0]);
  });
});

test("the loss of an update is that of its micro-batches, by their shares", async () => {
  await onDevice(1, async (gpu, replay) => {
    const { prepared, numbers, write, dispose } = await prepare(gpu, replay, cases[4]!);
    const losses: number[] = [];
    for (const [part, scale] of [1, 3].entries()) {
      write(numbers.map((value) => value * scale));
      const micro = { weight: part === 0 ? 0.25 : 0.75, first: part === 0, last: part === 1 };
      const found = await (await submitSteps(replay, prepared, 1, () => ({ step: 5, start: 0, count: 63, micro })))
        .metrics;
      losses.push(found.steps[0]!.loss);
    }
    const status = new DataView(await readBack(gpu, replay.metrics, 0, 16));
    dispose();
    expect(status.getUint32(8, true)).toBe(5);
    expect(status.getFloat32(12, true)).toBeCloseTo(0.25 * losses[0]! + 0.75 * losses[1]!, 5);
  });
});

test("counts are added up over the steps of a submission and begin anew with the next, losses have a place for each step", async () => {
  await onDevice(1, async (gpu) => {
    const [counts, losses] = kept as [Case, Case];
    // Words of counts, and samples: what `first` of the cases says.
    const replay = createReplay(gpu, { rows: 1, counts: 9, batch: 65 });
    const counting = await prepare(gpu, replay, counts, false);
    const telling = await prepare(gpu, replay, losses, false);
    const submit = async ({ prepared }: typeof counting, counts: readonly number[]) =>
      (await submitSteps(replay, prepared, counts.length, (i) => ({ step: 0, start: 0, count: counts[i]! }))).metrics;
    for (const steps of [1, 3, 16, 2]) {
      const found = await submit(counting, new Array<number>(steps).fill(3));
      expect([...found.counts]).toEqual([...counting.numbers].map((value) => value * steps));
    }
    const real = [65, 1, 64];
    const told = (await submit(telling, real)).steps.map((step) => [...step.losses!]);
    expect(told).toEqual(real.map((count) => [...telling.numbers.slice(0, count)]));
    for (const one of [counting, telling, replay]) one.dispose();
  });
});
