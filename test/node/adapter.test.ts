// What is said of adapters, as the runtimes describe them, and what connecting leaves behind when it fails.

import { describe, expect, test } from "vitest";
import { type AdapterInfo, nameOf } from "../../src/gpu/adapter.ts";
import { connect } from "../../src/gpu/device.ts";
import { compile, crossEntropy, dense, sequential } from "../../src/index.ts";
import type { Command } from "../../src/step/command.ts";

const infos: readonly (readonly [string, AdapterInfo | undefined, string])[] = [
  ["Chromium, SwiftShader", { vendor: "google", architecture: "swiftshader" }, "google swiftshader (software)"],
  [
    "Node, SwiftShader",
    {
      vendor: "google",
      architecture: "swiftshader",
      device: "swiftshader-device-subzero-",
      description: "SwiftShader driver 5.0.0",
      isFallbackAdapter: true,
    },
    "google swiftshader (software)",
  ],
  [
    "Deno, lavapipe",
    { vendor: "65541", device: "0", description: "llvmpipe (LLVM 15.0.6, 256 bits)", isFallbackAdapter: true },
    "llvmpipe (LLVM 15.0.6, 256 bits) (software)",
  ],
  [
    "Deno, a GPU",
    { vendor: "4318", device: "9860", description: "NVIDIA GeForce RTX 4090" },
    "NVIDIA GeForce RTX 4090",
  ],
  ["Chrome, a GPU", { vendor: "nvidia", architecture: "lovelace", device: "", description: "" }, "nvidia lovelace"],
  [
    "Chrome for developers",
    { vendor: "nvidia", architecture: "", device: "0x2684", description: "NVIDIA GeForce RTX 4090" },
    "NVIDIA GeForce RTX 4090",
  ],
  ["a description without its vendor", { vendor: "intel", device: "0xa780", description: "UHD 770" }, "intel UHD 770"],
  ["Safari", { vendor: "apple", architecture: "metal-3" }, "apple metal-3"],
  ["Firefox", { vendor: "", architecture: "", device: "", description: "" }, "an adapter that does not tell its name"],
  ["numbers alone", { vendor: "0x10de", device: "2684" }, "an adapter that does not tell its name"],
  ["a model of letters and digits", { vendor: "acme", device: "a100" }, "acme a100"],
  ["a fallback without words", { isFallbackAdapter: true }, "an adapter that does not tell its name (software)"],
  ["Windows", { description: "Microsoft Basic Render Driver" }, "Microsoft Basic Render Driver (software)"],
  ["no info at all", undefined, "an adapter that does not tell its name"],
];

test.each(infos)("%s", (_, info, name) => {
  expect(nameOf(info)).toEqual({ name, software: name.endsWith("(software)") });
});

/** A WebGPU entry that counts devices; `broken` are those that lack what a device has. */
function entry({ broken = false } = {}) {
  const devices: { destroyed: boolean }[] = [];
  const limits = { maxBufferSize: 2 ** 20, maxStorageBufferBindingSize: 2 ** 20, maxStorageBuffersPerShaderStage: 8 };
  const requestDevice = async () => {
    const device = {
      limits,
      destroyed: false,
      lost: new Promise(() => undefined),
      addEventListener: broken ? undefined : () => undefined,
      removeEventListener: () => undefined,
      createBuffer: () => ({ destroy: () => undefined }),
      destroy: () => {
        device.destroyed = true;
      },
    };
    devices.push(device);
    return device;
  };
  const asked: unknown[] = [];
  const requestAdapter = async (options: unknown) => {
    asked.push(options);
    return { limits, info: { vendor: "test", architecture: "injected" }, requestDevice };
  };
  return { gpu: { requestAdapter } as unknown as GPU, devices, asked };
}

