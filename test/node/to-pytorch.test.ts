// A training handed on to PyTorch. The files that are written are kept in test/golden/handover; handover.py runs them in PyTorch, and
// what comes of it there is what the story test/stories/handover.test.ts comes to here.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { dense, functional, ops, sequential, summary } from "../../src/index.ts";
import { fromPyTorch, loadWeights, toPyTorch } from "../../src/pytorch/index.ts";
import golden from "../golden/handover.json" with { type: "json" };
import { handedBatch, handedModel, input } from "../golden/handover.ts";
import { relativeError } from "../reference/golden-data.ts";
import { only, runModel } from "../reference/run-model.ts";

const bytes = new Uint8Array(readFileSync("test/golden/handover.safetensors"));
const model = handedModel();

test("the files are those that PyTorch ran", async () => {
  const { script, weights, optimizer } = await toPyTorch(bytes, model, { steps: 60 });
  await expect(script).toMatchFileSnapshot("../golden/handover/model.py");
  const text = (file: Uint8Array): string => `${Buffer.from(file).toString("base64")}\n`;
  await expect(text(weights)).toMatchFileSnapshot("../golden/handover/model.safetensors.txt");
  await expect(text(optimizer)).toMatchFileSnapshot("../golden/handover/optimizer.safetensors.txt");
});

test("PyTorch gives the outputs that the model gives here, and its weights come back as they were", async () => {
  const { weights } = await toPyTorch(bytes, model);
  const back = await loadWeights(summary(model, { input }), weights);
  const { tensors } = await fromPyTorch(bytes);
  for (const [name, { shape, data }] of back.weights) {
    const own = tensors.get(name) ?? tensors.get(`states/${name}`);
    expect({ name, shape, data: [...data] }).toEqual({ name, shape: own?.shape, data: [...own!.data] });
  }
  const { x } = handedBatch(0);
  const { outputs } = runModel(model, only(input, x), back.weights);
  expect(relativeError(outputs.get("")!.data, golden.output)).toBeLessThan(1e-6);
});

test("rates, decays, schedules, rules and what is frozen are groups of parameters, and moments lie as weights do", async () => {
  const { script, optimizer, weights, report } = await toPyTorch(bytes, model, { steps: 60 });
  const lines = script.split("\n").map((line) => line.trim());
  expect(lines).toContain('FROZEN = ["body.0.bias"]');
  expect(lines).toContain('(0.001, 0.1, "schedule.0", ["stem.0.weight"]),');
  expect(lines).toContain('(0.001, 0, "schedule.0", ["stem.1.bias", "stem.1.weight"]),');
  expect(lines).toContain('(0.002, 0.1, "schedule.0", ["body.0.weight"]),');
  expect(lines).toContain('(0.02, 0, "schedule.0", ["head.bias", "head.weight"]),');
  expect(script.match(/"(AdamW|SGD)",/g)).toEqual(['"AdamW",', '"SGD",']);
  const state = (await fromPyTorch(optimizer)).tensors;
  const own = (await fromPyTorch(weights)).tensors;
  expect(state.get("exp_avg_sq/stem.0.weight")?.shape).toEqual(own.get("stem.0.weight")?.shape);
  expect([...state.get("step/stem.0.weight")!.data]).toEqual([5]);
  expect(state.has("exp_avg/body.0.bias")).toBe(false);
  expect(state.get("momentum_buffer/head.weight")?.shape).toEqual([3, 36]);
  // The fifth step has a part of the cosine behind four of warm-up.
  expect(state.get("schedule.0")?.shape).toEqual([60]);
  expect(String(report)).toContain("stem.1.movingMean      stem.1.running_mean  [4]");
});

describe("what has no form there is refused by name", () => {
  /** The checkpoint with other texts in its record, of the same length. */
  const changed = (from: string, to: string): Uint8Array => {
    const text = Buffer.from(bytes).toString("latin1");
    expect(text).toContain(from);
    expect(to.length).toBe(from.length);
    return Buffer.from(text.replaceAll(from, to), "latin1");
  };
  const cases: readonly (readonly [what: string, given: () => Promise<unknown>, message: RegExp])[] = [
    [
      "another rule",
      () => toPyTorch(changed('\\"adamw\\"', '\\"adamx\\"'), model),
      /OptionError.*is trained by adamx, adam, adamw, sgd go over/,
    ],
    [
      "an option of its own",
      () => toPyTorch(changed('\\"epsInside\\":false', '\\"epsInside\\":1    '), model),
      /with epsInside, which torch.optim.AdamW has not/,
    ],
    [
      "a schedule without a name",
      () => toPyTorch(changed('\\"warmupCosine\\"', '\\"custom\\"      '), model),
      /OptionError.*the schedule of ".*" is a function of your own, which nothing describes/,
    ],
    [
      "another model",
      () => toPyTorch(bytes, sequential({ head: dense(3) })),
      /CheckpointError.*the model has "head.weight" of shape/,
    ],
    [
      "weights alone",
      async () => toPyTorch((await toPyTorch(bytes, model)).weights, model),
      /CheckpointError.*says nothing of a training/,
    ],
    [
      "an option that there is not",
      () => toPyTorch(bytes, model, { step: 3 } as object),
      /OptionError.*there is no option "step"/,
    ],
    ["no steps", () => toPyTorch(bytes, model, { steps: 0 }), /OptionError.*steps is 0/],
    [
      "an op that is not written",
      () =>
        toPyTorch(
          bytes,
          sequential({
            ...parts(),
            turn: functional((x, { scope }) => scope.op(ops.where, { condition: x, x, y: x }).z),
          }),
        ),
      /OptionError.*the op "where" of "turn" is one, which is not written for PyTorch/,
    ],
  ];
  const parts = (): Record<string, never> =>
    Object.fromEntries(model.parts!.map(({ name, layer }) => [name, layer])) as Record<string, never>;
  test.each(cases)("%s", async (_, given, message) => {
    expect(
      String(
        await given().then(
          () => "nothing",
          (error: unknown) => error,
        ),
      ),
    ).toMatch(message);
  });
});
