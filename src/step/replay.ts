// Recording x steps -> GPU: bind groups are made once, then each submission is one encoder, one pass, one submit, and
// nothing is created. Values of the step go into a ring that is written once a submission.

import { bug, LimitError } from "../errors.ts";
import type { Gpu, Pipeline } from "../gpu/device.ts";
import * as Usage from "../gpu/usage.ts";
import { MOST_UNIFORM_ROWS } from "../kernels/update.ts";
import { ALARMS, lossesAt, MOST_STEPS } from "../op/metrics.ts";
import { type Command, when } from "./command.ts";
import { createStage, type Metrics, NUMBER, type Stage, type Told } from "./metrics.ts";
import type { Recording } from "./record.ts";
import { createTicks } from "./ticks.ts";

export { MOST_STEPS };

/** Samples of a walk that share a submission: so many small batches cost what a large one does. */
const AT_ONCE = 1024;
/** Submissions under way before the host waits for the oldest. */
const AHEAD = 3;
/** Alignment of dynamic offsets that every device accepts. */
const SLOT = 256;
/** Memory that a device hands on may hold the number that another trainer left there: those of trainers begin so far apart. */
const APART = 2 ** 16;
let trainers = 0;
/** Size of what shaders/parts/step.wgsl declares. */
const STEP_BYTES = 48;

export interface ReplayOptions extends Partial<Omit<Told, "rows">> {
  readonly rows: number;
  readonly seed?: number;
}

/** The place of a micro-batch in its update, and its part of the update's samples. */
export interface Micro {
  readonly weight: number;
  readonly first: boolean;
  readonly last: boolean;
}

/** What one step needs to know; see shaders/parts/step.wgsl. */
export interface StepValues {
  readonly step: number;
  /** First entry of data.order. */
  readonly start: number;
  /** Rows of the batch that are real. */
  readonly count: number;
  /** Where a schedule moves it. */
  readonly momentum?: number | undefined;
  /** The place of a micro-batch in its update; absent where each batch is an update. */
  readonly micro?: Micro | undefined;
  /** Whether the step leaves statistics. */
  readonly sampled?: boolean;
  /** Batches since training began, this one included. */
  readonly draw?: number;
}

/** A recording with its pipelines and bind groups: a flat list of dispatches, ready to encode. */
export interface Prepared {
  readonly recording: Recording;
  readonly commands: readonly {
    readonly pipeline: GPUComputePipeline;
    readonly group: GPUBindGroup;
    readonly grid: Command["grid"];
    readonly when: number;
  }[];
  /** Where sampled steps leave their statistics. */
  readonly statistics: GPUBuffer | undefined;
}

/** Gives the values of step `i` of a submission, and writes its layer table where it has one. */
export type Fill = (i: number, table: Float32Array) => StepValues;

/** What else a submission does, behind each of its steps. */
export type After = (encoder: GPUCommandEncoder, values: StepValues) => void;

/** Samples in a row, and how many are taken at once. */
export interface Walk {
  readonly first: number;
  readonly end: number;
  readonly batch: number;
}

/** The values of steps that walk over samples and count as none of training, submission by submission. */
export function* stepsOver({ first, end, batch }: Walk, most = MOST_STEPS): Generator<StepValues[], void> {
  let start = first;
  while (start < end) {
    const values: StepValues[] = [];
    for (; start < end && values.length < most; start += batch) {
      values.push({ step: 0, start, count: Math.min(batch, end - start) });
    }
    yield values;
  }
}

/** Where a step leaves what is collected, and the bytes of a sample. */
export interface Found {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly bytes: number;
}

export type Replay = ReturnType<typeof createReplay>;

/** Bytes of the values of a step with its layer table. */
const slotOf = (rows: number): number => SLOT + Math.ceil((rows * 16) / SLOT) * SLOT;

/** The buffers that a replay makes at once: values of all steps, each with its layer table, and what they tell. */
export const partsOf = ({ rows, layers = 0, reports = 0, counts = 0, batch = 0 }: ReplayOptions) =>
  [
    ["step ring", slotOf(rows) * MOST_STEPS],
    ["metrics", 4 * (lossesAt(layers, reports, counts) + MOST_STEPS * batch)],
  ] as const;

