// Choice by measurement on a device: a default that does its work 50 times over is left, a second start submits nothing, and bits are those
// of the mode: without it, of the store, or of the checkpoint. The candidates are an op's of our own, two of which give other bits.

import { expect, test } from "vitest";
import { type AutotuneOptions, type AutotuneStore, autotune } from "../../src/autotune/index.ts";
import { CheckpointError, compile, crossEntropy, defineOp, dense, type Op, sequential } from "../../src/index.ts";
import { guarded } from "./guarded.ts";
import { bits, samples, slice } from "./small.ts";

const source = `
override COUNT: u32;
override FACTOR: f32;
override REPEAT: u32;
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= COUNT) { return; }
  var word = id.x;
  for (var i = 0u; i < REPEAT * 200; i++) { word = word * 1664525 + 1013904223; }
  y[id.x] = select(FACTOR, 2, word == 123456789) * x[id.x];
}`;

type Kernel = NonNullable<Op["kernel"]>;
type Candidate = ReturnType<NonNullable<Kernel["candidates"]>>[number];

/** y = x, or a little more: by a default that does its work 50 times over, the same at once, and one that gives other bits. */
const candidates: NonNullable<Kernel["candidates"]> = ({ all: [x] }) =>
  [
    { splits: 1, order: "as it is", factor: 1, repeat: 50 },
    { splits: 2, order: "as it is", factor: 1, repeat: 1 },
    { splits: 3, order: "otherwise", factor: 1 + 2 ** -20, repeat: 0 },
  ].map(({ splits, order, factor, repeat }): Candidate => {
    const count = (x?.shape ?? []).reduce((a, b) => a * b, 1);
    const tactic = { tile: "4x4", threads: 64, shares: 1, splits, staging: "registers" } as const;
    const constants = { COUNT: count, FACTOR: factor, REPEAT: repeat };
    return { tactic, order, choice: { constants, grid: count } };
  });

const slow: Op<"x", "y"> = defineOp({
  name: "slow",
  inputs: ["x"],
  outputs: ["y"],
  shape: ({ x }) => ({ y: { shape: x.shape } }),
  work: () => 1e9, // so that it comes first
  back: ({ dy }, { give, emit }) => give("x", () => emit(slow, { x: dy }).y),
  kernel: { name: "slow", source, candidates, choose: (work) => (candidates(work)[0] as Candidate).choice },
});

const model = sequential({
  stem: dense(512),
  slow: { kind: "slow", apply: (scope, x) => scope.op(slow, { x }).y },
  head: dense(2),
});

const data = samples(24);
const batches = [0, 8, 16].map((from) => slice(data, from, from + 8));

/** A trainer, given time enough also where the clock has grains of a tenth of a second, how many submissions it took to get it, and what it was told of its choices. */
async function start(device: GPUDevice, options?: AutotuneOptions) {
  let submissions = 0;
  const told: string[] = [];
  const { submit } = device.queue;
  device.queue.submit = (commands) => {
    submissions++;
    submit.call(device.queue, commands);
  };
  const onProgress: NonNullable<AutotuneOptions["onProgress"]> = ({ kernel, chosen, isDefault }) =>
    told.push(`${kernel} ${/splits \d/.exec(chosen)} ${isDefault}`);
  const trainer = await compile(model, {
    ...{ device, input: [6], batch: 8, loss: crossEntropy(), onWarning: (message) => told.push(message) },
    ...(options && { autotune: autotune({ seconds: 30, ...options, onProgress }) }),
  });
  device.queue.submit = submit;
  return { trainer, submissions, told };
}

const slowOf = (told: readonly string[]): string | undefined => told.find((line) => line.startsWith("slow"));

