// Every update rule over 200 steps against PyTorch in f64, or against an independent f64 implementation where PyTorch has
// none: several tensors at once, each with a rate and a decay of its own, through `applyGradients`; then rules side by side.
// What may go wrong is a hundred-thousandth of the path, the distance between start and end, and no more: the file is made
// so that f32 can do that (rule.py).

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

/** The case that each tensor follows. */
type Plan = Readonly<Record<string, string>>;

const caseOf = (plan: Plan, tensor: string): Case => cases[plan[tensor] as string] as Case;

/** The golden tensors as weights that no loss depends on, beside one that it does. */
const bag = (plan: Plan): Layer => ({
  kind: "bag",
  apply(scope, x) {
    for (const { name, shape } of tensors) {
      if (!(name in plan)) continue;
      const { start } = caseOf(plan, name);
      scope.child(name).parameter("value", shape, () => Float32Array.from(startOf(name, start)));
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

/** `own`: each tensor gets the optimizer of its case, else all have the one given. */
async function follow(device: GPUDevice, plan: Plan, optimizer: Optimizer, own: boolean): Promise<void> {
  const names = Object.keys(plan);
  const trainer = await compile(bag(plan), {
    device,
    input: [1],
    batch: 1,
    loss: meanSquaredError(),
    optimizer,
    schedule: multiStepLR({ milestones: [drop.step], gamma: drop.factor }),
    rates: names.map((tensor) => {
      const { lr_scale: multiplier, weight_decay: weightDecay } = rows[tensor] as (typeof rows)[string];
      const spec = { multiplier, weightDecay };
      return { [tensor]: own ? { ...spec, optimizer: optimizerOf(caseOf(plan, tensor)) } : spec };
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
      const key = `${plan[tensor]}.${tensor}${end ? "" : `@${step + 1}`}`;
      const path = file.tensors.get(key)?.data;
      if (path === undefined) continue;
      const kept = (values: Float32Array): Float32Array => values.filter((_, i) => i % (every[tensor] ?? 1) === 0);
      const start = kept(startOf(tensor, caseOf(plan, tensor).start));
      const ours = kept(weights.get(`${tensor}.value`)?.data as Float32Array);
      const distance = norm(Array.from(path, (moved, i) => (ours[i] as number) - (start[i] as number) - moved));
      expect(ours.length, key).toBe(path.length);
      expect(distance, `${key}: distance from the reference`).toBeLessThanOrEqual(1e-5 * norm(path));
    }
  }
  trainer.dispose();
}

test.each(Object.entries(cases))("%s", (name, golden) => {
  const names = Object.keys(rows).filter((tensor) => file.tensors.has(`${name}.${tensor}`));
  const plan = Object.fromEntries(names.map((tensor) => [tensor, name]));
  return guarded((device) => follow(device, plan, optimizerOf(golden), false));
});

test.each<Plan>([
  { a: "nesterov", b: "adam_betas", c: "rmsprop_centered_momentum", d: "lion", e: "adamw_betas_amsgrad" },
  { a: "radam", b: "adagrad_initial", c: "nadam", d: "adamax", e: "adadelta_decoupled" },
  { a: "lamb", b: "lars_eps", c: "sgd_momentum_decoupled", d: "lars_nesterov", e: "lamb_betas", f: "lars" },
])("side by side: %o", (plan) => guarded((device) => follow(device, plan, sgd(), true)));
