// A training that goes to PyTorch and comes back: 20 steps here, 20 on two processes of DDP by test/golden/ddp.py, 20 here. It is held
// against 60 steps of PyTorch alone, in f64.

import { expect, test } from "vitest";
import { compile, type HostTensor, summary, type TensorState } from "../../src/index.ts";
import { fromPyTorch, loadOptimizer, loadWeights, toPyTorch } from "../../src/pytorch/index.ts";
import aloneFile from "../golden/ddp/alone.pt?url";
import backFile from "../golden/ddp/back.pt?url";
import handedScript from "../golden/ddp/handed/model.py?raw";
import handedWeights from "../golden/ddp/handed/model.safetensors?url";
import handedOptimizer from "../golden/ddp/handed/optimizer.safetensors?url";
import startWeights from "../golden/ddp/start/model.safetensors?url";
import { input, part, sentBatch, sentModel, sentOptions } from "../golden/ddp.ts";
import losses from "../golden/ddp-alone.json" with { type: "json" };
import ddp from "../golden/ddp-back.json" with { type: "json" };
import { guarded } from "./guarded.ts";

const get = async (url: string): Promise<ArrayBuffer> => (await fetch(url)).arrayBuffer();
const norm = (values: ArrayLike<number>): number => Math.hypot(...Array.from(values));
const away = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  norm(Array.from(a, (value, i) => value - (b[i] as number)));

type Tensors = ReadonlyMap<string, { readonly data: ArrayLike<number> }>;

/** How far tensors are from where they should be, in parts of the way from the start; those further than 1e-4. */
const astray = (ours: Tensors, end: Tensors, start: Tensors): string[] =>
  [...end].flatMap(([name, { data }]) => {
    const path = away(data, start.get(name)!.data);
    const error = away(data, ours.get(name)!.data);
    return error <= 1e-4 * path ? [] : [`${name} ${error / path}`];
  });

test("20 steps here, 20 on two processes of DDP and 20 here are 60 in PyTorch alone", () =>
  guarded(async (device) => {
    const model = sentModel();
    const made = summary(model, { input });
    const near = (step: number, loss: number): void => {
      const expected = losses.losses[step]!;
      expect(Math.abs(loss - expected) / expected, `step ${step}: ${loss}, PyTorch ${expected}`).toBeLessThan(1e-5);
    };
    const alone = await get(aloneFile);
    const { tensors: start } = await fromPyTorch(await get(startWeights));

    const first = await compile(model, { device, ...sentOptions });
    // PyTorch began where this trainer begins.
    const begun = (await fromPyTorch((await toPyTorch(first, model)).weights)).tensors;
    for (const [name, { data }] of begun) expect(data).toEqual(start.get(name)!.data);
    for (let step = 0; step < part; step++) near(step, (await first.step(sentBatch(step))).loss);

    // DDP went on from files that are these but for the rounding of another adapter.
    const { weights, optimizer, script } = await toPyTorch(first, model, { steps: 3 * part });
    expect(script).toBe(handedScript);
    const sent = [(await fromPyTorch(weights)).tensors, (await fromPyTorch(await get(handedWeights))).tensors] as const;
    expect(astray(sent[0], sent[1], start).filter((one) => !one.startsWith("body.0.bias"))).toEqual([]);
    const kept = [
      (await fromPyTorch(optimizer)).tensors,
      (await fromPyTorch(await get(handedOptimizer))).tensors,
    ] as const;
    expect([...kept[0].keys()]).toEqual([...kept[1].keys()]);
    for (const [name, { data }] of kept[1])
      expect(away(data, kept[0].get(name)!.data), name).toBeLessThan(1e-4 * norm(data));
    expect(ddp.losses.length).toBe(part);
    for (const [i, loss] of ddp.losses.entries()) near(part + i, loss);

    const file = await get(backFile);
    const back = await loadWeights(made, file, { part: "model" });
    const { state } = await loadOptimizer(made, file, { step: 2 * part });
    const trainer = await compile(model, { device, ...sentOptions, weights: back.weights, state });
    expect(trainer.steps).toBe(2 * part);
    for (let step = 2 * part; step < 3 * part; step++) near(step, (await trainer.step(sentBatch(step))).loss);
    const end = (await fromPyTorch((await toPyTorch(trainer, model)).weights)).tensors;
    expect(astray(end, (await fromPyTorch(alone, { part: "model" })).tensors, start)).toEqual([]);
    const expected = await loadOptimizer(made, alone, { step: 3 * part });
    const now = await trainer.state();
    expect(expected.state.tensors.size).toBe(6);
    for (const [name, own] of expected.state.tensors) {
      const got = now.tensors.get(name)!;
      expect(got.step).toBe(3 * part);
      expect(Object.keys(got)).toEqual(Object.keys(own));
      for (const moment of ["moment1", "moment2"] as const) {
        const [given, had] = [(own as TensorState<HostTensor>)[moment], got[moment]];
        if (given !== undefined)
          expect(away(given.data, had!.data), `${moment} of ${name}`).toBeLessThan(1e-4 * norm(given.data));
      }
    }
    first.dispose();
    trainer.dispose();
  }));
