// The connection to a device: which adapter runs, what it allows, and everything that is made on it. Buffers and
// pipelines are made here and nowhere else, so that their number can be counted and their errors carry names.

import { DeviceError, GradusError, LimitError, OptionError } from "../errors.ts";
import { specialise } from "../op/shader.ts";
import { shown } from "../option.ts";
import type { Command } from "../step/command.ts";
import { type AdapterInfo, type ConnectOptions, findAdapter, nameOf } from "./adapter.ts";
import * as Usage from "./usage.ts";

/** A compiled kernel. */
export interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** Buffers that are to be made: names and bytes. */
export type Parts = Iterable<readonly [label: string, bytes: number]>;

/** A device with what Gradus has made on it. */
export interface Gpu {
  readonly device: GPUDevice;
  /** For people: "google swiftshader (software)". */
  readonly adapter: string;
  /** Whether a CPU does the work. */
  readonly software: boolean;
  /** Whether threads may read of their neighbours: `subgroups`. */
  readonly quads: boolean;
  /** A promise of the device that rejects, instead of never settling, when the device is lost. */
  untilLost<T>(work: Promise<T>): Promise<T>;
  /** The bytes of a buffer made to be mapped, which stays so, as of the work submitted so far; all of it where no number says less. */
  mapped(buffer: GPUBuffer, bytes?: number): Promise<ArrayBuffer>;
  /** An error for what was submitted and never ran; it says what the device reported last. */
  dropped(what: string, cause?: unknown): GradusError;
  /** The error of a device that is lost or was disposed, once it is. */
  failure(): GradusError | undefined;
  /** `inParts`: no shader sees more than a part of it at once. */
  buffer(label: string, bytes: number, usage: number, inParts?: boolean): GPUBuffer;
  /** Throws LimitError where there is no room for all of these, in the place of `instead`; before any of them is made. */
  demandRoom(parts: Parts, instead?: readonly (GPUBuffer | undefined)[]): void;
  pipeline(command: Command, stepLayout: GPUBindGroupLayout): Promise<Pipeline>;
  /** A layout of group 1; `uniformTable` says where the layer table lives. */
  stepLayout(uniformTable: boolean): GPUBindGroupLayout;
  dispose(): void;
}

/** Pipelines of a device, by their text: who compiles a second time on it finds them ready. The oldest leave where there are many. */
const pipelinesOf = new WeakMap<GPUDevice, Map<string, Promise<Pipeline>>>();
const MOST_PIPELINES = 1024;

/** Limits worth asking for where the adapter has more than the default. */
const wanted = ["maxBufferSize", "maxStorageBufferBindingSize", "maxStorageBuffersPerShaderStage"] as const;

/**
 * Connects to the best adapter, with a feature where it has that, or wraps a device. Throws OptionError where an option is none, DeviceError where there is no
 * WebGPU or no adapter; a device that was made on the way is destroyed again.
 */
export async function connect(options: ConnectOptions = {}, feature?: string): Promise<Gpu> {
  const { memoryLimit } = options;
  const gpu = await connected(options, feature as GPUFeatureName | undefined);
  return memoryLimit === undefined ? gpu : (memoryLimit.open(gpu) as Gpu);
}

async function connected(options: ConnectOptions, feature: GPUFeatureName | undefined): Promise<Gpu> {
  const given = options.device as GPUDevice | undefined;
  if (given !== undefined) {
    if (typeof given?.createBuffer === "function") return wrap(given, given.adapterInfo, false);
    throw new OptionError(`connect: device is ${shown(given)}, it must be a GPUDevice.`);
  }
  const adapter = await findAdapter(options);
  const requiredLimits = Object.fromEntries(wanted.map((name) => [name, adapter.limits[name]]));
  const requiredFeatures = ["subgroups" as const, feature].filter((one) => one && adapter.features?.has(one));
  const device = await adapter.requestDevice({
    requiredLimits,
    requiredFeatures: requiredFeatures as GPUFeatureName[],
  });
  try {
    return wrap(device, adapter.info, true);
  } catch (error) {
    device.destroy();
    throw error;
  }
}

