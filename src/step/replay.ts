// Recording x steps -> GPU: bind groups are made once, then each submission is one encoder, one pass, one submit, and
// nothing is created. Values of the step go into a ring that is written once a submission; metrics come back through a
// few staging buffers, mapped while the next submissions run, so that the device never waits for the host.

import { bug, DeviceError, LimitError } from "../errors.ts";
import type { Gpu, Pipeline } from "../gpu/device.ts";
import { MOST_UNIFORM_ROWS } from "../kernels/update.ts";
import type { Command, Recording } from "./record.ts";

/** Steps that may share one submission. */
export const MOST_STEPS = 16;
/** Submissions under way before the host waits for the oldest. */
const AHEAD = 3;
/** Alignment of dynamic offsets that every device accepts. */
const SLOT = 256;

/** What one step needs to know; see shaders/parts/step.wgsl. */
export interface StepValues {
  readonly step: number;
  /** First entry of data.order. */
  readonly start: number;
  /** Rows of the batch that are real. */
  readonly count: number;
}

/** What comes back of one step. */
export interface StepMetrics {
  readonly step: number;
  readonly loss: number;
  readonly hits: number;
  readonly count: number;
}

export interface Metrics {
  readonly steps: readonly StepMetrics[];
  /** First step whose loss was not finite; 0 when there is none. */
  readonly badStep: number;
}

/** A recording with its pipelines and bind groups: a flat list, ready to encode. */
export interface Prepared {
  readonly recording: Recording;
  readonly commands: readonly {
    readonly pipeline: GPUComputePipeline;
    readonly group: GPUBindGroup;
    readonly grid: Command["grid"];
  }[];
}

/** Writes the values of step `i` of a submission: `table` is its layer table, 4 floats a row. */
export type Fill = (i: number, table: Float32Array) => StepValues;

export type Replay = ReturnType<typeof createReplay>;

/** Owns the ring, the metrics and the staging buffers of one trainer. */
export function createReplay(gpu: Gpu, rows: number) {
  const { device } = gpu;
  const uniformTable = rows <= MOST_UNIFORM_ROWS;
  const tableBytes = Math.ceil((rows * 16) / SLOT) * SLOT;
  const slotBytes = SLOT + tableBytes;
  const layout = gpu.stepLayout(uniformTable);
  const ring = gpu.buffer(
    "step ring",
    slotBytes * MOST_STEPS,
    GPUBufferUsage.UNIFORM | GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
  );
  const host = new ArrayBuffer(slotBytes * MOST_STEPS);
  const slots = Array.from({ length: MOST_STEPS }, (_, i) => ({
    values: new Uint32Array(host, i * slotBytes, 4),
    table: new Float32Array(host, i * slotBytes + SLOT, rows * 4),
    offsets: Uint32Array.of(i * slotBytes, i * slotBytes + SLOT),
  }));
  const stepGroup = device.createBindGroup({
    label: "step",
    layout,
    entries: [
      { binding: 0, resource: { buffer: ring, size: 16 } },
      { binding: 1, resource: { buffer: ring, size: rows * 16 } },
    ],
  });
  const metricsBytes = 16 * (1 + MOST_STEPS);
  const metrics = gpu.buffer(
    "metrics",
    metricsBytes,
    GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
  );
  const staging = Array.from({ length: AHEAD }, (_, i) => ({
    buffer: gpu.buffer(`metrics staging ${i}`, metricsBytes, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST),
    done: Promise.resolve() as Promise<unknown>,
  }));
  let turn = 0;

  return {
    metrics,

    /** Compiles what is new in a recording and binds it to buffers by arena name. */
    async prepare(recording: Recording, buffers: ReadonlyMap<string, GPUBuffer>): Promise<Prepared> {
      checkLimits(recording, gpu);
      const pipelines = await Promise.all(recording.commands.map((command) => gpu.pipeline(command, layout)));
      const commands = recording.commands.map((command, i) => {
        const { pipeline, layout: groupLayout } = pipelines[i] as Pipeline;
        return { pipeline, group: bind(device, command, groupLayout, buffers), grid: command.grid };
      });
      return { recording, commands };
    },

    /**
     * Runs up to MOST_STEPS steps in one submission. Resolves once it is submitted; `metrics` of the result resolves
     * when the numbers are back. Waits first while too many submissions are under way.
     */
    async submit(prepared: Prepared, steps: number, fill: Fill): Promise<{ metrics: Promise<Metrics> }> {
      const stage = staging[turn++ % AHEAD] as (typeof staging)[number];
      await gpu.untilLost(stage.done);
      for (let i = 0; i < steps; i++) {
        const slot = slots[i] as (typeof slots)[number];
        const values = fill(i, slot.table);
        slot.values[0] = values.step;
        slot.values[1] = i;
        slot.values[2] = values.start;
        slot.values[3] = values.count;
      }
      device.queue.writeBuffer(ring, 0, host, 0, slotBytes * steps);
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      for (let i = 0; i < steps; i++) {
        pass.setBindGroup(1, stepGroup, (slots[i] as (typeof slots)[number]).offsets, 0, 2);
        for (const { pipeline, group, grid } of prepared.commands) {
          pass.setPipeline(pipeline);
          pass.setBindGroup(0, group);
          pass.dispatchWorkgroups(grid[0], grid[1], grid[2]);
        }
      }
      pass.end();
      encoder.copyBufferToBuffer(metrics, 0, stage.buffer, 0, metricsBytes);
      device.queue.submit([encoder.finish()]);
      const read = gpu.untilLost(stage.buffer.mapAsync(GPUMapMode.READ)).then(() => {
        const found = decode(new DataView(stage.buffer.getMappedRange()), steps);
        stage.buffer.unmap();
        return found;
      });
      stage.done = read.catch(() => undefined);
      return { metrics: read };
    },

    /** Forgets a loss that was not finite, so that updates happen again. */
    clearStatus(): void {
      device.queue.writeBuffer(metrics, 0, new Uint32Array(4));
    },

    dispose(): void {
      for (const buffer of [ring, metrics, ...staging.map((stage) => stage.buffer)]) buffer.destroy();
    },
  };
}

