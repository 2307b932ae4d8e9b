// Twenty steps of the reference workloads against PyTorch in f64, with a rate and a decay of its own for each layer. The
// golden files hold PyTorch's losses and how far each tensor moved; test/golden/README.md says how they were made.

import { expect, test } from "vitest";
import { goldenRun, type RuleName, rules } from "../golden/run.ts";
import { guarded } from "./guarded.ts";

const names = Object.keys(rules) as RuleName[];
const cases = (["mlp", "cnn"] as const).flatMap((name) => names.map((rule) => [name, rule] as const));

test.each(cases)("%s with %s follows PyTorch for twenty steps", (name, rule) =>
  guarded(async (device) => {
    const { trainer, workload, start, losses, displacements, batch } = await goldenRun(name, rule, { device });
    for (const [step, expected] of losses.entries()) {
      const { loss } = await trainer.step(batch(step));
      expect(Math.abs(loss - expected) / expected, `loss of step ${step}: ${loss}, PyTorch ${expected}`).toBeLessThan(
        1e-5,
      );
    }
    const weights = await trainer.weights();
    if (name === "cnn" || rule !== "nesterov") expect(displacements.size).toBe(workload.tensors.length);
    for (const [tensor, path] of displacements) {
      const ours = weights.get(tensor)?.data as Float32Array;
      const from = start[tensor] as Float32Array;
      const error = norm(path.map((moved, i) => (ours[i] as number) - ((from[i] as number) + moved)));
      expect(error / norm(path), `${tensor}: distance from PyTorch, relative to the path`).toBeLessThan(1e-4);
    }
    trainer.dispose();
  }),
);

const norm = (values: ArrayLike<number>): number => Math.sqrt(Array.from(values).reduce((sum, v) => sum + v * v, 0));
