// Measures the adapter itself. Forms take turns, and blocks are so long that what one costs beside the work that
// is meant, a submit and a wait, is next to nothing.

import { connect, type Gpu } from "../../../src/gpu/device.ts";
import * as Usage from "../../../src/gpu/usage.ts";
import type { Progress } from "../progress.ts";
import { median } from "../report.ts";
import { milliseconds, runsFor } from "../timing.ts";
import { copiesOn } from "./copy.ts";
import { emptySource, multiplyAddSource, multiplyAdds, operationsOf } from "./kernels.ts";
import type { RoofKind, RoofRow } from "./roof.ts";

export interface RoofTask {
  readonly rounds: number;
}

/** Something whose blocks of `count` runs can be timed. */
interface Probe extends Pick<RoofRow, "kind" | "form" | "unit"> {
  /** Of what a run does, so that this over microseconds is in the unit; of times it is 1. */
  readonly amount: number;
  run(count: number): Promise<unknown>;
}

/** Least milliseconds of a block. */
const BLOCK = 80;
/** Workgroups of a dispatch of multiply-adds, so that a GPU's is full and long enough, and rounds of their loops. */
const GROUPS = { software: 256, hardware: 4096 } as const;
const ROUNDS = 16;
/** Numbers of an update that moves as many bytes as the copy: 14 and 112 MiB there and back. */
const COPIES = [2 ** 19, 2 ** 22] as const;

/** Rows of all forms. What `progress` throws ends the measurement; its devices are freed in any case. */
export async function measureRoof({ rounds }: RoofTask, progress: Progress): Promise<RoofRow[]> {
  const gpu = await connect();
  const half = await halfDevice();
  try {
    return await measureOn(gpu, half, rounds, progress);
  } finally {
    half?.destroy();
    gpu.dispose();
  }
}

async function measureOn(
  gpu: Gpu,
  half: GPUDevice | undefined,
  rounds: number,
  progress: Progress,
): Promise<RoofRow[]> {
  const { device } = gpu;
  const groups = GROUPS[gpu.software ? "software" : "hardware"];
  const buffer = device.createBuffer({ size: 16, usage: Usage.STORAGE | Usage.COPY_SRC });
  const staging = device.createBuffer({ size: 16, usage: Usage.MAP_READ | Usage.COPY_DST });

  async function dispatches(
    code: string,
    width: number,
    constants: Record<string, number> = {},
    on = device,
    of = buffer,
  ) {
    const pipeline = await on.createComputePipelineAsync({
      layout: "auto",
      compute: { module: on.createShaderModule({ code }), constants },
    });
    const entries = [{ binding: 0, resource: { buffer: of } }];
    const group = on.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
    return async (count: number): Promise<void> => {
      const encoder = on.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      for (let i = 0; i < count; i++) pass.dispatchWorkgroups(width);
      pass.end();
      on.queue.submit([encoder.finish()]);
      await on.queue.onSubmittedWorkDone();
    };
  }

  const probes: Probe[] = [];
  for (const form of multiplyAdds) {
    const on = form.type === "f32" ? device : half;
    if (on === undefined) continue;
    const of = on === device ? buffer : on.createBuffer({ size: 16, usage: Usage.STORAGE });
    probes.push({
      kind: `multiply-add ${form.type}`,
      form: `${form.chains} chains of vec4, ${form.threads} threads`,
      unit: "GFLOP/s",
      amount: (groups * operationsOf(form, ROUNDS)) / 1e3,
      run: await dispatches(multiplyAddSource(form), groups, { ROUNDS }, on, of),
    });
  }
  for (const parameters of COPIES) {
    for (const { threads, each, sized, run } of await copiesOn(gpu, parameters)) {
      const megabytes = Math.round((parameters * 28) / 2 ** 20);
      probes.push({
        kind: "copy",
        form: `${megabytes} MiB, ${threads} threads, ${each} vec4 each${sized ? ", sized" : ""}`,
        unit: "GB/s",
        amount: (parameters * 28) / 1e3,
        run,
      });
    }
  }
  const one = (kind: RoofKind, form: string, run: Probe["run"]): Probe => ({ kind, form, unit: "us", amount: 1, run });
  probes.push(
    one("dispatch", "empty, in one pass", await dispatches(emptySource, 1)),
    one("submit", "an empty pass", async (count) => {
      for (let i = 0; i < count; i++) {
        const encoder = device.createCommandEncoder();
        encoder.beginComputePass().end();
        device.queue.submit([encoder.finish()]);
      }
      await device.queue.onSubmittedWorkDone();
    }),
    one("readback", "16 bytes, one after the other", async (count) => {
      for (let i = 0; i < count; i++) {
        const encoder = device.createCommandEncoder();
        encoder.copyBufferToBuffer(buffer, 0, staging, 0, 16);
        device.queue.submit([encoder.finish()]);
        await staging.mapAsync(Usage.READ);
        staging.unmap();
      }
    }),
  );

  const racers: { readonly probe: Probe; readonly count: number; readonly times: number[] }[] = [];
  for (const probe of probes) {
    await progress(`roofline: ${probe.kind}, ${probe.form}`);
    racers.push({ probe, count: await runsFor(probe.run, BLOCK), times: [] });
  }
  for (let round = 1; round <= rounds; round++) {
    await progress(`roofline: round ${round} of ${rounds}`);
    for (const { probe, count, times } of racers) {
      times.push((1e3 * (await milliseconds(() => probe.run(count)))) / count);
    }
  }
  return racers.map(({ probe: { kind, form, unit, amount }, times }): RoofRow => {
    const value = (time: number): number => (unit === "us" ? time : amount / time);
    const [best, worst] = [value(Math.min(...times)), value(Math.max(...times))];
    return { kind, form, unit, value: value(median(times)), best, worst };
  });
}

/** A device with f16 in shaders, where the adapter has it. */
async function halfDevice(): Promise<GPUDevice | undefined> {
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
  if (adapter?.features.has("shader-f16") !== true) return undefined;
  return adapter.requestDevice({ requiredFeatures: ["shader-f16"] });
}
