// One build of Gradus as it takes part: the training step of a workload, and the update alone. Only what every version of the
// public API since 0.1.0 has is used here.

import { adam } from "../../../demo/bench/engine.ts";
import { modelsOf, startOf } from "../../../demo/bench/model.ts";
import { BATCHES, batchOf, noise, workloads } from "../../../demo/bench/workload.ts";
import type * as Gradus from "../../../src/index.ts";
import type { Subject } from "./report.ts";

export type Module = typeof Gradus;

export interface Contestant {
  /** Numbers that all builds must agree on, computed before any block is timed. */
  readonly numbers: readonly number[];
  /** One block; resolves when the GPU is done. */
  block(): Promise<unknown>;
  dispose(): void;
}

/** Steps over which the builds must agree. */
const CHECKED = 8;

const compileWith = (gradus: Module, model: Gradus.Layer, of: { input: readonly number[]; batch: number }) => {
  const { lr, beta1, beta2, epsilon } = adam;
  const optimizer = gradus.adam({ lr, betas: [beta1, beta2], eps: epsilon });
  const { input, batch } = of;
  return gradus.compile(model, { input, batch, loss: gradus.crossEntropy(), optimizer });
};

async function training(gradus: Module, name: Exclude<Subject, "optimizer">, steps: number): Promise<Contestant> {
  const workload = workloads[name];
  const trainer = await compileWith(gradus, modelsOf(gradus)[name](), workload);
  trainer.setWeights(startOf(workload));
  const batches = Array.from({ length: BATCHES }, (_, k) => batchOf(workload, k));
  const numbers: number[] = [];
  for (let step = 0; step < CHECKED; step++) {
    numbers.push((await trainer.step(batches[step % BATCHES] as (typeof batches)[number])).loss);
  }
  // A block is one epoch: what a fit makes of a limit on its steps is not the same in all versions.
  const epoch = Array.from({ length: steps }, (_, step) => batches[step % BATCHES] as (typeof batches)[number]);
  const data = {
    x: Float32Array.from(epoch.flatMap(({ x }) => Array.from(x))),
    y: Uint32Array.from(epoch.flatMap(({ y }) => Array.from(y))),
  };
  return {
    numbers,
    block: () => trainer.fit(data, { epochs: 1, shuffle: false }),
    dispose: () => trainer.dispose(),
  };
}

/** Numbers of the square weight whose update is timed. */
const WIDTH = 1024;

/**
 * The update alone: the dispatches of a training step whose pipelines bear the name of the rule are noted as they are encoded, and
 * repeated by themselves. Nothing else of the step, neither on the host nor on the GPU, is timed.
 */
async function updates(gradus: Module, steps: number): Promise<Contestant> {
  const trainer = await compileWith(gradus, gradus.sequential([gradus.dense(WIDTH)]), { input: [WIDTH], batch: 1 });
  const x = Float32Array.from({ length: WIDTH }, (_, i) => noise(5, i) / 2 ** 31 - 1);
  const start = (salt: number, length: number): Float32Array =>
    Float32Array.from({ length }, (_, i) => noise(salt, i) / 2 ** 32 - 0.5);
  const names = [...(await trainer.weights()).entries()];
  trainer.setWeights(Object.fromEntries(names.map(([name, { data }], i) => [name, start(6 + i, data.length)])));
  await trainer.step({ x, y: [0] });
  const { dispatches, device } = await noted("adam", () => trainer.step({ x, y: [0] }));
  const numbers = [...(await trainer.weights()).values()].flatMap(({ data }) => Array.from(data.subarray(0, 1000)));
  return {
    numbers,
    async block() {
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      for (let step = 0; step < steps; step++) for (const dispatch of dispatches) dispatch(pass);
      pass.end();
      device.queue.submit([encoder.finish()]);
      await device.queue.onSubmittedWorkDone();
    },
    dispose: () => trainer.dispose(),
  };
}

type Dispatch = (pass: GPUComputePassEncoder) => void;

/** The dispatches of pipelines of one label that `run` encodes, and the device that it makes encoders on. */
async function noted(label: string, run: () => Promise<unknown>) {
  const prototype = GPUComputePassEncoder.prototype;
  const { setPipeline, setBindGroup, dispatchWorkgroups } = prototype;
  const { createCommandEncoder } = GPUDevice.prototype;
  const dispatches: Dispatch[] = [];
  const labels = new Set<string>();
  let device: GPUDevice | undefined;
  let pipeline: GPUComputePipeline | undefined;
  const groups = new Map<number, Dispatch>();
  prototype.setPipeline = function (given) {
    pipeline = given;
    return setPipeline.call(this, given);
  };
  prototype.setBindGroup = function (this: GPUComputePassEncoder, index: number, ...rest: unknown[]) {
    const kept = rest.map((value) => (value instanceof Uint32Array ? value.slice() : value));
    const bind = setBindGroup as (...values: unknown[]) => undefined;
    groups.set(index, (pass) => bind.call(pass, index, ...kept));
    return bind.call(this, index, ...rest);
  } as typeof setBindGroup;
  prototype.dispatchWorkgroups = function (...grid) {
    const [own, bound] = [pipeline as GPUComputePipeline, [...groups.values()]];
    labels.add(own.label);
    if (own.label === label) {
      dispatches.push((pass) => {
        setPipeline.call(pass, own);
        for (const bind of bound) bind(pass);
        dispatchWorkgroups.apply(pass, grid);
      });
    }
    return dispatchWorkgroups.apply(this, grid);
  };
  GPUDevice.prototype.createCommandEncoder = function (...given) {
    device = this;
    return createCommandEncoder.apply(this, given);
  };
  try {
    await run();
  } finally {
    Object.assign(prototype, { setPipeline, setBindGroup, dispatchWorkgroups });
    GPUDevice.prototype.createCommandEncoder = createCommandEncoder;
  }
  if (device === undefined || dispatches.length === 0) {
    throw new Error(`No dispatch of a step is called "${label}", there are ${[...labels].join(", ")}.`);
  }
  return { dispatches, device };
}

export const enter = (gradus: Module, subject: Subject, steps: number): Promise<Contestant> =>
  subject === "optimizer" ? updates(gradus, steps) : training(gradus, subject, steps);
