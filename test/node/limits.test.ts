// Every limit of a device that a training runs into, exceeded by one: refused by a LimitError that names what is needed and what there is,
// before anything is submitted; at the limit itself it trains. What is needed is read off the buffers and commands of a device that has more.

import { expect, test } from "vitest";
import { compileCohort } from "../../src/cohort/index.ts";
import {
  adam,
  compile,
  conv2d,
  crossEntropy,
  dense,
  flatten,
  LimitError,
  type Model,
  meanSquaredError,
  type Recording,
  relu,
  sequential,
} from "../../src/index.ts";
import { countingDevice } from "./counting-device.ts";

const mlp = () => sequential({ body: [dense(64), relu()], head: dense(4) });
const numbers = (count: number): Float32Array<ArrayBuffer> => new Float32Array(count).fill(0.5);

/** What is tried on a device, and the commands of its step. */
type Attempt = (device: GPUDevice) => Promise<Recording | undefined>;

const classifier =
  (
    batch: number,
    samples = batch,
    more: object = {},
    model: () => Model = mlp,
    input: readonly number[] = [100],
  ): Attempt =>
  async (device) => {
    const trainer = await compile(model(), { device, input, batch, loss: crossEntropy(), optimizer: adam(), ...more });
    const size = input.reduce((a, b) => a * b, 1);
    await trainer.fit({ x: numbers(samples * size), y: new Uint8Array(samples) });
    return trainer.recording();
  };
const wide = () => sequential([dense(1024), dense(4)]);
const images = () => sequential([conv2d(8), relu(), flatten(), dense(3)]);

const line: Attempt = async (device) => {
  const trainer = await compile(sequential([dense(1)]), { device, input: [1], batch: 4, loss: meanSquaredError() });
  await trainer.fit({ x: numbers(2 ** 16), y: numbers(2 ** 16) });
  return undefined;
};

const cohort: Attempt = async (device) => {
  const made = await compileCohort(mlp(), { device, copies: 4, input: [100], batch: 2048, loss: crossEntropy() });
  await made.fit({ x: numbers(204_800), y: new Uint8Array(2048) });
  return undefined;
};

/** What a device was asked for. */
interface Asked {
  /** Sizes of buffers by label. */
  readonly buffers: ReadonlyMap<string, number>;
  readonly recording: Recording | undefined;
}

const sizeOf =
  (label: string) =>
  ({ buffers }: Asked): number =>
    buffers.get(label) as number;
const largest = ({ buffers }: Asked): number => Math.max(...buffers.values());
const ofCommands =
  (of: (command: Recording["commands"][number]) => number) =>
  ({ recording }: Asked): number =>
    Math.max(...(recording?.commands.map(of) ?? []));
const groups = ofCommands(({ grid }) => Math.max(...grid));
const bound = ofCommands(({ bindings }) => bindings.filter(({ access }) => access !== "uniform").length);

const limits: readonly (readonly [
  what: string,
  limit: keyof GPUSupportedLimits,
  attempt: Attempt,
  need: (asked: Asked) => number,
])[] = [
  ["the arena of the weights", "maxBufferSize", classifier(4), largest],
  ["an arena of activations", "maxBufferSize", classifier(4096), largest],
  ["data that stays", "maxBufferSize", line, sizeOf("data.x")],
  ["one activation of a batch", "maxStorageBufferBindingSize", classifier(4096), largest],
  ["one weight", "maxStorageBufferBindingSize", classifier(1, 1, {}, wide), () => 100 * 1024 * 4],
  ["workgroups along an axis", "maxComputeWorkgroupsPerDimension", classifier(512), groups],
  [
    "workgroups of a convolution",
    "maxComputeWorkgroupsPerDimension",
    classifier(8, 8, {}, images, [16, 16, 3]),
    groups,
  ],
  ["buffers of a kernel", "maxStorageBuffersPerShaderStage", classifier(4), bound],
  ["an arena of many copies", "maxBufferSize", cohort, largest],
  [
    "what frozen layers give",
    "maxStorageBufferBindingSize",
    classifier(8, 256, { cacheFrozen: true, rates: [["0", { frozen: true }]] }, wide),
    sizeOf("data.features"),
  ],
];

/** Tries it where a limit has a value. */
async function tried(attempt: Attempt, limit: string, value?: number) {
  const { device, read } = countingDevice("gpu");
  if (value !== undefined) Object.assign(device, { limits: { ...device.limits, [limit]: value } });
  const buffers = new Map<string, number>();
  const create = device.createBuffer.bind(device);
  Object.assign(device, {
    createBuffer: (given: GPUBufferDescriptor) => {
      buffers.set(given.label ?? "", Math.max(given.size, buffers.get(given.label ?? "") ?? 0));
      return create(given);
    },
  });
  const before = read().submits;
  try {
    return { buffers, recording: await attempt(device), submits: read().submits - before };
  } catch (error) {
    return { buffers, recording: undefined, submits: read().submits - before, error: error as Error };
  }
}

test.each(limits)("%s: at %s it trains, and one less is refused with both numbers", async (_, limit, attempt, need) => {
  const asked = await tried(attempt, limit);
  expect(asked.error).toBeUndefined();
  const most = need(asked);
  expect((await tried(attempt, limit, most)).error).toBeUndefined();
  const { error, submits } = await tried(attempt, limit, most - 1);
  expect(error).toBeInstanceOf(LimitError);
  expect(submits).toBe(0);
  const [needs, allows] = (error?.message.match(/\d+(\.\d+)?(?= MB| workgroups| buffers|\.)/g) ?? [])
    .slice(-2)
    .map(Number);
  expect(needs, error?.message).toBeGreaterThan(allows as number);
});