/** Owns the ring, the metrics and the staging buffers of one trainer. */
export function createReplay(gpu: Gpu, { rows, seed = 0, ...given }: ReplayOptions) {
  const { device } = gpu;
  const told: Told = { rows, layers: 0, reports: 0, counts: 0, batch: 0, ...given };
  const uniformTable = rows <= MOST_UNIFORM_ROWS;
  const [[, ringBytes], [, metricsBytes]] = partsOf(told);
  const slotBytes = slotOf(rows);
  const layout = gpu.stepLayout(uniformTable);
  const ring = gpu.buffer("step ring", ringBytes, Usage.UNIFORM | Usage.STORAGE | Usage.COPY_SRC | Usage.COPY_DST);
  const host = new ArrayBuffer(ringBytes);
  const slots = Array.from({ length: MOST_STEPS }, (_, i) => ({
    values: new Uint32Array(host, i * slotBytes, STEP_BYTES / 4),
    reals: new Float32Array(host, i * slotBytes, STEP_BYTES / 4),
    table: new Float32Array(host, i * slotBytes + SLOT, rows * 4),
    offsets: Uint32Array.of(i * slotBytes, i * slotBytes + SLOT),
    bits: 0,
  }));
  for (const { values } of slots) values[8] = seed;
  const stepGroup = device.createBindGroup({
    label: "step",
    layout,
    entries: [
      { binding: 0, resource: { buffer: ring, size: STEP_BYTES } },
      { binding: 1, resource: { buffer: ring, size: rows * 16 } },
    ],
  });
  const metrics = gpu.buffer("metrics", metricsBytes, Usage.STORAGE | Usage.COPY_SRC | Usage.COPY_DST);
  const stages = Array.from({ length: AHEAD }, () => createStage(gpu, told));
  let turn = (trainers++ * APART) % 2 ** 30;
  const ticks = createTicks(gpu, SLOT);

  /** What to wait for while too many submissions are under way. */
  function ready(): Promise<unknown> | undefined {
    const [failure, { done }] = [gpu.failure(), stages[turn % AHEAD] as Stage];
    if (failure !== undefined) throw failure;
    return done && gpu.untilLost(done);
  }

  const replay = {
    metrics,
    ready,
    /** The layer table of step `i` of the next submission, 4 floats a row: to be written before `start`. */
    table: (i: number): Float32Array => (slots[i] as (typeof slots)[number]).table,

    /** Compiles what is new in a recording, all at once; `done` is told of each kernel that is ready. */
    async compile({ commands }: Recording, done: (kernel: string) => void = () => undefined): Promise<void> {
      await Promise.all(commands.map((command) => gpu.pipeline(command, layout).then(() => done(command.kernel))));
    },

    /** Compiles what is new in a recording and binds it to buffers by arena name. */
    async prepare(recording: Recording, buffers: ReadonlyMap<string, GPUBuffer>): Promise<Prepared> {
      checkLimits(recording, gpu, uniformTable);
      const pipelines = await Promise.all(recording.commands.map((command) => gpu.pipeline(command, layout)));
      const counting = recording.commands.filter(({ bindings }) => bindings.some(({ arena }) => arena === "ticks"));
      const most = Math.max(0, ...counting.map(({ times = 1 }) => times));
      const all = most === 0 ? buffers : new Map([...buffers, ["ticks", ticks.upTo(most)]]);
      const commands = recording.commands.flatMap((command, i) => {
        const { pipeline, layout: groupLayout } = pipelines[i] as Pipeline;
        const { grid, when, times = 1 } = command;
        return Array.from({ length: times }, (_, tick) => {
          return { pipeline, group: bind(device, command, groupLayout, all, tick), grid, when };
        });
      });
      return { recording, commands, statistics: buffers.get("statistics") };
    },

    /**
     * Submits up to MOST_STEPS steps at once, without delay; only after `ready`. Resolves when the numbers are back. `after` may add
     * to the submission behind each step.
     */
    start(prepared: Prepared, values: readonly StepValues[], after?: After): Promise<Metrics> {
      const stage = stages[turn++ % AHEAD] as Stage;
      const steps = values.length;
      let sampled = false;
      for (let i = 0; i < steps; i++) {
        const slot = slots[i] as (typeof slots)[number];
        slot.bits = writeValues(slot, i, values[i] as StepValues);
        sampled ||= (slot.bits & when.sampled) !== 0;
      }
      (slots[0] as (typeof slots)[number]).values[NUMBER] = turn;
      device.queue.writeBuffer(ring, 0, host, 0, slotBytes * steps);
      const encoder = device.createCommandEncoder();
      let pass: GPUComputePassEncoder | undefined;
      let set: GPUComputePipeline | undefined;
      for (let i = 0; i < steps; i++) {
        pass ??= encoder.beginComputePass();
        const { offsets, bits } = slots[i] as (typeof slots)[number];
        pass.setBindGroup(1, stepGroup, offsets, 0, 2);
        // By number: an iterator would make an object for each command until the loop is compiled.
        for (let at = 0; at < prepared.commands.length; at++) {
          const { pipeline, group, grid, when: needed } = prepared.commands[at] as Prepared["commands"][number];
          if ((needed & bits) !== needed) continue;
          // Layers of one kind that follow each other have one pipeline.
          if (pipeline !== set) pass.setPipeline(pipeline);
          set = pipeline;
          pass.setBindGroup(0, group);
          pass.dispatchWorkgroups(grid[0], grid[1], grid[2]);
        }
        if (after === undefined) continue;
        pass.end();
        pass = set = undefined;
        after(encoder, values[i] as StepValues);
      }
      pass?.end();
      const statistics = sampled ? prepared.statistics : undefined;
      const { tellsMore = false } = prepared.recording;
      const read = stage.copy(encoder, metrics, { statistics, tellsMore, ring, number: turn });
      device.queue.submit([encoder.finish()]);
      return read(values);
    },

    /**
     * Runs on the samples of a walk, some batches a submission, and copies what each sample leaves at the beginning of `found`, of
     * `bytes`, to one place after the other in `target`. Resolves once all is submitted; `ran` once it has run.
     */
    async collect(
      prepared: Prepared,
      walk: Walk,
      { buffer, offset, bytes }: Found,
      target: GPUBuffer,
    ): Promise<{ ran: Promise<unknown> }> {
      const copy: After = (encoder, { start, count }) =>
        encoder.copyBufferToBuffer(buffer, offset, target, (start - walk.first) * bytes, count * bytes);
      let ran: Promise<unknown> = Promise.resolve();
      for (const values of stepsOver(walk, Math.min(MOST_STEPS, Math.ceil(AT_ONCE / walk.batch)))) {
        await ready();
        ran = Promise.all([ran, replay.start(prepared, values, copy)]);
        ran.catch(() => undefined);
      }
      return { ran };
    },

    /** Forgets a loss that was not finite, so that updates happen again. */
    clearStatus(): void {
      device.queue.writeBuffer(metrics, 0, new Uint32Array(4));
    },

    /** Sets the step of each layer's last alarm. */
    setAlarms(steps: Uint32Array<ArrayBuffer>): void {
      device.queue.writeBuffer(metrics, 4 * ALARMS, steps);
    },

    dispose(): void {
      for (const made of [ring, metrics, ticks, ...stages]) made.destroy();
    },
  };
  return replay;
}

