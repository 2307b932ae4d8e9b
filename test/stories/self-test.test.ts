// An adapter that computes wrongly is named before anything is trained on it. Devices are made wrong below the trainer: shaders are exchanged,
// a dispatch left out, a submission dropped. A sound one passes with every network, in one submission, and keeps nothing of it.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compileCohort } from "../../src/cohort/index.ts";
import {
  type CompileOptions,
  compile,
  conv2d,
  conv2dTranspose,
  crossEntropy,
  DeviceError,
  dense,
  flatten,
  gelu,
  huber,
  type Model,
  maxPool2d,
  meanSquaredError,
  OptionError,
  ops,
  relu,
  sequential,
} from "../../src/index.ts";
import { compileRecoverable, type SelfTestResult, selfTest } from "../../src/recover/index.ts";
import { over } from "../fuzz/faults/over.ts";
import { samples, small } from "./small.ts";

let below: GPUDevice;
beforeAll(async () => {
  below = (await (await navigator.gpu.requestAdapter())?.requestDevice()) as GPUDevice;
});
afterAll(() => below.destroy());

const mlp = sequential({ stem: [dense(16), relu()], body: [dense(12), relu()], head: dense(4) });
const classes = { input: [20], batch: 8, loss: crossEntropy() };
const images = sequential({
  stem: [conv2d(8, { padding: "same" }), relu(), maxPool2d(2)],
  body: [conv2d(6, { stride: 2, padding: 1, groups: 2 }), relu()],
  up: [conv2dTranspose(5, { stride: 2, padding: "same" }), flatten()],
  head: dense(3),
});
const image = { input: [11, 12, 3], batch: 4, loss: crossEntropy() };

/** What a device was asked for, and what of it is still there. */
function counting(device: GPUDevice) {
  const counts = { submits: 0, pipelines: 0, bytes: 0 };
  const alive = new Set<string>();
  const counted = over(device, {
    queue: over(device.queue, {
      submit(list: GPUCommandBuffer[]) {
        counts.submits++;
        device.queue.submit(list);
      },
    }),
    createComputePipelineAsync(descriptor: GPUComputePipelineDescriptor) {
      counts.pipelines++;
      return device.createComputePipelineAsync(descriptor);
    },
    createBuffer(descriptor: GPUBufferDescriptor) {
      const made = device.createBuffer(descriptor);
      const name = `${descriptor.label} ${counts.bytes}`;
      if (descriptor.label?.startsWith("self-test")) counts.bytes += descriptor.size;
      alive.add(name);
      const destroy = made.destroy.bind(made);
      const value = () => {
        alive.delete(name);
        destroy();
      };
      Object.defineProperty(made, "destroy", { value, configurable: true });
      return made;
    },
  });
  return { device: counted, counts, alive };
}

/** Compiles with a self-test: what it told, or the error. Nothing may be left of either. */
async function tried(below: GPUDevice, model: Model = mlp, options: CompileOptions = classes) {
  const { device, counts, alive } = counting(below);
  let told: SelfTestResult | undefined;
  const warnings: string[] = [];
  const compiling = compile(model, {
    ...{ ...options, device, onWarning: (text: string) => warnings.push(text) },
    selfTest: selfTest({ onResult: (result) => (told = result) }),
  });
  const error = await compiling.then(
    (trainer) => {
      expect([...alive].filter((name) => name.startsWith("self-test"))).toEqual([]);
      trainer.dispose();
    },
    (reason: Error) => reason,
  );
  expect([...alive]).toEqual([]);
  return { told: told as SelfTestResult | undefined, warnings, error, counts };
}

