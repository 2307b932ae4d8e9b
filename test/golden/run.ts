// A run of a reference workload as PyTorch made it for the golden files: the same weights, batches, rule, rates and decays.

import { models, startOf } from "../../demo/bench/model.ts";
import { batchOf, workloads } from "../../demo/bench/workload.ts";
import { adam, adamw, type CompileOptions, compile, crossEntropy, type Optimizer, sgd } from "../../src/index.ts";
import { decodeSafetensors } from "../../src/io/safetensors.ts";
import cnnFile from "./cnn.safetensors?url";
import mlpFile from "./mlp.safetensors?url";

export const rules = {
  sgd: sgd({ lr: 0.05, momentum: 0.9 }),
  nesterov: sgd({ lr: 0.05, momentum: 0.9, nesterov: true }),
  adam: adam({ lr: 1e-3 }),
  adamw: adamw({ lr: 1e-3 }),
} satisfies Record<string, Optimizer>;

export type RuleName = keyof typeof rules;

/** What the metadata says of a run. */
interface Settings {
  readonly layers: Readonly<Record<string, { readonly lr_scale: number; readonly weight_decay: number }>>;
}

const files = { mlp: mlpFile, cnn: cnnFile };

/** The trainer at its start, with PyTorch's losses, and how far it moved each tensor. */
export async function goldenRun(
  name: keyof typeof files,
  rule: RuleName,
  options: Pick<CompileOptions, "device"> = {},
) {
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
    ...options,
    input: workload.input,
    batch: workload.batch,
    loss: crossEntropy(),
    optimizer: rules[rule],
    rates,
  });
  const start = startOf(workload);
  trainer.setWeights(start);
  const displacements = new Map(
    [...file.tensors]
      .filter(([key]) => key.startsWith(`${rule}.`))
      .map(([key, { data }]) => [key.slice(rule.length + 1), data]),
  );
  return { trainer, workload, start, losses, displacements, batch: (step: number) => batchOf(workload, step) };
}