describe("connect", () => {
  test("asks the entry that it is given, with the preference, and disposes of its device", async () => {
    const { gpu, devices, asked } = entry();
    const connected = await connect({ gpu, powerPreference: "low-power" });
    expect(asked).toEqual([{ powerPreference: "low-power" }]);
    expect(connected).toMatchObject({ adapter: "test injected", software: false });
    connected.dispose();
    expect(devices).toMatchObject([{ destroyed: true }]);
  });

  test("leaves no device behind when something throws after it was made", async () => {
    const { gpu, devices } = entry({ broken: true });
    await expect(connect({ gpu })).rejects.toThrow(TypeError);
    expect(devices).toMatchObject([{ destroyed: true }]);
  });

  test("nor does compile, where the model is too large for it", async () => {
    const { gpu, devices } = entry();
    const wide = compile(sequential([dense(2 ** 16)]), { gpu, input: [1024], loss: crossEntropy() });
    await expect(wide).rejects.toMatchObject({ name: "LimitError" });
    expect(devices).toMatchObject([{ destroyed: true }]);
  });

  test.each([
    [{ gpu: {} }, "OptionError", "connect: gpu is {}, it must be what navigator.gpu is in a browser."],
    [{ gpu: null }, "DeviceError", "connect: WebGPU is missing here."],
    [{ device: "gpu" }, "OptionError", 'connect: device is "gpu", it must be a GPUDevice.'],
    [{ device: null }, "OptionError", "connect: device is null, it must be a GPUDevice."],
    [{ gpu: entry().gpu, powerPreference: "fast" }, "OptionError", 'connect: powerPreference is "fast", it must be'],
    [{ gpu: { requestAdapter: async () => null } }, "DeviceError", "connect: WebGPU found no adapter."],
    [{}, "DeviceError", "in Node give { gpu: create([]) } of the npm package webgpu."],
  ])("%j is refused as %s", async (options, name, text) => {
    const connecting = connect(options as unknown as Parameters<typeof connect>[0]);
    await expect(connecting).rejects.toMatchObject({ name, message: expect.stringContaining(text) });
  });
});

describe("work on a device", () => {
  const connected = (more: object) => {
    const device = {
      addEventListener: () => undefined,
      removeEventListener: () => undefined,
      createBuffer: () => undefined,
      queue: { onSubmittedWorkDone: async () => undefined },
      ...more,
    };
    return connect({ device: device as unknown as GPUDevice });
  };

  test("that fails by itself says so once the device has answered, and a moment later", async () => {
    let answered = false;
    const queue = {
      onSubmittedWorkDone: async () => {
        answered = true;
      },
    };
    const { untilLost } = await connected({ lost: new Promise(() => undefined), queue });
    const cause = new Error("its own");
    await expect(untilLost(Promise.reject(cause))).rejects.toMatchObject({ name: "DeviceError", cause });
    expect(answered).toBe(true);
  });

  test("that fails with the device gets the better reason, also where the device never answers again", async () => {
    let lose: (info: object) => void = () => undefined;
    const lost = new Promise((resolve) => {
      lose = resolve;
    });
    const { untilLost } = await connected({ lost, queue: { onSubmittedWorkDone: () => new Promise(() => undefined) } });
    const waiting = untilLost(Promise.reject(new Error("a map was aborted")));
    lose({ reason: "unknown", message: "the driver crashed" });
    await expect(waiting).rejects.toThrow("device: it was lost (the driver crashed).");
  });

  test("is compiled anew after it failed, and once where it did not", async () => {
    const outcomes = [false, true];
    const device = {
      lost: new Promise(() => undefined),
      createBindGroupLayout: () => ({}),
      createPipelineLayout: () => ({}),
      createShaderModule: () => ({ getCompilationInfo: async () => ({ messages: [] }) }),
      createComputePipelineAsync: async () => {
        if (!outcomes.shift()) throw new Error("out of memory");
        return {};
      },
    };
    const gpu = await connected(device);
    const layout = {} as GPUBindGroupLayout;
    const command = { kernel: "copy", source: "fn main() {}", holes: {}, constants: {}, bindings: [], step: false };
    const pipeline = () => gpu.pipeline(command as unknown as Command, layout);
    await expect(pipeline()).rejects.toThrow("shader copy: it does not compile here: out of memory");
    const second = await pipeline();
    expect(await pipeline()).toBe(second);
  });
});
