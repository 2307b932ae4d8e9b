// Candidates on a device: each compiled as the core compiles it, on buffers of its own that hold numbers of all kinds. What is timed is
// the way from a submission to the news that it is done, on the clock of the host, with as many dispatches in it as are asked for.

import type { Choice } from "../index.ts";
import type { Core, Gpu } from "./core.ts";
import type { Asked, Bench, Meter } from "./tune.ts";

/** Flags of WebGPU by number, since not every runtime names them. */
const [MAP_READ, COPY_SRC, COPY_DST, STORAGE] = [0x1, 0x4, 0x8, 0x80];
/** Bytes of a result that are compared. */
const MOST_COMPARED = 2 ** 24;

const scopes = ["validation", "out-of-memory", "internal"] as const;

interface Ready {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly grid: readonly [number, number, number];
  /** What it writes. */
  readonly results: readonly GPUBuffer[];
}

/** `now`: a clock, in seconds. */
export function createMeter(gpu: Gpu, { chosen, commandOf, warn }: Core, now: () => number): Meter {
  const { device } = gpu;

  /** Runs `work` under guard: what the device refuses is said, and gives undefined. */
  async function guarded<T>(name: string, work: () => Promise<T>): Promise<T | undefined> {
    for (const scope of scopes) device.pushErrorScope(scope);
    const [outcome] = await Promise.allSettled([work()]);
    const errors = await Promise.all(scopes.map(() => device.popErrorScope()));
    const failure = gpu.failure();
    if (failure !== undefined) throw failure;
    const why = outcome.status === "rejected" ? outcome.reason : errors.find((error) => error !== null);
    if (outcome.status === "fulfilled" && why === undefined) return outcome.value;
    warn(`autotune: ${name} cannot be measured here and runs as it does without: ${why?.message ?? why}`);
    return undefined;
  }

  async function open({ kernel, work, candidates }: Asked): Promise<Bench | undefined> {
    const buffers = new Map<string, GPUBuffer>();
    const close = async (): Promise<void> => {
      for (const buffer of buffers.values()) buffer.destroy();
      buffers.clear();
    };
    /** As in a prediction: what is asked of gradients, and of the step, is not of the kernel's own time. */
    const plain = { ...work, checked: false, halts: false };

    function buffer(name: string, bytes: number): GPUBuffer {
      const made = device.createBuffer({ label: name, size: bytes, usage: STORAGE | COPY_SRC | COPY_DST });
      buffers.set(name, made);
      return made;
    }

    async function ready(choice: Choice): Promise<Ready | undefined> {
      const { tensors, times, ...rest } = chosen(kernel, plain, { choose: () => choice });
      const shader = { kernel: kernel.name, ...rest, when: 0, layer: "" };
      const command = commandOf(shader, (arena) => ({ arena, offset: 0, bytes: 0 }));
      const names = command.bindings.map(({ name }) => name);
      if (command.step || times > 1 || names.some((name) => tensors[name] === undefined)) return undefined;
      const { pipeline, layout } = await gpu.pipeline(command, gpu.stepLayout(true));
      const results: GPUBuffer[] = [];
      const entries = command.bindings.map(({ number, name, access }) => {
        const bytes = 4 * (tensors[name]?.shape.reduce((a, b) => a * b, 1) ?? 0);
        const known = buffers.get(name);
        const bound = known ?? buffer(name, bytes);
        if (known === undefined && access !== "readWrite") device.queue.writeBuffer(bound, 0, numbers(bytes / 4));
        if (access === "readWrite") results.push(bound);
        return { binding: number, resource: { buffer: bound } };
      });
      const { grid } = command;
      return { pipeline, group: device.createBindGroup({ layout, entries }), grid, results };
    }

    const made = await guarded(kernel.name, () =>
      Promise.all(candidates.map(async (candidate, i) => ({ i, run: await ready(candidate.choice) }))),
    );
    const runs = new Map((made ?? []).flatMap(({ i, run }) => (run === undefined ? [] : [[i, run] as const])));
    if (!runs.has(0) || runs.size < 2) {
      await close();
      return undefined;
    }

    async function submit({ pipeline, group, grid }: Ready, dispatches: number): Promise<void> {
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      for (let i = 0; i < dispatches; i++) pass.dispatchWorkgroups(...grid);
      pass.end();
      device.queue.submit([encoder.finish()]);
      await gpu.untilLost(device.queue.onSubmittedWorkDone());
    }

    /** The bytes that it leaves, where nothing stood before. */
    async function left(run: Ready): Promise<Uint8Array[]> {
      const encoder = device.createCommandEncoder();
      for (const result of run.results) encoder.clearBuffer(result);
      device.queue.submit([encoder.finish()]);
      await submit(run, 1);
      return Promise.all(run.results.map(read));
    }

    async function read(result: GPUBuffer): Promise<Uint8Array> {
      const size = Math.min(result.size, MOST_COMPARED);
      const stage = device.createBuffer({ size, usage: MAP_READ | COPY_DST });
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(result, 0, stage, 0, size);
      device.queue.submit([encoder.finish()]);
      const bytes = new Uint8Array(await gpu.mapped(stage)).slice();
      stage.destroy();
      return bytes;
    }

    return {
      runs: [...runs.keys()],
      async time(candidate, dispatches) {
        const begin = now();
        await submit(runs.get(candidate) as Ready, dispatches);
        return now() - begin;
      },
      async isAlike(candidate) {
        const first = await left(runs.get(0) as Ready);
        const found = await left(runs.get(candidate) as Ready);
        return first.every((bytes, i) => bytes.every((byte, at) => byte === found[i]?.[at]));
      },
      close,
    };
  }

  return { open };
}

/** Numbers between -1 and 1 that fill the mantissa, so that another order of a sum shows. */
function numbers(count: number): Float32Array<ArrayBuffer> {
  const made = new Float32Array(count);
  let state = 1;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    made[i] = state / 2 ** 31;
  }
  return made;
}