describe("a sound device passes", () => {
  test.each<[name: string, model: Model, options: CompileOptions, kernels: readonly string[]]>([
    [
      "a classifier",
      mlp,
      classes,
      [
        "softmax-cross-entropy [8x4]",
        "matmul [8x12] x [12x4] +bias",
        "matmul [8x12]^T x [8x4] +columnSum",
        "matmul [8x4] x [12x4]^T +reluBackward",
        "matmul [8x16] x [16x12] +bias +relu",
        "matmul [8x16]^T x [8x12] +columnSum",
      ],
    ],
    [
      "a regression, with ends that are not known and left out",
      sequential([dense(9), gelu(), dense(2)]),
      { input: [5], batch: 3, loss: meanSquaredError() },
      [
        "matmul [3x2] x [9x2]^T",
        "matmul [3x5] x [5x9] +bias",
        "matmul [3x9] x [9x2] +bias",
        "mean-squared-error [3x2]",
        "matmul [3x9]^T x [3x2] +columnSum",
        "matmul [3x5]^T x [3x9] +columnSum",
      ],
    ],
    [
      "convolutions with strides, groups and parts of sums, and a transposed one",
      images,
      image,
      [
        "softmax-cross-entropy [4x3]",
        "conv2d-backward-filter [4x6x6x5] * [4x3x3x6] 3x3 stride 2x2",
        "conv2d-backward-input [4x3x3x6] * [3x3x5x6] 3x3 stride 2x2 +bias",
        "matmul [4x3] x [180x3]^T",
        "matmul [4x180] x [180x3] +bias",
        "matmul [4x180]^T x [4x3] +columnSum",
        "conv2d-backward-input [4x3x3x6] * [3x3x4x6] 3x3 stride 2x2 in 2 groups",
        "conv2d [4x5x6x8] * [3x3x4x6] 3x3 stride 2x2 in 2 groups +bias +relu",
        "conv2d-backward-filter [4x5x6x8] * [4x3x3x6] 3x3 stride 2x2 in 2 groups +columnSum",
        "conv2d [4x6x6x5] * [3x3x5x6] 3x3 stride 2x2 +reluBackward",
        "conv2d [4x11x12x3] * [3x3x3x8] 3x3 +bias",
        "conv2d-backward-filter [4x11x12x3] * [4x11x12x8] 3x3 in 4 parts +columnSum",
      ],
    ],
  ])("%s", async (_, model, options, kernels) => {
    const { told, error, warnings, counts } = await tried(below, model, options);
    expect([error, warnings, counts.submits]).toEqual([undefined, [], 1]);
    expect(new Set(told?.kernels)).toEqual(new Set(kernels));
    expect(told?.milliseconds).toBeGreaterThan(0);
  });

  test.each<[where: string, model: Model, more: number, bytes: number]>([
    ["what shares dispatches in the step", sequential([dense(4)]), 3, 9472],
    ["that of more layers too", mlp, 5, 17664],
  ])("in one submission more, for which is compiled %s", async (_, model, more, bytes) => {
    const { device, counts } = counting(over(below, {}));
    (await compile(model, { ...classes, device })).dispose();
    const { counts: own } = await tried(over(below, {}), model);
    expect(counts).toMatchObject({ submits: 0, bytes: 0 });
    expect(own).toEqual({ submits: 1, bytes, pipelines: counts.pipelines + more });
  });

  test("with many copies of a network, as with one", async () => {
    let told: SelfTestResult | undefined;
    const cohort = await compileCohort(mlp, {
      ...{ ...classes, copies: 3, device: below },
      selfTest: selfTest({ onResult: (result) => (told = result) }),
    });
    cohort.dispose();
    expect(told?.kernels).toContain("matmul [8x12]^T x [8x4] +columnSum");
  });

  test("and trains to the bits that it trains to without", async () => {
    const data = samples(24);
    const [plain, asked] = [await small(below), await small(below, { selfTest: selfTest() })];
    await Promise.all([plain, asked].map((trainer) => trainer.fit(data, { epochs: 2 })));
    expect(await asked.save()).toEqual(await plain.save());
    for (const trainer of [plain, asked]) trainer.dispose();
  });
});

