// A checkpoint of PyTorch { model, optimizer, epoch } goes on here as it goes on there: weights, moments, counts of updates, and a rate
// and decay for each group. What a trainer keeps is told and taken in the same form.

import { expect, test } from "vitest";
import { adamw, compile, crossEntropy, dense, meanSquaredError, sequential, summary } from "../../src/index.ts";
import { fromPyTorch, loadOptimizer, loadWeights, toPyTorch } from "../../src/pytorch/index.ts";
import golden from "../golden/resume.json" with { type: "json" };
import { batch, input, resumedBatch, resumedCases, resumedModel } from "../golden/resume.ts";
import adamFile from "../golden/resume-adam.pt?url";
import adamwFile from "../golden/resume-adamw.pt?url";
import rmspropFile from "../golden/resume-rmsprop.pt?url";
import sgdFile from "../golden/resume-sgd.pt?url";
import { guarded } from "./guarded.ts";

const files = { adam: adamFile, adamw: adamwFile, rmsprop: rmspropFile, sgd: sgdFile };
const norm = (values: ArrayLike<number>): number => Math.hypot(...Array.from(values));

test.each(Object.keys(resumedCases) as (keyof typeof resumedCases)[])("%s goes on 20 steps as in PyTorch", (name) =>
  guarded(async (device) => {
    const bytes = await (await fetch(files[name])).arrayBuffer();
    const model = resumedModel();
    const made = summary(model, { input });
    const { weights } = await loadWeights(made, bytes, { part: "model" });
    const { state, rates } = await loadOptimizer(made, bytes, resumedCases[name]);
    const trainer = await compile(model, { device, input, batch, loss: crossEntropy(), weights, state, rates });
    expect(trainer.steps).toBe(golden.before);
    const { losses, ends } = golden[name];
    for (const [i, expected] of losses.entries()) {
      const { loss } = await trainer.step(resumedBatch(golden.before + i));
      expect(Math.abs(loss - expected) / expected, `step ${i}: ${loss}, PyTorch ${expected}`).toBeLessThan(1e-5);
    }
    expect(losses.length).toBe(golden.behind);
    const start = (await fromPyTorch(bytes, { part: "model" })).tensors;
    const ours = (await loadWeights(made, await layoutOf(ends, start))).weights;
    for (const [name, { data }] of await trainer.weights()) {
      const [end, from] = [ours.get(name)!.data, weights.get(name)!.data];
      const path = norm(end.map((value, i) => value - from[i]!));
      expect(path).toBeGreaterThan(0);
      expect(norm(end.map((value, i) => value - data[i]!)) / path, name).toBeLessThan(1e-4);
    }
    trainer.dispose();
  }),
);

/** The ends with the shapes that they have in PyTorch. */
const layoutOf = async (
  ends: Readonly<Record<string, readonly number[]>>,
  start: ReadonlyMap<string, { readonly shape: readonly number[] }>,
) => new Map(Object.entries(ends).map(([name, data]) => [name, { shape: start.get(name)!.shape, data }]));

test("state() of one trainer set in another gives the same bits, and a tensor that is not named keeps its own", () =>
  guarded(async (device) => {
    const model = sequential({ body: dense(3), head: dense(2) });
    const options = { device, input: [4], loss: meanSquaredError(), optimizer: adamw({ lr: 0.01, amsgrad: true }) };
    const samples = (step: number) => ({
      x: Float32Array.from({ length: 12 }, (_, i) => Math.sin(i * 7 + step)),
      y: Float32Array.from({ length: 6 }, (_, i) => Math.cos(i * 5 + step)),
    });
    const first = await compile(model, options);
    for (let step = 0; step < 3; step++) await first.step(samples(step));
    const [weights, state] = [await first.weights(), await first.state()];
    expect(state.step).toBe(3);
    expect(Object.keys(state.tensors.get("body.weight")!)).toEqual(["step", "moment1", "moment2", "moment3"]);
    const second = await compile(model, { ...options, weights, state });
    expect(second.steps).toBe(3);
    await first.step(samples(3));
    await second.step(samples(3));
    expect(await second.weights()).toEqual(await first.weights());
    expect(await second.state()).toEqual(await first.state());
    // One tensor goes back, the others stay.
    const own = state.tensors.get("head.bias")!;
    second.setState({ tensors: { "head.bias": own } });
    const now = await second.state();
    expect(now.step).toBe(4);
    expect(now.tensors.get("head.bias")).toEqual(own);
    expect(now.tensors.get("body.bias")).toEqual((await first.state()).tensors.get("body.bias"));
    // What is refused moves nothing.
    const [before, bad] = [await second.save(), new Map(state.tensors)];
    bad.set("head.bias", { ...own, step: -1 });
    expect(() => second.setState({ tensors: bad })).toThrow('step of "head.bias" is -1');
    expect(await second.save()).toEqual(before);
    first.dispose();
    second.dispose();
  }));

test("the files of toPyTorch give the state back", () =>
  guarded(async (device) => {
    const model = resumedModel();
    const options = { device, input, batch, loss: crossEntropy(), optimizer: adamw({ lr: 0.01 }) };
    const trainer = await compile(model, options);
    // A rest in between: counts of updates go on, the clock of a schedule begins anew.
    for (let step = 0; step < 3; step++) {
      trainer.rates[step === 1 ? "freeze" : "unfreeze"]("stem");
      await trainer.step(resumedBatch(step));
    }
    const written = await toPyTorch(trainer, model);
    const [weights, kept] = [await trainer.weights(), await trainer.state()];
    const other = await compile(model, { ...options, seed: 1 });
    await loadWeights(other, written.weights);
    await loadOptimizer(other, written.optimizer);
    expect(await other.weights()).toEqual(weights);
    expect(await other.state()).toEqual(kept);
    expect(kept.tensors.get("stem.bias")!.step).toBe(2);
    for (const one of [trainer, other]) await one.step(resumedBatch(3));
    expect(await other.weights()).toEqual(await trainer.weights());
    trainer.dispose();
    other.dispose();
  }));
