// A training goes on here as it goes on in PyTorch, from one checkpoint: losses, weights, running statistics and moments.

import { expect, test } from "vitest";
import { compile } from "../../src/index.ts";
import { fromPyTorch, loadWeights, toPyTorch } from "../../src/pytorch/index.ts";
import golden from "../golden/handover.json" with { type: "json" };
import checkpoint from "../golden/handover.safetensors?url";
import { before, behind, handedBatch, handedModel, handedOptions } from "../golden/handover.ts";
import { guarded } from "./guarded.ts";

const norm = (values: ArrayLike<number>): number => Math.hypot(...Array.from(values));

test("twenty steps behind a hand-over are those of PyTorch", () =>
  guarded(async (device) => {
    const trainer = await compile(handedModel(), { device, ...handedOptions });
    trainer.load(await (await fetch(checkpoint)).arrayBuffer());
    expect(golden.losses.length).toBe(behind);
    for (const [i, expected] of golden.losses.entries()) {
      const { loss } = await trainer.step(handedBatch(before + i));
      expect(Math.abs(loss - expected) / expected, `step ${i}: ${loss}, PyTorch ${expected}`).toBeLessThan(1e-5);
    }
    const { weights, optimizer } = await toPyTorch(trainer, handedModel());
    const [ours, state] = [(await fromPyTorch(weights)).tensors, (await fromPyTorch(optimizer)).tensors];
    expect([...ours.keys()].sort()).toEqual(Object.keys(golden.weights).sort());
    for (const [name, end] of Object.entries(golden.weights)) {
      const start = golden.start[name as keyof typeof golden.start];
      const path = end.map((value, i) => value - start[i]!);
      const error = end.map((value, i) => value - ours.get(name)!.data[i]!);
      if (name === "body.0.bias") expect(norm(path)).toBe(0);
      expect(norm(error), name).toBeLessThanOrEqual(1e-4 * norm(path));
    }
    for (const [name, values] of Object.entries(golden.moments)) {
      const error = values.map((value, i) => value - state.get(name)!.data[i]!);
      expect(norm(error), name).toBeLessThanOrEqual(1e-4 * norm(values));
    }
    // And back: what PyTorch has is set here.
    const source = new Map(
      Object.entries(golden.weights).map(([name, data]) => [name, { shape: ours.get(name)!.shape, data }]),
    );
    await loadWeights(trainer, source);
    const set = await trainer.weights();
    expect(set.get("head.bias")!.data).toEqual(Float32Array.from(golden.weights["head.bias"]));
    trainer.dispose();
  }));