describe("a device that computes wrongly is named", () => {
  /** One whose shaders of a kernel are others, where the text has `part`. */
  const exchanged = (kernel: string, part: string, from: string | RegExp, to: string): GPUDevice =>
    over(below, {
      createShaderModule(descriptor: GPUShaderModuleDescriptor) {
        const { label, code } = descriptor;
        const isMeant = label === kernel && code.includes(part);
        return below.createShaderModule({ ...descriptor, code: isMeant ? code.replace(from, to) : code });
      },
    });
  const store = /c\[at \/ 4\] = value;|c\[at( \+ \d)?\] = value\.\w;/g;

  test.each<[what: string, device: () => GPUDevice, model: Model, options: CompileOptions]>([
    ["gradients of weights are 0", () => exchanged("matmul", "fn store_sum", store, ""), mlp, classes],
    ["gradients of biases are 0", () => exchanged("matmul", "fn store_sum", /sum\[.*value\[j\];/, ""), mlp, classes],
    ["gradients of inputs are 0", () => exchanged("matmul", "// reluBackward", store, ""), mlp, classes],
    [
      "a relu lets all through",
      () => exchanged("matmul", "// relu\n", /result = select.*;/, "result = x;"),
      mlp,
      classes,
    ],
    ["a gradient of a loss is 0", () => exchanged("softmax-cross-entropy", "", /dlogits\[.*;/, ""), mlp, classes],
    ["a loss is 0", () => exchanged("softmax-cross-entropy", "", /rows\[row\] = .*;/, ""), mlp, classes],
    ["filters learn nothing", () => exchanged("conv2d-backward-filter", "", store, ""), images, image],
    [
      "images see another filter",
      () => exchanged("conv2d", "", /fma\(vec4f\(row.y\), by\[1\]/, "fma(vec4f(row.y), by[2]"),
      images,
      image,
    ],
  ])("%s", async (_, device, model, options) => {
    const { error } = await tried(device(), model, options);
    expect(error).toBeInstanceOf(DeviceError);
    expect(String(error).replace(/: .* computes/, ": an adapter computes")).toMatchSnapshot();
  });

  test("by the name that a trainer has for it", async () => {
    const trainer = await compile(mlp, { ...classes, device: below });
    const { error } = await tried(exchanged("matmul", "fn store_sum", store, ""));
    expect(String(error)).toContain(`selfTest: ${trainer.adapter} computes wrongly: matmul [`);
    trainer.dispose();
  });

  test("where the same numbers give others the second time", async () => {
    let passes = 0;
    const forgetful = over(below, {
      createCommandEncoder() {
        const encoder = below.createCommandEncoder();
        return over(encoder, {
          beginComputePass() {
            const pass = encoder.beginComputePass();
            let left = passes++ === 1 ? 3 : Number.POSITIVE_INFINITY;
            return over(pass, {
              dispatchWorkgroups: (...grid: readonly [number, number, number]) =>
                left-- > 0 ? pass.dispatchWorkgroups(...grid) : undefined,
            });
          },
        });
      },
    });
    const { error } = await tried(forgetful);
    expect(passes).toBe(2);
    expect(String(error)).toMatch(
      /^DeviceError: selfTest: .* computes wrongly: matmul .* gave -?\d+ as number \d+ of c, and then 0\. Train/,
    );
  });

  test("where its submission never ran, and what it says then is no number", async () => {
    const dropping = over(below, { queue: over(below.queue, { submit: () => undefined }) });
    const { error } = await tried(dropping);
    expect(error).toBeInstanceOf(DeviceError);
    expect(String(error)).toContain("device: the self-test did not run");
  });

  test("to who asks for a new device after a loss, too", async () => {
    const device = () => exchanged("matmul", "fn store_sum", store, "");
    const asked = compileRecoverable(mlp, { ...classes, device, selfTest: selfTest() }, { attempts: 1 });
    await expect(asked).rejects.toThrow("computes wrongly: matmul");
  });
});

describe("what is asked for", () => {
  test("is said where nothing of the step is known", async () => {
    const shift = sequential([
      { kind: "shift", apply: (scope, x) => scope.op(ops.bias, { x, b: scope.parameter("b", [4], "zeros") }).z },
    ]);
    const { warnings, told, error } = await tried(below, shift, { input: [4], batch: 2, loss: huber() });
    expect([error, told]).toEqual([undefined, undefined]);
    expect(warnings).toEqual(["selfTest: it knows no kernel of this step, so nothing was tried."]);
  });

  test.each<[given: () => unknown, message: string]>([
    [() => selfTest({ onresult: () => undefined } as object), 'selfTest: it has no "onresult". It may have onResult.'],
    [() => selfTest({ onResult: 3 } as never), "selfTest: onResult is 3, it must be a function."],
    [
      () => compile(mlp, { ...classes, selfTest: true as never }),
      "compile: selfTest is true. Give selfTest() of gradus/recover.",
    ],
  ])("is refused by name: %#", async (given, message) => {
    await expect((async () => given())()).rejects.toEqual(new OptionError(message));
  });
});
