// Bad numbers put into the output of every command of a training step, forward and backward: NaN, infinities and 1e38. Where
// they reach the loss or a gradient, as the twins say, nothing moves by a bit and the status names step and tensor; with a guard
// that holds for the layers that rest. Where a mask, a pool or a short batch drops them, the step has the bits of a sound one.

import { describe, expect, test } from "vitest";
import {
  conv2d,
  crossEntropy,
  dense,
  flatten,
  maxPool2d,
  meanSquaredError,
  relu,
  sequential,
} from "../../src/index.ts";
import { autoRgn } from "../../src/optim/controller/auto-rgn.ts";
import { guard } from "../../src/optim/controller/guard.ts";
import { hypergradient } from "../../src/optim/controller/hypergradient.ts";
import { lossPlateau } from "../../src/optim/controller/loss-plateau.ts";
import { updateRatio } from "../../src/optim/controller/update-ratio.ts";
import { adamw } from "../../src/optim/rule/adam.ts";
import { sgd } from "../../src/optim/rule/sgd.ts";
import { type Injection, openInjection, type Setting } from "../gpu/injection.ts";
import { modelCases } from "../reference/model-case.ts";

const mlp = {
  model: sequential({ fc1: dense(5), relu1: relu(), fc2: dense(4), relu2: relu(), fc3: dense(3) }),
  input: [6],
  batch: 4,
  loss: crossEntropy(),
};
const cnn = {
  model: sequential({
    conv1: conv2d(4, { padding: "same" }),
    relu1: relu(),
    pool1: maxPool2d(2),
    conv2: conv2d(3, { padding: "same" }),
    relu2: relu(),
    pool2: maxPool2d(2),
    flatten: flatten(),
    head: dense(3),
  }),
  input: [8, 8, 1],
  batch: 4,
  loss: crossEntropy(),
};

const clip = { most: 0.5, byLayer: false };
const learning = [updateRatio(), autoRgn({ steps: 2 }), hypergradient(), lossPlateau({ steps: 1 })];
const settings: Readonly<Record<string, Setting>> = {
  plain: {},
  "clipped by norm": { clip },
  "clipped by value": { clamp: 0.5 },
  "two micro-batches and a mean": { accumulate: 2, average: true },
  "controllers, clipping, two micro-batches and a mean": { controllers: learning, clip, accumulate: 2, average: true },
  "a guard on every layer": { controllers: [guard()], average: true },
  "a guard on every layer, clipping by layer, two micro-batches": {
    controllers: [guard(), ...learning],
    clip: { most: 0.5, byLayer: true },
    accumulate: 2,
  },
  "a guard on the first layer alone": { controllers: [guard()], guarded: 1 },
};

/** What has to be so after one injection; the kind of it, so that no kind is missing. */
function check({ name, twin, found, sound, before, after }: Injection): string {
  const changed = (left: ReadonlyMap<string, string>, right: ReadonlyMap<string, string>): string[] =>
    [...left].filter(([key, bits]) => right.get(key) !== bits).map(([key]) => key);
  expect(found.odd, `${name}: no bad number stays`).toEqual([]);
  // What the sound run leaves after the mark is wiped off, the disturbed one must leave too.
  if (twin.halts) {
    expect([found.badStep, found.badRow], `${name}: the status`).toEqual([2, twin.badRow]);
    expect(changed(found.arenas, before), `${name}: nothing moves`).toEqual([]);
    expect(changed(found.next, after), `${name}: nothing leaks into the next step`).toEqual([]);
    return "halted";
  }
  expect(found.badStep, `${name}: no mark`).toBe(0);
  if (twin.rests.length > 0) {
    const rests = (key: string): boolean =>
      twin.rests.some((row) => key.endsWith(` ${row}`)) && !key.startsWith("average");
    expect(changed(found.arenas, before).filter(rests), `${name}: what rests does not move`).toEqual([]);
    const others = (key: string): boolean => twin.same.some((row) => key === `parameters ${row}`);
    expect(changed(found.arenas, sound).filter(others), `${name}: what is as it was does not notice`).toEqual([]);
    return "rested";
  }
  if (twin.isSame) {
    expect(changed(found.arenas, sound), `${name}: the bits of a sound step`).toEqual([]);
    return "dropped";
  }
  return "finite";
}

describe.each([
  ["mlp", mlp, adamw({ lr: 0.01 })],
  ["cnn", cnn, sgd({ lr: 0.05, momentum: 0.9 })],
] as const)("%s", (_, model, optimizer) => {
  test.each(Object.entries(settings))("%s", async (name, setting) => {
    const kinds = new Map<string, number>();
    await openInjection(model, optimizer, setting, (one) => {
      const kind = check(one);
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    });
    const expected = name.includes("every layer") ? ["dropped", "halted", "rested"] : ["dropped", "halted"];
    expect([...kinds.keys()]).toEqual(expect.arrayContaining(expected));
  });
});

describe("other ops", () => {
  const cases = [
    "dense gelu",
    "dense tanh",
    "dense sigmoid, squared error",
    "conv pool overlapping, squared error",
    "shared weights",
  ];
  test.each(cases)("%s", async (name) => {
    await openInjection(modelCases[name]!, adamw({ lr: 0.01 }), {}, check);
  });

  test("rows so long that several threads share them", async () => {
    const model = sequential({ conv: conv2d(1, { kernel: 1 }) });
    const long = { model, input: [40, 40, 1], batch: 2, loss: meanSquaredError() };
    await openInjection(long, sgd({ lr: 0.01 }), {}, check);
  });
});