test("cached leaves a slow default, gives the bits of off, and measures nothing at the second start", () =>
  guarded(async (device) => {
    const off = await start(device);
    const store = new Map<string, string>();
    const first = await start(device, { store });
    expect(slowOf(first.told)).toBe("slow splits 2 false");
    const second = await start(device, { store });
    expect(second.told).toEqual([]);
    expect(first.submissions).toBeGreaterThan(off.submissions);
    expect(second.submissions).toBe(off.submissions);
    for (const batch of batches) {
      for (const { trainer } of [off, first, second]) await trainer.step(batch);
    }
    const [expected, ...others] = await Promise.all([off, first, second].map(({ trainer }) => trainer.save()));
    for (const bytes of others) expect(bytes).toEqual(expected);
    const repeats = (trainer: typeof off.trainer) =>
      trainer.recording().commands.flatMap(({ constants: { REPEAT } }) => REPEAT ?? []);
    expect(repeats(off.trainer)).toEqual([50, 50]);
    expect(repeats(second.trainer)).toEqual([1, 1]);
    for (const { trainer } of [off, first, second]) trainer.dispose();
  }));

test("full takes what adds otherwise; its checkpoint goes on to the same bits in a fresh profile, and nowhere else", () =>
  guarded(async (device) => {
    const store = new Map<string, string>();
    const { trainer, told } = await start(device, { mode: "full", store });
    // Which of the two quick ones wins is the device's to say; the store may say it as well, so that bits are told apart.
    expect(slowOf(told)).toMatch(/^slow splits [23] false$/);
    trainer.dispose();
    for (const [key, text] of store) store.set(key, text.replaceAll("splits 2", "splits 3"));
    const one = await start(device, { mode: "full", store });
    const two = await start(device, { mode: "full", store });
    expect([one.told, two.told]).toEqual([[], []]);
    for (const batch of batches.slice(0, 2)) for (const { trainer } of [one, two]) await trainer.step(batch);
    const kept = await one.trainer.save();
    expect(await two.trainer.save()).toEqual(kept);

    const wrong = new Map([...store].map(([key, text]) => [key, text.replaceAll("splits 3", "splits 1")]));
    const fresh = await start(device, { mode: "full", store: wrong });
    fresh.trainer.load(kept);
    const off = await start(device);
    expect(() => off.trainer.load(kept)).toThrow(CheckpointError);
    expect(() => off.trainer.load(kept)).toThrow('autotune is "full", here nothing');
    off.trainer.load(kept, { allow: ["autotune"] });
    for (const { trainer } of [one, fresh, off]) await trainer.step(batches[2] as (typeof batches)[number]);
    const expected = bits(await one.trainer.weights());
    expect(bits(await fresh.trainer.weights())).toEqual(expected);
    expect(bits(await off.trainer.weights())).not.toEqual(expected);
    expect(await fresh.trainer.save()).toEqual(await one.trainer.save());
    for (const { trainer } of [one, two, fresh, off]) trainer.dispose();
  }));

test("a damaged store is said and measured anew", () =>
  guarded(async (device) => {
    const texts = new Map<string, string>();
    const store: AutotuneStore = { get: (key) => texts.get(key) ?? "{", set: (key, text) => texts.set(key, text) };
    const { trainer, told } = await start(device, { store });
    expect(told[0]).toMatch(/^autotune: what the store has for this adapter cannot be read/);
    expect(slowOf(told)).toMatch(/^slow splits/); // measured; what is found then is for the tests above to say
    expect(texts.size).toBe(1);
    trainer.dispose();
  }));

test("what the runtime keeps by itself, a database or a file, is found at the second start", () =>
  guarded(async (device) => {
    // In a folder of its own, where that is a file.
    const folder = `/tmp/gradus-autotune-${performance.timeOrigin}`;
    const files = typeof indexedDB === "undefined" ? process.getBuiltinModule("node:fs") : undefined;
    if (files !== undefined) process.env.XDG_CACHE_HOME = folder;
    else indexedDB.deleteDatabase("gradus-autotune");
    const first = await start(device, {});
    expect(slowOf(first.told)).toMatch(/^slow splits/);
    const second = await start(device, {});
    expect(second.told).toEqual([]);
    for (const { trainer } of [first, second]) trainer.dispose();
    files?.rmSync(folder, { recursive: true });
  }));
