// Kernels on a device, each as the step compiles it, on numbers of the host's choice: all of them one after the other, and that twice,
// in one submission.

import type { Command, Gpu } from "./core.ts";

/** Flags of WebGPU by number, since not every runtime names them. */
const [MAP_READ, COPY_SRC, COPY_DST, UNIFORM, STORAGE] = [0x1, 0x4, 0x8, 0x40, 0x80];
/** At which every binding may begin. */
export const ALIGNED = 256;
/** What stands in front of the numbers, and comes back where the submission ran. */
const RAN = 0x51;

/** A kernel and where its tensors lie, in bytes: inputs among the given words, outputs among the results. */
export interface Trial {
  readonly command: Command;
  readonly inputs: ReadonlyMap<string, number>;
  readonly outputs: ReadonlyMap<string, number>;
}

/** Names that a kernel binds beside its tensors: the status of a step, and whose gradient it asks. */
const beside = ["metrics", "gradient_row", "sum_row"];

/** Whether all that a kernel binds is known. */
export const isBound = ({ bindings }: Command, names: readonly string[]): boolean =>
  bindings.every(({ name }) => names.includes(name) || beside.includes(name));

/**
 * The results of both runs, and how long they took once all was compiled. `words` are the inputs, `bytes` is the length of the results,
 * `samples` what the step says of its batch.
 * Throws DeviceError where the submission was dropped or a kernel does not compile.
 */
export async function runTwice(
  gpu: Gpu,
  trials: readonly Trial[],
  words: Uint32Array<ArrayBuffer>,
  bytes: number,
  samples: number,
): Promise<{ readonly runs: readonly [Float32Array, Float32Array]; readonly milliseconds: number }> {
  const { device } = gpu;
  const made: { destroy(): void }[] = [];
  const buffer = (label: string, size: number, usage: number) => {
    const one = gpu.buffer(`self-test ${label}`, size, usage);
    made.push(one);
    return one;
  };
  try {
    const layout = gpu.stepLayout(true);
    const pipelines = await Promise.all(trials.map(({ command }) => gpu.pipeline(command, layout)));
    const begin = performance.now();
    const given = buffer("given", words.byteLength, STORAGE | COPY_DST);
    const results = buffer("results", bytes, STORAGE | COPY_SRC | COPY_DST);
    const status = buffer("status", 4 * ALIGNED, STORAGE | COPY_DST);
    // A row of the step, then one of a layer table; the number of a tensor, 0, is read from there too.
    const step = buffer("step", 2 * ALIGNED, UNIFORM | COPY_SRC | COPY_DST);
    const staging = buffer("staging", ALIGNED + 2 * bytes, MAP_READ | COPY_DST);
    device.queue.writeBuffer(given, 0, words);
    device.queue.writeBuffer(step, 0, Uint32Array.of(1, 0, 0, samples));
    device.queue.writeBuffer(step, ALIGNED, Uint32Array.of(0, 0, 0, 0, RAN));
    const stepGroup = device.createBindGroup({
      layout,
      entries: [0, 1].map((binding) => ({ binding, resource: { buffer: step, size: binding === 0 ? 48 : 16 } })),
    });
    const groups = trials.map(({ command, inputs, outputs }, i) =>
      device.createBindGroup({
        layout: (pipelines[i] as (typeof pipelines)[number]).layout,
        entries: command.bindings.map(({ number, name, bytes: size }) => {
          const [from, to] = [inputs.get(name), outputs.get(name)];
          if (from !== undefined) return { binding: number, resource: { buffer: given, offset: from, size } };
          if (to !== undefined) return { binding: number, resource: { buffer: results, offset: to, size } };
          if (name === "metrics") return { binding: number, resource: { buffer: status } };
          return { binding: number, resource: { buffer: step, offset: ALIGNED, size: 16 } };
        }),
      }),
    );
    const encoder = device.createCommandEncoder();
    for (const run of [0, 1]) {
      encoder.clearBuffer(results);
      const pass = encoder.beginComputePass();
      for (const [i, { command }] of trials.entries()) {
        pass.setPipeline((pipelines[i] as (typeof pipelines)[number]).pipeline);
        pass.setBindGroup(0, groups[i]);
        if (command.step) pass.setBindGroup(1, stepGroup, [0, ALIGNED]);
        pass.dispatchWorkgroups(...command.grid);
      }
      pass.end();
      encoder.copyBufferToBuffer(results, 0, staging, ALIGNED + run * bytes, bytes);
    }
    encoder.copyBufferToBuffer(step, ALIGNED + 16, staging, 0, 4);
    device.queue.submit([encoder.finish()]);
    const told = (await gpu.mapped(staging)).slice(0);
    if (new Uint32Array(told, 0, 1)[0] !== RAN) throw gpu.dropped("the self-test");
    const [first, second] = [0, 1].map((run) => new Float32Array(told, ALIGNED + run * bytes, bytes / 4));
    return { runs: [first as Float32Array, second as Float32Array], milliseconds: performance.now() - begin };
  } finally {
    for (const one of made) one.destroy();
  }
}
