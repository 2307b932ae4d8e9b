// Twenty steps of the reference workloads against PyTorch in f64, with a rate and a decay of its own for each layer. The
// golden files hold PyTorch's losses and how far each tensor moved; test/golden/README.md says how they were made.

import { expect, test } from "vitest";
import { adam, adamw, compile, crossEntropy, type Optimizer, sgd } from "../../src/index.ts";
import { decodeSafetensors } from "../../src/io/safetensors.ts";
import { models, startOf } from "../bench/model.ts";
import { batchOf, workloads } from "../bench/workload.ts";
import cnnFile from "../golden/cnn.safetensors?url";
import mlpFile from "../golden/mlp.safetensors?url";
import { guarded } from "./guarded.ts";

const rules: Readonly<Record<string, Optimizer>> = {
  sgd: sgd({ lr: 0.05, momentum: 0.9 }),
  nesterov: sgd({ lr: 0.05, momentum: 0.9, nesterov: true }),
  adam: adam({ lr: 1e-3 }),
  adamw: adamw({ lr: 1e-3 }),
};

/** What the metadata says of a run. */
interface Settings {
  readonly layers: Readonly<Record<string, { readonly lr_scale: number; readonly weight_decay: number }>>;
}

const files = { mlp: mlpFile, cnn: cnnFile };
const cases = (["mlp", "cnn"] as const).flatMap((name) => Object.keys(rules).map((rule) => [name, rule] as const));

test.each(cases)("%s with %s follows PyTorch for twenty steps", (name, rule) =>
  guarded(async (device) => {
    const workload = workloads[name];
    const file = decodeSafetensors(new Uint8Array(await (await fetch(files[name])).arrayBuffer()));
    const losses = JSON.parse(file.metadata[`losses.${rule}`] as string) as number[];
    const { layers } = JSON.parse(file.metadata.settings as string) as Settings;
    const rates = Object.fromEntries(
      Object.entries(layers).map(([layer, { lr_scale, weight_decay }]) => [
        layer,
        { multiplier: lr_scale, weightDecay: weight_decay },
      ]),
    );
    const trainer = await compile(models[name](), {
      device,
      input: workload.input,
      batch: workload.batch,
      loss: crossEntropy(),
      optimizer: rules[rule] as Optimizer,
      rates,
    });
    const start = startOf(workload);
    trainer.setWeights(start);
    for (const [step, expected] of losses.entries()) {
      const { loss } = await trainer.step(batchOf(workload, step));
      expect(Math.abs(loss - expected) / expected, `loss of step ${step}: ${loss}, PyTorch ${expected}`).toBeLessThan(
        1e-5,
      );
    }
    const weights = await trainer.weights();
    const displacements = [...file.tensors].filter(([key]) => key.startsWith(`${rule}.`));
    if (name === "cnn" || rule !== "nesterov") expect(displacements).toHaveLength(workload.tensors.length);
    for (const [key, { data: path }] of displacements) {
      const tensor = key.slice(rule.length + 1);
      const ours = weights.get(tensor)?.data as Float32Array;
      const from = start[tensor] as Float32Array;
      const error = norm(path.map((moved, i) => (ours[i] as number) - ((from[i] as number) + moved)));
      expect(error / norm(path), `${tensor}: distance from PyTorch, relative to the path`).toBeLessThan(1e-4);
    }
    trainer.dispose();
  }),
);

const norm = (values: ArrayLike<number>): number => Math.sqrt(Array.from(values).reduce((sum, v) => sum + v * v, 0));
