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

/** What was counted between two readings, as the average over the steps between them. */
export function perStep(before: Counts, after: Counts, steps: number): Counts {
  const names = Object.keys(before) as (keyof Counts)[];
  return Object.fromEntries(names.map((name) => [name, (after[name] - before[name]) / steps])) as unknown as Counts;
}

/** The counts of one step, as the average over a run of `steps` steps. */
export async function countPerStep(steps: number, run: () => Promise<unknown>): Promise<Counts> {
  const counter = startCounting();
  try {
    const before = counter.read();
    await run();
    return perStep(before, counter.read(), steps);
  } finally {
    counter.stop();
  }
}