function bind(
  device: GPUDevice,
  { kernel, bindings }: Command,
  layout: GPUBindGroupLayout,
  buffers: ReadonlyMap<string, GPUBuffer>,
): GPUBindGroup {
  return device.createBindGroup({
    label: kernel,
    layout,
    entries: bindings.map(({ number, arena, offset, bytes }) => {
      const buffer = buffers.get(arena) ?? bug(`${kernel} needs the arena "${arena}"`);
      return { binding: number, resource: bytes === 0 ? { buffer } : { buffer, offset, size: bytes } };
    }),
  });
}

/** What a device may forbid is refused before the first dispatch, with both numbers. */
function checkLimits({ commands }: Recording, { device: { limits } }: Gpu): void {
  for (const { kernel, grid, bindings, layer } of commands) {
    const place = layer === "" ? kernel : `${kernel} "${layer}"`;
    const most = limits.maxComputeWorkgroupsPerDimension;
    const groups = Math.max(...grid);
    if (groups > most) {
      throw new LimitError(
        `${place}: it needs ${groups} workgroups along one axis, this device allows ${most}. Use a smaller batch.`,
      );
    }
    if (bindings.length > limits.maxStorageBuffersPerShaderStage) {
      throw new LimitError(
        `${place}: it needs ${bindings.length} buffers, this device allows ${limits.maxStorageBuffersPerShaderStage}.`,
      );
    }
  }
}

function decode(view: DataView, steps: number): Metrics {
  const found: StepMetrics[] = [];
  for (let i = 0; i < steps; i++) {
    const at = 16 * (1 + i);
    found.push({
      step: view.getUint32(at, true),
      loss: view.getFloat32(at + 4, true),
      hits: view.getUint32(at + 8, true),
      count: view.getUint32(at + 12, true),
    });
  }
  return { steps: found, badStep: view.getUint32(0, true) };
}

/** A submission that the device dropped leaves numbers of another step behind: better no loss than a wrong one. */
export function checkArrival(gpu: Gpu, { steps }: Metrics, firstStep: number): void {
  for (const [i, { step }] of steps.entries()) {
    if (step === firstStep + i) continue;
    throw new DeviceError(
      `device: step ${firstStep + i} did not run${gpu.lastError === "" ? "" : ` (${gpu.lastError})`}. Use a smaller batch or model; the weights are those from before it.`,
    );
  }
}
