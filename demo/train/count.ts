// Counts what a page asks of WebGPU: wraps the methods on the prototypes that all devices share, so it sees
// any engine without that engine's help. Nothing is wrapped while nobody counts. Depends on nothing.

export interface Counts {
  readonly dispatches: number;
  readonly passes: number;
  readonly submits: number;
  readonly createBuffer: number;
  readonly createBindGroup: number;
  readonly createComputePipeline: number;
  readonly writeBuffer: number;
}

export interface Counter {
  /** The counts so far. */
  read(): Counts;
  /** Puts the prototypes back. */
  stop(): void;
}

/** Counts from now on. */
export function startCounting(): Counter {
  const counts = {
    dispatches: 0,
    passes: 0,
    submits: 0,
    createBuffer: 0,
    createBindGroup: 0,
    createComputePipeline: 0,
    writeBuffer: 0,
  };
  const undo: (() => void)[] = [];

  function count<T extends object>(prototype: T, method: keyof T & string, as: keyof Counts): void {
    const original = prototype[method] as (...values: unknown[]) => unknown;
    function counting(this: T, ...values: unknown[]): unknown {
      counts[as]++;
      return original.apply(this, values);
    }
    prototype[method] = counting as T[typeof method];
    undo.push(() => {
      prototype[method] = original as T[typeof method];
    });
  }

  count(GPUComputePassEncoder.prototype, "dispatchWorkgroups", "dispatches");
  count(GPUComputePassEncoder.prototype, "dispatchWorkgroupsIndirect", "dispatches");
  count(GPUCommandEncoder.prototype, "beginComputePass", "passes");
  count(GPUQueue.prototype, "submit", "submits");
  count(GPUQueue.prototype, "writeBuffer", "writeBuffer");
  count(GPUDevice.prototype, "createBuffer", "createBuffer");
  count(GPUDevice.prototype, "createBindGroup", "createBindGroup");
  count(GPUDevice.prototype, "createComputePipeline", "createComputePipeline");
  count(GPUDevice.prototype, "createComputePipelineAsync", "createComputePipeline");

  return {
    read: () => ({ ...counts }),
    stop() {
      for (const restore of undo) restore();
    },
  };
}

/** Weighs from now on: bytes of the buffers that are made, less those that are destroyed again. */
export function startWeighing(): { read(): number; stop(): void } {
  const alive = new Map<GPUBuffer, number>();
  const [device, buffer] = [GPUDevice.prototype, GPUBuffer.prototype];
  const { createBuffer } = device;
  const { destroy } = buffer;
  device.createBuffer = function (descriptor) {
    const made = createBuffer.call(this, descriptor);
    alive.set(made, descriptor.size);
    return made;
  };
  buffer.destroy = function () {
    alive.delete(this);
    return destroy.call(this);
  };
  return {
    read: () => [...alive.values()].reduce((sum, bytes) => sum + bytes, 0),
    stop() {
      Object.assign(device, { createBuffer });
      Object.assign(buffer, { destroy });
    },
  };
}

const names = (counts: Counts): (keyof Counts)[] => Object.keys(counts) as (keyof Counts)[];

/** Counts of a step, as the average over the stretches of steps from a `begin` to an `end`. */
export function steadyCounts(counter: Counter) {
  let before = counter.read();
  const sums = Object.fromEntries(names(before).map((name) => [name, 0])) as Record<keyof Counts, number>;
  let steps = 0;
  return {
    begin(): void {
      before = counter.read();
    },
    end(made: number): void {
      const after = counter.read();
      for (const name of names(after)) sums[name] += after[name] - before[name];
      steps += made;
    },
    /** NaN where no step was made. */
    perStep: (): Counts =>
      Object.fromEntries(names(before).map((name) => [name, sums[name] / steps])) as unknown as Counts,
  };
}

/** The counts of one step, as the average over a run of `steps` steps. */
export async function countPerStep(steps: number, run: () => Promise<unknown>): Promise<Counts> {
  const counter = startCounting();
  try {
    const counts = steadyCounts(counter);
    await run();
    counts.end(steps);
    return counts.perStep();
  } finally {
    counter.stop();
  }
}
