// A device that does nothing but count what it is asked for: steps run on it without a GPU, at the cost of encoding them. It leaves the
// numbers of the submission and of each step where they would stand, since whoever reads them asks whether all have run. Losses are 0.

import { MOST_STEPS } from "../../src/op/metrics.ts";

export interface Calls {
  readonly dispatches: number;
  readonly submits: number;
  readonly passes: number;
  readonly setPipeline: number;
  readonly setBindGroup: number;
  /** Buffers, bind groups, layouts, modules and pipelines. */
  readonly made: number;
  readonly pipelines: number;
  /** Of all buffers. */
  readonly bytes: number;
}

interface Buffer {
  readonly label: string;
  readonly size: number;
  readonly words: () => Uint32Array;
}

const FIRST_SLOT = 4;
const limit = 2 ** 31;

/** Names that make an adapter a GPU or software. */
const infos = {
  gpu: { vendor: "nobody", architecture: "gpu" },
  software: { vendor: "google", architecture: "swiftshader" },
};
export type Kind = keyof typeof infos;

export function countingDevice(kind: Kind): { readonly device: GPUDevice; readonly read: () => Calls } {
  const calls = {
    dispatches: 0,
    submits: 0,
    passes: 0,
    setPipeline: 0,
    setBindGroup: 0,
    made: 0,
    pipelines: 0,
    bytes: 0,
  };
  let ring: Uint32Array | undefined;
  const make = <T extends object>(made: T): T => {
    calls.made++;
    return made;
  };
  const createBuffer = ({ label = "", size }: GPUBufferDescriptor) => {
    let words: Uint32Array | undefined;
    calls.bytes += size;
    return make({
      label,
      size,
      words() {
        words ??= new Uint32Array(size / 4);
        return words;
      },
      mapAsync: async () => undefined,
      getMappedRange(from = 0, bytes = size - from) {
        return this.words().buffer.slice(from, from + bytes);
      },
      unmap() {},
      destroy() {},
    });
  };
  const pass = {
    setPipeline: () => void calls.setPipeline++,
    setBindGroup: () => void calls.setBindGroup++,
    dispatchWorkgroups: () => void calls.dispatches++,
    end() {},
  };
  const encoder = {
    beginComputePass() {
      calls.passes++;
      return pass;
    },
    clearBuffer() {},
    copyBufferToBuffer(from: Buffer, at: number, to: Buffer, place: number, bytes: number) {
      if (from.label === "step ring") {
        to.words().set(from.words().subarray(at / 4, (at + bytes) / 4), place / 4);
      }
      if (from.label !== "metrics" || ring === undefined) return;
      for (let i = 0; i < MOST_STEPS; i++) {
        to.words()[FIRST_SLOT + 4 * i] = ring[(i * ring.length) / MOST_STEPS] as number;
      }
    },
    finish: () => ({}),
  };
  const queue = {
    writeBuffer(buffer: Buffer, _: number, data: ArrayBuffer, from: number, bytes: number) {
      if (buffer.label !== "step ring") return;
      ring = buffer.words();
      ring.set(new Uint32Array(data, from, bytes / 4));
    },
    submit: () => void calls.submits++,
    onSubmittedWorkDone: async () => undefined,
  };
  const device = {
    queue,
    adapterInfo: infos[kind],
    lost: new Promise(() => undefined),
    limits: {
      ...{ maxBufferSize: limit, maxStorageBufferBindingSize: limit, maxUniformBufferBindingSize: 2 ** 16 },
      ...{ maxStorageBuffersPerShaderStage: 8, maxComputeWorkgroupsPerDimension: 2 ** 16 - 1 },
    },
    features: new Set<string>(),
    addEventListener() {},
    removeEventListener() {},
    pushErrorScope() {},
    popErrorScope: async () => null,
    createBuffer,
    createBindGroup: () => make({}),
    createBindGroupLayout: ({ label = "" }: { readonly label?: string }) => make({ label }),
    createPipelineLayout: () => make({}),
    createShaderModule: () => make({}),
    async createComputePipelineAsync() {
      calls.pipelines++;
      return make({});
    },
    createCommandEncoder: () => encoder,
    destroy() {},
  };
  return { device: device as unknown as GPUDevice, read: () => ({ ...calls }) };
}