function wrap(device: GPUDevice, info: AdapterInfo | undefined, owned: boolean): Gpu {
  const pipelines = pipelinesOf.get(device) ?? new Map<string, Promise<Pipeline>>();
  pipelinesOf.set(device, pipelines);
  const { name, software } = nameOf(info);
  let failure: GradusError | undefined;
  let lastError = "it was dropped";
  const hear = ({ error }: GPUUncapturedErrorEvent): void => {
    lastError = error.message;
  };
  device.addEventListener("uncapturederror", hear);
  // Whoever waits is told by name: a race against `device.lost` would leave a trace in it for each step.
  const waiting = new Set<(error: GradusError) => void>();
  const fail = (error: GradusError): void => {
    failure ??= error;
    for (const reject of waiting) reject(failure);
    waiting.clear();
  };
  device.lost.then(({ reason, message }) =>
    fail(
      new DeviceError(
        reason === "destroyed"
          ? "device: it was destroyed. Compile the model again to go on."
          : `device: it was lost (${message}). Compile again and load the last checkpoint.`,
      ),
    ),
  );

  const gpu: Gpu = {
    device,
    adapter: name,
    software,
    quads: device.features?.has("subgroups") ?? false,
    untilLost: (work) =>
      new Promise((resolve, reject) => {
        if (failure === undefined) waiting.add(reject);
        else reject(failure);
        work.then(
          (value) => {
            waiting.delete(reject);
            resolve(value);
          },
          // A map may fail some time before `lost` resolves. The better reason gets its chance to be known: whatever the device
          // has to say until it has answered once more and a moment longer. A lost one that never answers has failed by then.
          async (cause) => {
            await device.queue.onSubmittedWorkDone().catch(() => undefined);
            await Promise.race([device.lost, new Promise((resolve) => setTimeout(resolve, 100))]);
            waiting.delete(reject);
            reject(failure ?? (cause instanceof GradusError ? cause : gpu.dropped("a reading", cause)));
          },
        );
      }),
    // One promise, since Firefox may say of a device that goes that the buffer is mapped, and refuse its bytes.
    mapped: (buffer, bytes) =>
      gpu.untilLost(buffer.mapAsync(Usage.READ, 0, bytes).then(() => buffer.getMappedRange(0, bytes))),
    dropped: (what, cause) =>
      new DeviceError(`device: ${what} did not run (${lastError}). Use a smaller batch or model.`, { cause }),
    failure: () => failure,
    buffer(label, bytes, usage, inParts = false) {
      const { maxBufferSize, maxStorageBufferBindingSize } = device.limits;
      const most =
        (usage & Usage.STORAGE) !== 0 && !inParts
          ? Math.min(maxBufferSize, maxStorageBufferBindingSize)
          : maxBufferSize;
      if (bytes > most) {
        const [needs, allows] = apart(bytes, most);
        throw new LimitError(
          `${label}: it needs ${needs}, this device allows ${allows} in one buffer. Use a smaller batch or model, or give data in pieces.`,
        );
      }
      return device.createBuffer({ label, size: Math.max(16, bytes), usage });
    },
    demandRoom: () => undefined,
    pipeline(command, stepLayout) {
      const text = sized(command, specialise(command.kernel, command.source, command.holes));
      const code = asks.map(([word, directive]) => (word.test(text) ? directive : "")).join("") + text;
      // The text says what it binds, but not where the table of group 1 lies.
      const key = `${command.step ? stepLayout.label : ""}\n${code}\n${JSON.stringify(command.constants)}`;
      let made = pipelines.get(key);
      if (made === undefined) {
        made = compilePipeline(device, command, code, stepLayout);
        pipelines.set(key, made);
        if (pipelines.size > MOST_PIPELINES) pipelines.delete(pipelines.keys().next().value as string);
        made.catch(() => pipelines.delete(key)); // what failed once is tried anew
      }
      return gpu.untilLost(made);
    },
    stepLayout(uniformTable) {
      const table: GPUBufferBindingType = uniformTable ? "uniform" : "read-only-storage";
      return device.createBindGroupLayout({
        label: `step, table ${table}`,
        entries: (["uniform", table] as const).map((type, binding) => ({
          binding,
          visibility: Usage.COMPUTE,
          buffer: { type, hasDynamicOffset: true },
        })),
      });
    },
    dispose() {
      fail(new DeviceError("trainer: it was disposed. Compile the model again to go on."));
      device.removeEventListener("uncapturederror", hear);
      if (owned) device.destroy();
    },
  };
  return gpu;
}

/**
 * The text with the lengths of its buffers, which are known: what a compiler adds to keep every index within them is then held against a
 * number, instead of one that is looked up (an eighth of the time of a load on SwiftShader).
 */
const sized = ({ bindings }: Command, code: string): string =>
  code.replace(
    /@binding\((\d+)\) ?var<storage[^>]*> ?\w+: ?array<(?:vec([24]))?[fuh]\d*(?=>)/g,
    (all, number, lanes = 1) => {
      const bytes = bindings.find((one) => one.number === +number)?.bytes;
      return bytes && !code.includes("arrayLength") ? `${all}, ${bytes / lanes / (/h$|16$/.test(all) ? 2 : 4)}` : all;
    },
  );

/** What a text that has such words begins with. Of a quad all threads take the same way, whatever others of their subgroup do. */
const asks = [
  [/<(f16|vec4h)\b/, "enable f16;\n"],
  [/\bquad(Broadcast|Swap)/, "enable subgroups;\ndiagnostic(off, subgroup_uniformity);\n"],
] as const;

const bindingTypes = { uniform: "uniform", read: "read-only-storage", readWrite: "storage" } as const;

/** Bytes that are needed and that are allowed, for messages: rounded apart, so that one byte too much does not look like enough. */
export const apart = (needs: number, allows: number): readonly [needs: string, allows: string] => {
  const told = (bytes: number, round: (tenths: number) => number) =>
    `${(round((bytes / 2 ** 20) * 10) / 10).toFixed(1)} MB`;
  return [told(needs, Math.ceil), told(allows, Math.floor)];
};

async function compilePipeline(
  device: GPUDevice,
  { kernel, bindings, constants, step }: Command,
  code: string,
  stepLayout: GPUBindGroupLayout,
): Promise<Pipeline> {
  const layout = device.createBindGroupLayout({
    label: kernel,
    entries: bindings.map(({ number, access }) => ({
      binding: number,
      visibility: Usage.COMPUTE,
      buffer: { type: bindingTypes[access] },
    })),
  });
  const module = device.createShaderModule({ label: kernel, code });
  try {
    const pipeline = await device.createComputePipelineAsync({
      label: kernel,
      layout: device.createPipelineLayout({ bindGroupLayouts: step ? [layout, stepLayout] : [layout] }),
      compute: { module, entryPoint: "main", constants: { ...constants } },
    });
    return { pipeline, layout };
  } catch (cause) {
    const { messages } = await module.getCompilationInfo();
    const found = messages.map(({ lineNum, linePos, message }) => {
      const line = code.split("\n")[lineNum - 1] ?? "";
      return `\n${lineNum}: ${line}\n${" ".repeat(String(lineNum).length + 1 + linePos)}^ ${message}`;
    });
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new DeviceError(`shader ${kernel}: it does not compile here: ${why}${found.join("")}`, { cause });
  }
}
