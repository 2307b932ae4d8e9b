// A device below the trainer whose parts fail one by one as those of WebGPU do: what is none stays none, an error is heard of on the device, and
// nothing is thrown. All that is asked of it is noted, so that each place can be hit.

import { over } from "./over.ts";

/** What a device is asked for. */
export type Kind = "submit" | "buffer" | "map" | "pipeline";

interface Fault {
  /** Undefined: whatever comes. */
  readonly kind: Kind | undefined;
  /** Whether all that follows fails too. */
  readonly lasts?: boolean;
}

export const faults = {
  /** A submission that never runs, of which no one tells. */
  dropped: { kind: "submit" },
  "dropped from there on": { kind: "submit", lasts: true },
  /** A validation error: the submission is refused as a whole. */
  refused: { kind: "submit" },
  "out of memory": { kind: "buffer" },
  "out of memory from there on": { kind: "buffer", lasts: true },
  /** A validation error: the buffer is none. */
  "no buffer": { kind: "buffer" },
  "not mapped": { kind: "map" },
  "no pipeline": { kind: "pipeline" },
  /** The device goes. */
  lost: { kind: undefined },
} as const satisfies Readonly<Record<string, Fault>>;

export type FaultName = keyof typeof faults;

/** Something that a device was asked for; `name` is the label of a buffer or a pipeline. */
export interface Asked {
  readonly kind: Kind;
  readonly name: string;
}

export interface Seam {
  readonly device: GPUDevice;
  /** Lets the fault happen at place `at` of those of its kind from now on, counted from 0. */
  arm(fault: FaultName, at: number): void;
  /** Ends that, and gives what the fault happened to first; undefined where nothing came to its place. */
  disarm(): Asked | undefined;
  /** What was asked for since the last time. */
  asked(): readonly Asked[];
}

/** Buffers that the host may read and write are more than WebGPU has. */
const NONE = 3;

type Hear = (event: { readonly error: { readonly message: string } }) => unknown;

/** `lose`: what happens to a device that goes. */
export function seam(below: GPUDevice, lose: () => void = () => undefined): Seam {
  let [armed, left]: [FaultName | undefined, number] = [undefined, 0];
  let struck: Asked | undefined;
  let noted: Asked[] = [];
  const listeners = new Set<Hear>();
  const tell = (message: string): void => {
    Promise.resolve().then(() => {
      for (const hear of listeners) hear({ error: { message } });
    });
  };
  /** The fault that happens to what is asked for, if one does. */
  const hit = (kind: Kind, name: string): FaultName | undefined => {
    noted.push({ kind, name });
    if (armed === undefined) return undefined;
    const { kind: wanted, lasts = false }: Fault = faults[armed];
    if (wanted !== undefined && wanted !== kind) return undefined;
    left--;
    if (!(left === -1 || (lasts && left < 0))) return undefined;
    struck ??= { kind, name };
    if (armed === "lost") lose();
    return armed;
  };
  const queue = over(below.queue, {
    submit(list: GPUCommandBuffer[]) {
      const fault = hit("submit", "");
      if (fault === "refused") {
        // A list that was submitted before is refused, and all beside it.
        const used = below.createCommandEncoder().finish();
        below.queue.submit([used]);
        below.queue.submit([...list, used]);
        // What was written before it is written all the same.
      } else below.queue.submit(fault === undefined || fault === "lost" ? list : []);
    },
  });
  const device = over(below, {
    queue,
    createBuffer(descriptor: GPUBufferDescriptor) {
      const fault = hit("buffer", descriptor.label ?? "");
      const isNone = fault !== undefined && fault !== "lost";
      if (fault !== "no buffer" && isNone) {
        below.pushErrorScope("validation");
        tell("out of memory");
      }
      const buffer = below.createBuffer(isNone ? { ...descriptor, usage: NONE } : descriptor);
      if (fault !== "no buffer" && isNone) below.popErrorScope().catch(() => undefined);
      const mapAsync = buffer.mapAsync.bind(buffer);
      const value = (...given: Parameters<GPUBuffer["mapAsync"]>) =>
        hit("map", descriptor.label ?? "") === "not mapped"
          ? Promise.reject(new DOMException("the buffer was not mapped", "OperationError"))
          : mapAsync(...given);
      Object.defineProperty(buffer, "mapAsync", { value, configurable: true });
      return buffer;
    },
    createComputePipelineAsync: (descriptor: GPUComputePipelineDescriptor) =>
      hit("pipeline", descriptor.label ?? "") === "no pipeline"
        ? Promise.reject(new DOMException("the driver gave up", "OperationError"))
        : below.createComputePipelineAsync(descriptor),
    addEventListener(type: "uncapturederror", listener: Hear) {
      listeners.add(listener);
      below.addEventListener(type, listener as never);
    },
    removeEventListener(type: "uncapturederror", listener: Hear) {
      listeners.delete(listener);
      below.removeEventListener(type, listener as never);
    },
  });
  return {
    device,
    arm(fault, at) {
      [armed, left, struck] = [fault, at, undefined];
    },
    disarm() {
      armed = undefined;
      return struck;
    },
    asked() {
      const all = noted;
      noted = [];
      return all;
    },
  };
}
