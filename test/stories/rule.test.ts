// Every update rule over 200 steps against PyTorch in f64, or against an independent f64 implementation where PyTorch has
// none: five tensors at once, each with a rate and a decay of its own, through `applyGradients`.
//
// A weight kept in f32 is rounded at every step, by up to 2^-24 of itself; that alone makes a distance that grows with the
// square root of the steps and has nothing to do with the rule. Lion's steps are all of one size, so theirs add up.

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
  lion,
  meanSquaredError,
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

/** An optimizer with options under PyTorch's names. */
const makers: Readonly<
  Record<string, (o: Readonly<Record<string, number & [number, number] & boolean>>) => Optimizer>
> = {
  sgd: ({ lr, momentum, dampening, nesterov }) => sgd({ lr, momentum, dampening, nesterov } as object),
  adam: ({ lr, betas, eps, amsgrad }) => adam({ lr, betas, eps, amsgrad } as object),
  adamw: ({ lr, betas, eps, amsgrad }) => adamw({ lr, betas, eps, amsgrad } as object),
  adagrad: ({ lr, eps, lr_decay, initial_accumulator_value }) =>
    adagrad({ lr, eps, lrDecay: lr_decay, initialAccumulator: initial_accumulator_value } as object),
  adadelta: ({ lr, rho, eps }) => adadelta({ lr, rho, eps } as object),
  rmsprop: ({ lr, alpha, eps, momentum, centered }) => rmsprop({ lr, alpha, eps, momentum, centered } as object),
  adamax: ({ lr, betas, eps }) => adamax({ lr, betas, eps } as object),
  nadam: ({ lr, betas, eps, momentum_decay }) => nadam({ lr, betas, eps, momentumDecay: momentum_decay } as object),
  radam: ({ lr, betas, eps }) => radam({ lr, betas, eps } as object),
  lion: ({ lr, betas }) => lion({ lr, betas } as object),
};

/** The golden tensors as weights that no loss depends on, beside one that it does. */
const bag: Layer = {
  kind: "bag",
  apply(scope, x) {
    for (const { name, shape } of tensors)
      scope.child(name).parameter("value", shape, () => Float32Array.from(startOf(name)));
    return dense(1).apply(scope.child("rest"), x);
  },
};

const marks = [1, 2, 10, 200];
const norm = (values: ArrayLike<number>): number => Math.sqrt(Array.from(values).reduce((sum, v) => sum + v * v, 0));
const file = decodeSafetensors(new Uint8Array(await (await fetch(goldenFile)).arrayBuffer()));
const cases = JSON.parse(file.metadata.cases as string) as Record<string, { kind: string; options: never }>;
const rows = JSON.parse(file.metadata.tensors as string) as Record<string, { lr_scale: number; weight_decay: number }>;

test.each(Object.entries(cases).filter(([, { kind }]) => kind in makers))("%s", (name, { kind, options }) =>
  guarded(async (device) => {
    const rates = Object.entries(rows).map(([tensor, { lr_scale, weight_decay }]) => ({
      [tensor]: { multiplier: lr_scale, weightDecay: weight_decay },
    }));
    const optimizer = (makers[kind] as (typeof makers)[string])(options);
    const trainer = await compile(bag, { device, input: [1], batch: 1, loss: meanSquaredError(), optimizer, rates });
    for (let step = 0; step < 200; step++) {
      await trainer.applyGradients(
        Object.fromEntries(tensors.map((tensor) => [`${tensor.name}.value`, gradientOf(tensor.name, step)])),
      );
      if (!marks.includes(step + 1)) continue;
      const weights = await trainer.weights();
      for (const tensor of tensors) {
        const key = step + 1 === 200 ? `${name}.${tensor.name}` : `${name}.${tensor.name}@${step + 1}`;
        const path = file.tensors.get(key)?.data as Float32Array;
        const start = startOf(tensor.name);
        const ours = weights.get(`${tensor.name}.value`)?.data as Float32Array;
        const distance = norm(path.map((moved, i) => (ours[i] as number) - ((start[i] as number) + moved)));
        const size = Math.max(norm(start), norm(path.map((moved, i) => (start[i] as number) + moved)));
        const rounding = 2 ** -24 * size * (kind === "lion" ? step + 1 : Math.sqrt(step + 1));
        expect(distance, `${key}: distance from the reference`).toBeLessThan(1e-5 * norm(path) + rounding);
      }
    }
  }),
);