/** Submits steps when their turn has come, with values made then: resolves once they are submitted. */
export async function submitSteps(
  replay: Replay,
  prepared: Prepared,
  steps: number,
  fill: Fill,
): Promise<{ metrics: Promise<Metrics> }> {
  await replay.ready();
  const values = Array.from({ length: steps }, (_, i) => fill(i, replay.table(i)));
  return { metrics: replay.start(prepared, values) };
}

function bind(
  device: GPUDevice,
  { kernel, bindings }: Command,
  layout: GPUBindGroupLayout,
  buffers: ReadonlyMap<string, GPUBuffer>,
  tick: number,
): GPUBindGroup {
  return device.createBindGroup({
    label: kernel,
    layout,
    entries: bindings.map(({ number, arena, offset, bytes }) => {
      const buffer = buffers.get(arena) ?? bug(`${kernel} needs the arena "${arena}"`);
      if (bytes === 0) return { binding: number, resource: { buffer } };
      const from = arena === "ticks" ? offset + tick * SLOT : offset;
      return { binding: number, resource: { buffer, offset: from, size: bytes } };
    }),
  });
}

/** What a device may forbid is refused before the first dispatch, with both numbers. */
function checkLimits({ commands }: Recording, { device: { limits } }: Gpu, uniformTable: boolean): void {
  for (const { kernel, grid, bindings, layer, step } of commands) {
    const place = layer === "" ? kernel : `${kernel} "${layer}"`;
    const most = limits.maxComputeWorkgroupsPerDimension;
    const groups = Math.max(...grid);
    if (groups > most) {
      throw new LimitError(
        `${place}: it needs ${groups} workgroups along one axis, this device allows ${most}. Use a smaller batch.`,
      );
    }
    // Group 1 counts too: beyond a number of rows the layer table is storage.
    const stored = bindings.filter(({ access }) => access !== "uniform").length + Number(step && !uniformTable);
    if (stored > limits.maxStorageBuffersPerShaderStage) {
      throw new LimitError(
        `${place}: it needs ${stored} buffers, this device allows ${limits.maxStorageBuffersPerShaderStage}.`,
      );
    }
  }
}

interface Slot {
  readonly values: Uint32Array;
  readonly reals: Float32Array;
}

/** Writes the values of a step as shaders/parts/step.wgsl reads them, and gives the bits of its commands. */
function writeValues({ values, reals }: Slot, slot: number, given: StepValues): number {
  const { step, start, count, momentum = 0, micro, sampled = false, draw = 0 } = given;
  values[0] = step;
  values[1] = slot;
  values[2] = start;
  values[3] = count;
  reals[4] = momentum;
  reals[5] = 1 - momentum;
  reals[6] = micro?.weight ?? 1;
  values[7] = micro === undefined || micro.first ? 1 : 0;
  values[9] = draw;
  const apply = micro === undefined || micro.last ? when.apply : 0;
  return apply | (sampled ? when.sampled : when.unsampled);
}
