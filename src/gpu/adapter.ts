// Which adapter there is, and what can be said of it. Browsers, Deno and Node tell different things: some give a name in
// words, some only the numbers of vendor and device, some nothing.

import { DeviceError, OptionError } from "../errors.ts";
import { checkName, shown } from "../option.ts";

/** A GPUDevice, known by what no other object has: so that the published types hold where the names of WebGPU are unknown. */
export interface DeviceLike {
  /** A GPUQueue. */
  readonly queue: object;
  /** A GPUSupportedLimits. */
  readonly limits: object;
  /** Settles with a GPUDeviceLostInfo when the device is gone. */
  readonly lost: Promise<unknown>;
  /** As of a GPUDevice; Gradus calls it, and nobody else has to. */
  createComputePipelineAsync(descriptor: never): Promise<unknown>;
}

/** What `navigator.gpu` is, known likewise. */
export interface GpuLike {
  /** Gives a GPUAdapter, or null where there is none. */
  requestAdapter(options?: never): Promise<unknown>;
}

/** Bounds what lies on the GPU. Made by `memoryLimit` of gradus/recover. */
export interface MemoryLimit {
  /** Gives the connection to a device as one that refuses what does not fit. @internal */
  open(gpu: object): object;
}

/** How a device is found. */
export interface ConnectOptions {
  /** A GPUDevice: it is used, and left alive on dispose. */
  readonly device?: DeviceLike;
  /**
   * Where adapters come from. Default `navigator.gpu`, as browsers and Deno have it; in Node give `create([])` of the npm
   * package webgpu.
   */
  readonly gpu?: GpuLike;
  /** Which GPU is asked for where there are several. Default: as the browser likes. */
  readonly powerPreference?: "low-power" | "high-performance";
  /** How many bytes may lie on the GPU at once: `memoryLimit(bytes)` of gradus/recover. Default: what the device has. */
  readonly memoryLimit?: MemoryLimit;
}

/** The words of an adapter's info; some implementations leave out some of them. */
export type AdapterInfo = Partial<Omit<GPUAdapterInfo, "__brand">>;

/** What people are told of an adapter. */
export interface AdapterName {
  /** "google swiftshader (software)". */
  readonly name: string;
  /** Whether a CPU does the work. */
  readonly software: boolean;
}

/** What an adapter's info says in words; the numbers of vendor and device tell nobody anything. */
export function nameOf(info: AdapterInfo = {}): AdapterName {
  const { vendor, architecture, device, description } = info;
  const all = [vendor, architecture, device, description];
  const [maker, kind, model, told] = all.map((word = "") => (/^(0x[\da-f]+|\d+|\W*)$/i.test(word) ? "" : word));
  const short = kind || model;
  const words = short || !told?.toLowerCase().includes(`${maker}`.toLowerCase()) ? [maker, short || told] : [told];
  const software =
    info.isFallbackAdapter === true || /swiftshader|llvmpipe|lavapipe|softpipe|basic render|warp/i.test(all.join(" "));
  const name = words.filter(Boolean).join(" ") || "an adapter that does not tell its name";
  return { name: software ? `${name} (software)` : name, software };
}

/** The best adapter. Throws DeviceError where there is none, saying what to do. */
export async function findAdapter({ gpu, powerPreference }: ConnectOptions): Promise<GPUAdapter> {
  const entry = (gpu as GPU | undefined) ?? globalThis.navigator?.gpu;
  if (entry === undefined) {
    throw new DeviceError(
      "connect: WebGPU is missing here. Use a current Chrome, Edge, Firefox or Safari, on https:// or localhost, or Deno; in Node give { gpu: create([]) } of the npm package webgpu.",
    );
  }
  if (typeof entry?.requestAdapter !== "function") {
    throw new OptionError(`connect: gpu is ${shown(entry)}, it must be what navigator.gpu is in a browser.`);
  }
  if (powerPreference !== undefined) {
    checkName("connect", "powerPreference", powerPreference, ["low-power", "high-performance"]);
  }
  const adapter = await entry.requestAdapter(powerPreference === undefined ? {} : { powerPreference });
  if (adapter) return adapter;
  throw new DeviceError(
    "connect: WebGPU found no adapter. Update the graphics driver, or start Chrome with --enable-unsafe-webgpu --use-webgpu-adapter=swiftshader to run on the CPU.",
  );
}
