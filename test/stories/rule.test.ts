// Every update rule over 200 steps against PyTorch in f64, or against an independent f64 implementation where PyTorch has
// none: several tensors at once, each with a rate and a decay of its own, through `applyGradients`. What may go wrong is a
// hundred-thousandth of the path, the distance between start and end. The file is made so that f32 can do that: see rule.py.

import { expect, test } from "vitest";
import {
  adadelta,
  adagrad,
  adam,
  adamax,
  adamw,
  compile,
  dense,
  type Layer,
  lamb,
  lars,
  lion,
  meanSquaredError,
  multiStepLR,
  nadam,
  type Optimizer,
  radam,
  rmsprop,
  sgd,
} from "../../src/index.ts";
import { decodeSafetensors } from "../../src/io/safetensors.ts";
import goldenFile from "../golden/rule.safetensors?url";
import { gradientOf, startOf, tensors } from "../golden/rule.ts";
import { guarded } from "./guarded.ts";

interface Case {
  readonly kind: keyof typeof makers;
  /** Half width of the start values. */
  readonly start: number;
  /** Under PyTorch's names. */
  readonly options: Readonly<Record<string, unknown>>;
}

const makers = { adadelta, adagrad, adam, adamax, adamw, lamb, lars, lion, nadam, radam, rmsprop, sgd };

const file = decodeSafetensors(new Uint8Array(await (await fetch(goldenFile)).arrayBuffer()));
const metadata = <T>(name: string): T => JSON.parse(file.metadata[name] as string) as T;
const steps = metadata<number>("steps");
const marks = metadata<number[]>("marks");
const drop = metadata<{ step: number; factor: number }>("drop");
const every = metadata<Record<string, number>>("every");
const rows = metadata<Record<string, { lr_scale: number; weight_decay: number }>>("tensors");
const cases = metadata<Record<string, Case>>("cases");

function optimizerOf({ kind, options }: Case): Optimizer {
  const ours = Object.entries(options).map(([name, value]) => [
    name.replace("_value", "").replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
    value,
  ]);
  return makers[kind](Object.fromEntries(ours));
}

/** The golden tensors as weights that no loss depends on, beside one that it does. */
const bag = (names: readonly string[], spread: number): Layer => ({
  kind: "bag",
  apply(scope, x) {
    for (const { name, shape } of tensors) {
      if (!names.includes(name)) continue;
      scope.child(name).parameter("value", shape, () => Float32Array.from(startOf(name, spread)));
    }
    return dense(1).apply(scope.child("rest"), x);
  },
});

const made = new Map<string, Float32Array>();
function gradientAt(step: number, tensor: string): Float32Array {
  const key = `${tensor}@${step}`;
  const gradient = made.get(key) ?? gradientOf(tensor, step);
  made.set(key, gradient);
  return gradient;
}

const norm = (values: ArrayLike<number>): number => Math.sqrt(Array.from(values).reduce((sum, v) => sum + v * v, 0));

test("the file has every rule", () => {
  expect([...new Set(Object.values(cases).map(({ kind }) => kind))].sort()).toEqual(Object.keys(makers).sort());
});

test.each(Object.entries(cases))("%s", (name, golden) =>
  guarded(async (device) => {
    const names = Object.keys(rows).filter((tensor) => file.tensors.has(`${name}.${tensor}`));
    const trainer = await compile(bag(names, golden.start), {
      device,
      input: [1],
      batch: 1,
      loss: meanSquaredError(),
      optimizer: optimizerOf(golden),
      schedule: multiStepLR({ milestones: [drop.step], gamma: drop.factor }),
      rates: names.map((tensor) => {
        const { lr_scale: multiplier, weight_decay: weightDecay } = rows[tensor] as (typeof rows)[string];
        return { [tensor]: { multiplier, weightDecay } };
      }),
    });
    for (let step = 0; step < steps; step++) {
      await trainer.applyGradients(
        Object.fromEntries(names.map((tensor) => [`${tensor}.value`, gradientAt(step, tensor)])),
      );
      const end = step + 1 === steps;
      if (!end && !marks.includes(step + 1)) continue;
      const weights = await trainer.weights();
      for (const tensor of names) {
        const key = `${name}.${tensor}${end ? "" : `@${step + 1}`}`;
        const path = file.tensors.get(key)?.data;
        if (path === undefined) continue;
        const kept = (values: Float32Array): Float32Array => values.filter((_, i) => i % (every[tensor] ?? 1) === 0);
        const start = kept(startOf(tensor, golden.start));
        const ours = kept(weights.get(`${tensor}.value`)?.data as Float32Array);
        const distance = norm(Array.from(path, (moved, i) => (ours[i] as number) - (start[i] as number) - moved));
        expect(ours.length, key).toBe(path.length);
        expect(distance, `${key}: distance from the reference`).toBeLessThanOrEqual(1e-5 * norm(path));
      }
    }
    trainer.dispose();
  }),
);
