// Branches of time: any step of a training again, to the bit, and other futures from there.

import { expect, test } from "vitest";
import { branches, follow, linkTo, readLink, type Timeline } from "../../src/branches/index.ts";
import {
  adamw,
  averagePool2d,
  batchNorm,
  type CompileOptions,
  compile,
  conv2d,
  crossEntropy,
  DataError,
  decodeSafetensors,
  dense,
  dropout,
  flatten,
  GradusError,
  NameError,
  OptionError,
  oneCycle,
  relu,
  sequential,
} from "../../src/index.ts";
import { uniform } from "../../src/random.ts";
import { guarded } from "./guarded.ts";
import { samples, small } from "./small.ts";

const data = samples(40); // five steps an epoch
const other = samples(40, 4);

/** Everything that a training has to remember: running statistics, random numbers, means of the weights, moments, a schedule. */
const rich = (device: GPUDevice, options: Partial<CompileOptions> = {}) =>
  compile(
    sequential({
      stem: [conv2d(4, { kernel: 3, padding: "same" }), batchNorm(), relu(), averagePool2d(2)],
      body: [flatten(), dropout(0.3), dense(8), relu()],
      head: dense(2),
    }),
    {
      device,
      input: [4, 4, 1],
      batch: 8,
      loss: crossEntropy(),
      optimizer: adamw({ lr: 0.01 }),
      schedule: oneCycle({ steps: 60 }),
      averaging: 0.9,
      seed: 7,
      ...options,
    },
  );
const images = (salt: number) => ({
  x: Float32Array.from({ length: 44 * 16 }, (_, i) => uniform(salt, i)),
  y: Uint8Array.from({ length: 44 }, (_, i) => (uniform(salt + 1, i) > 0.5 ? 1 : 0)),
});

/** All of a checkpoint but the place in the data, which at an epoch's end is said in two ways: at its end, and at the next one's start. */
function stateOf(bytes: Uint8Array) {
  const { tensors, metadata } = decodeSafetensors(bytes);
  const { training, ...rest } = JSON.parse(metadata.gradus as string);
  return { tensors, ...rest, training: { ...training, place: undefined } };
}

test("each step of a training with live edits over three fits is there again with all bits of its checkpoint", () =>
  guarded(async (device) => {
    const [first, second] = [images(1), images(3)]; // six steps an epoch, the last one short
    const edits = (rates: Awaited<ReturnType<typeof rich>>["rates"], step: number): void => {
      if (step === 5) rates.freeze("stem");
      if (step === 13) rates.unfreeze("stem");
      if (step === 14) rates.scale("head", 0.5);
      if (step === 20) rates.set("body.**", { lr: 3e-3, weightDecay: 0.1 });
    };
    const straight = await rich(device);
    const saved = [await straight.save()];
    const keep = {
      lockstep: true,
      onStep: async ({ step }: { readonly step: number }) => {
        saved[step] = await straight.save();
        edits(straight.rates, step);
      },
    };
    await straight.fit(first, { epochs: 2, ...keep });
    await straight.fit(second, { epochs: 3, steps: 7, ...keep }); // stops in the midst of an epoch
    straight.rates.set("stem", 2e-3);
    await straight.fit(second, { epochs: 3, resume: true, ...keep });
    expect(straight.steps).toBe(30);

    const trainer = await rich(device);
    const timeline = await branches(trainer, { every: 8 });
    const live = { lockstep: true, onStep: ({ step }: { readonly step: number }) => edits(trainer.rates, step) };
    await timeline.fit(first, { epochs: 2, ...live });
    await timeline.fit(second, { epochs: 3, steps: 7, ...live });
    trainer.rates.set("stem", 2e-3);
    await timeline.fit(second, { epochs: 3, resume: true, ...live });
    const end = stateOf(saved[30]!);
    expect(stateOf(await trainer.save())).toEqual(end);
    expect(timeline.steps).toBe(30);
    expect(timeline.snapshots.map(({ step }) => step)).toEqual([0, 8, 16, 24]);

    for (const step of [29, 3, 0, 13, 8, 30, 19, 5, 24]) {
      const place = timeline.at(step);
      expect([place.step, place.snapshot]).toEqual([step, step - (step % 8)]);
      expect(await place.visit()).toBe(step % 8);
      // What is changed after a step comes with the next one; the rest of its checkpoint is there.
      expect(trainer.steps).toBe(step);
      if (![5, 13, 14, 19, 20].includes(step))
        expect(stateOf(await trainer.save()), `step ${step}`).toEqual(stateOf(saved[step]!));
      const branch = await place.branch();
      expect(branch.replayed).toBe(step % 8);
      expect(branch.losses()).toEqual(timeline.losses());
      expect(stateOf(await trainer.save()), `from ${step}`).toEqual(end);
      expect(branch.edits()).toEqual(timeline.edits());
    }
    trainer.dispose();
    straight.dispose();
  }));

test("a change in the past has the bits of a run in which it was made live; the timeline that was left stays", () =>
  guarded(async (device) => {
    const trainer = await small(device);
    const timeline = await branches(trainer, { every: 6 });
    await timeline.fit(data, {
      epochs: 4,
      lockstep: true,
      onStep: ({ step }) => void (step === 12 && trainer.rates.set("head", 0.02)),
    });
    const end = await timeline.hash();
    const before = [timeline.losses(), timeline.edits()];
    const heard: number[] = [];
    const branch = await timeline.at(9).branch(
      [
        { kind: "set", pattern: "stem.**", change: { lr: 0.1 } },
        { step: 14, kind: "freeze", pattern: "body", change: {} },
      ],
      { onStep: ({ step }) => heard.push(step) },
    );
    expect(heard).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]);
    expect([branch.parent, branch.start, branch.steps, branch.replayed]).toEqual([timeline, 9, 20, 3]);
    expect(branch.snapshots.map(({ step }) => step)).toEqual([12, 18]);
    const bits = await trainer.save();

    const live = await small(device);
    const losses: number[] = [];
    await live.fit(data, {
      epochs: 4,
      lockstep: true,
      onStep({ step, loss }) {
        losses.push(loss);
        if (step === 9) live.rates.set("stem.**", { lr: 0.1 });
        if (step === 12) live.rates.set("head", 0.02);
        if (step === 14) live.rates.freeze("body");
      },
    });
    expect(branch.losses()).toEqual(losses);
    expect(bits).toEqual(await live.save());
    expect(branch.edits()).toEqual(live.rates.edits());

    expect([timeline.losses(), timeline.edits()]).toEqual(before);
    expect(await branch.hash()).not.toBe(end);
    expect(await timeline.hash()).toBe(end);

    // A branch of a branch, from before its own first snapshot and from behind it, then further than the first one went.
    const again = await branch.at(11).branch();
    expect([again.replayed, again.losses()]).toEqual([5, losses]);
    const third = await branch.at(13).branch([{ kind: "unfreeze", pattern: "**", change: {} }], { until: 17 });
    expect([third.replayed, third.steps]).toEqual([1, 17]);
    await branch.fit(data, { epochs: 1 });
    await live.fit(data, { epochs: 1 });
    expect(await trainer.save()).toEqual(await live.save());
    live.dispose();
    trainer.dispose();
  }));

test("what is changed at rest at the end stands there after a journey, and what is changed then comes behind it", () =>
  guarded(async (device) => {
    const trainer = await small(device);
    const timeline = await branches(trainer, { every: 4 });
    await timeline.fit(data, { epochs: 2 });
    const base = () => trainer.rates.table()[0]!.base;
    trainer.rates.set("stem", 0.03);
    await timeline.at(3).visit();
    expect(base()).toBe(0.01);
    await timeline.at(10).visit();
    expect(base()).toBe(0.03);
    trainer.rates.set("stem.**", 0.02);
    await timeline.at(10).visit();
    expect(base()).toBe(0.02);
    await timeline.fit(data, { epochs: 1 });
    expect(timeline.edits().map(({ step, change }) => [step, change.lr])).toEqual([
      [10, 0.03],
      [10, 0.02],
    ]);
    const live = await small(device);
    await live.fit(data, { epochs: 2 });
    live.rates.set("stem.**", 0.02);
    await live.fit(data, { epochs: 1 });
    expect(await timeline.hash()).toBe(await (await branches(live)).hash());
    live.dispose();
    trainer.dispose();
  }));

test("counts: steps that were made again, snapshots and their bytes, and what epochs tell over a snapshot", () =>
  guarded(async (device) => {
    const trainer = await small(device);
    let made = 0;
    let saves = 0;
    const counted = Object.assign(Object.create(trainer) as typeof trainer, {
      fit: (...given: Parameters<typeof trainer.fit>) =>
        trainer.fit(given[0], {
          ...given[1],
          onStep(step) {
            made++;
            return given[1]?.onStep?.(step);
          },
        }),
      save: () => {
        saves++;
        return trainer.save();
      },
      load: (bytes: Uint8Array) => trainer.load(bytes),
      stop: () => trainer.stop(),
      weights: () => trainer.weights(),
    });
    Object.defineProperty(counted, "steps", { get: () => trainer.steps });
    Object.defineProperty(counted, "rates", { value: trainer.rates });
    const timeline = await branches(counted, { every: 10 });
    const plain = await small(device);
    const told = await timeline.fit(data, { epochs: 7 });
    const { epochs } = await plain.fit(data, { epochs: 7 });
    expect([made, saves, told.stopped, told.epochs.length]).toEqual([35, 4, false, 7]);
    for (const [i, { epoch, loss, accuracy }] of told.epochs.entries()) {
      expect(epoch).toBe(epochs[i]!.epoch);
      expect(loss).toBeCloseTo(epochs[i]!.loss, 12);
      expect(accuracy).toBeCloseTo(epochs[i]!.accuracy, 12);
    }
    const size = (await plain.save()).length;
    expect(timeline.snapshots.map(({ step }) => step)).toEqual([0, 10, 20, 30]);
    for (const { bytes } of timeline.snapshots) expect(Math.abs(bytes - size)).toBeLessThan(200);

    made = saves = 0;
    for (const step of [0, 9, 10, 11, 34, 35]) {
      made = 0;
      expect(await timeline.at(step).visit()).toBe(step % 10);
      expect(made).toBe(step % 10);
    }
    made = 0;
    const branch = await timeline
      .at(27)
      .branch([{ kind: "scale", pattern: "**", change: { factor: 2, floor: 0, eps: 0 } }]);
    expect([branch.replayed, made, saves]).toEqual([7, 7 + 8, 1]);
    expect(branch.snapshots.map(({ step }) => step)).toEqual([30]);
    // A snapshot in the midst of an epoch, and a fit that goes on with it.
    const halves = await small(device);
    const cut = await branches(halves, { every: 3 });
    const parts = await cut.fit(data, { epochs: 3 });
    for (const [i, { loss }] of parts.epochs.entries()) expect(loss).toBeCloseTo(epochs[i]!.loss, 12);
    expect(cut.snapshots.map(({ step }) => step)).toEqual([0, 3, 6, 9, 12, 15]);
    for (const one of [trainer, plain, halves]) one.dispose();
  }));

test("a fit and a branch stop where they are told to, and go on from there", () =>
  guarded(async (device) => {
    const trainer = await small(device);
    const timeline = await branches(trainer, { every: 5 });
    const stopAt = (at: number, line: () => Timeline) => ({
      onStep: async ({ step }: { readonly step: number }) => void (step === at && line().stop()),
    });
    const first = await timeline.fit(data, { epochs: 4, ...stopAt(7, () => timeline) });
    expect([first.stopped, timeline.steps]).toEqual([true, 7]);
    const atSnapshot = await timeline.fit(data, { epochs: 4, resume: true, ...stopAt(10, () => timeline) });
    expect([atSnapshot.stopped, timeline.steps]).toEqual([true, 10]);
    const rest = await timeline.fit(data, { epochs: 4, resume: true });
    expect([rest.stopped, timeline.steps, rest.epochs.map(({ epoch }) => epoch)]).toEqual([false, 20, [3, 4]]);
    const plain = await small(device);
    await plain.fit(data, { epochs: 4 });
    expect(await trainer.save()).toEqual(await plain.save());
    const branch = await timeline.at(6).branch(
      [],
      stopAt(13, () => timeline),
    );
    expect([branch.steps, branch.losses()]).toEqual([13, timeline.losses().slice(0, 13)]);
    await branch.fit(data, { epochs: 4, resume: true });
    expect(branch.losses()).toEqual(timeline.losses());
    plain.dispose();
    trainer.dispose();
  }));

test("what cannot be gone back to is refused by name, and nothing has moved", () =>
  guarded(async (device) => {
    const trainer = await small(device);
    await trainer.fit(data, { epochs: 1 });
    await expect(branches(trainer, { every: 0 })).rejects.toThrow(
      "branches: every is 0, it must be a whole number of at least 1.",
    );
    await expect(branches(trainer, { each: 5 } as never)).rejects.toThrow(
      'branches: it has no "each". It may have every.',
    );
    await expect(branches({} as never)).rejects.toThrow("branches: it was given no trainer.");
    const timeline = await branches(trainer, { every: 4 });
    await expect(timeline.fit([data] as never)).rejects.toThrow("needs samples in arrays");
    await expect(timeline.fit(data, 5 as never)).rejects.toThrow(
      "timeline.fit: its options are 5, they must be an object.",
    );
    await expect(timeline.fit(data, { steps: 0 })).rejects.toThrow(OptionError);
    await expect(timeline.fit(data, { epoch: 3 } as never)).rejects.toThrow('fit: it has no "epoch"');
    await timeline.fit(data, { epochs: 2 });
    const here = await trainer.save();
    const same = async () => expect(await trainer.save()).toEqual(here);

    expect(() => timeline.at(4)).toThrow(
      "timeline.at: step is 4, and the timeline goes from 5 to 15. It keeps nothing from before its first snapshot.",
    );
    expect(() => timeline.at(16)).toThrow(
      "timeline.at: step is 16, and the timeline goes from 5 to 15. Train it on with fit.",
    );
    expect(() => timeline.at(7.5)).toThrow(OptionError);
    const place = timeline.at(8);
    const freeze = { kind: "freeze", pattern: "stem", change: {} } as const;
    await expect(place.branch([{ ...freeze, pattern: "stme" }])).rejects.toThrow(NameError);
    await expect(place.branch([{ ...freeze, step: 7 }])).rejects.toThrow(
      "step of change 0 is 7, it must be a whole number of at least 8.",
    );
    await expect(place.branch([{ ...freeze, kind: "thaw" as never }])).rejects.toThrow(OptionError);
    await expect(place.branch([{ kind: "set", pattern: "stem", change: { lr: -1 } }])).rejects.toThrow(OptionError);
    await expect(place.branch([{ kind: "set", pattern: "stem", change: { schedule: () => 1 } }])).rejects.toThrow(
      "place.branch: change 0 has a schedule of your own",
    );
    await expect(place.branch({} as never)).rejects.toThrow("its changes are no list");
    await expect(place.branch([], { until: 16 })).rejects.toThrow("until is 16, and the timeline ends at 15.");
    await expect(place.branch([], { until: 7 })).rejects.toThrow(OptionError);
    const visiting = place.visit();
    await expect(place.visit()).rejects.toThrow("the trainer is on its way along another timeline");
    await visiting;
    await timeline.at(15).visit();
    await same();

    data.y[3]! ^= 1;
    await expect(place.visit()).rejects.toThrow(DataError);
    await expect(place.branch()).rejects.toThrow("Leave the arrays of a fit as they are.");
    await same();
    data.y[3]! ^= 1;

    await trainer.fit(other, { steps: 1 });
    await expect(place.visit()).rejects.toThrow(
      "the trainer stands after step 16, and its timeline left it after step 15. Train by timeline.fit alone",
    );
    trainer.load(here);
    const weights = await trainer.weights();
    trainer.setWeights({ "head.bias": weights.get("head.bias")!.data.map((value, i) => value + i) });
    await timeline.fit(data, { epochs: 1 });
    await timeline.at(18).visit(); // behind the snapshot that knows of it
    await expect(timeline.at(16).visit()).rejects.toThrow(/^place.visit: step 16 has loss .*, and had/);
    await expect(timeline.at(15).visit()).resolves.toBe(2);
    trainer.dispose();

    const sly = await small(device);
    const changed = await branches(sly, { every: 10 });
    await changed.fit(data, { epochs: 1 });
    sly.setWeights({ "head.bias": [1, -1] });
    await changed.fit(data, { epochs: 1 });
    await expect(changed.at(8).visit()).rejects.toThrow(
      /^place.visit: step 6 has loss .* Change weights by nothing but timeline.fit/,
    );
    await expect(changed.at(8).visit()).rejects.toThrow(GradusError);
    sly.dispose();

    const bare = await small(device);
    const line = await branches(bare, { every: 10 });
    await line.fit(data, { epochs: 1 });
    bare.rates.set("stem", { schedule: () => 0.5 });
    await line.fit(data, { epochs: 1 });
    await expect(line.at(2).visit()).rejects.toThrow('the change of "stem" at step 5 has a schedule of your own');
    expect(bare.steps).toBe(10);
    bare.dispose();
  }));

test("a link of at most 4 kB leads another trainer over a branch of a branch to the same hash; other seeds, data and texts are refused", () =>
  guarded(async (device) => {
    const trainer = await small(device);
    const timeline = await branches(trainer, { every: 10 });
    await timeline.fit(data, {
      epochs: 3,
      lockstep: true,
      onStep: ({ step }) => void (step === 4 && trainer.rates.scale("**", 0.5)),
    });
    await timeline.fit(other, { steps: 7 });
    await timeline.fit(other, { steps: 2, resume: true });
    await timeline.fit(data, { epochs: 1, shuffle: false });
    const schedule = { name: "cosineAnnealingLR", options: { steps: 40 } };
    const branch = await timeline.at(9).branch([{ kind: "set", pattern: "stem", change: { lr: 0.1, schedule } }]);
    const last = await branch.at(23).branch([{ kind: "freeze", pattern: "body", change: {} }], { until: 27 });
    const text = await linkTo(last, { seed: 5, name: "Stämme" });
    expect(text).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(text.length).toBeLessThan(4000);
    const link = readLink(text);
    expect(link.recipe).toEqual({ seed: 5, name: "Stämme" });
    expect(link.lines.map(({ from, to, fits }) => [from, to, fits.map((one) => one.to)])).toEqual([
      [0, 29, [15, 24, 29]],
      [9, 29, [15, 24, 29]],
      [23, 27, [15, 24, 27]],
    ]);
    expect(link.hash).toBe(await last.hash());

    const visitor = await small(device);
    const heard: [number, number][] = [];
    const { timeline: found, same } = await follow(visitor, link, [other, data], {
      every: 10,
      onStep: ({ step }, line) => heard.push([line, step]),
    });
    expect(same).toBe(true);
    expect(await found.hash()).toBe(link.hash);
    expect(found.losses()).toEqual(last.losses());
    expect(found.parent?.losses()).toEqual(branch.losses());
    expect(found.parent?.parent?.losses()).toEqual(timeline.losses());
    expect(found.parent?.parent?.edits()).toEqual(timeline.edits());
    expect(heard.length).toBe(29 + 20 + 4);
    expect([heard[0], heard[29], heard.at(-1)]).toEqual([
      [0, 1],
      [1, 10],
      [2, 27],
    ]);
    expect(await linkTo(found, link.recipe)).toBe(text);

    await expect(follow(visitor, link, data)).rejects.toThrow("the trainer has made 27 steps, and a link begins at 0");
    const seeded = await small(device, { seed: 6 });
    await expect(follow(seeded, link, [data, other])).rejects.toThrow(
      /^follow: the trainer begins with weights \w{16}, the link with \w{16}/,
    );
    await expect(follow(seeded, link, [data])).rejects.toThrow(DataError);
    await expect(follow(seeded, link, [data])).rejects.toThrow("follow: the data of steps 16 to 24 had fingerprint");
    expect(seeded.steps).toBe(0);
    const untrue = { ...link, hash: "0123456789abcdef" };
    const third = await small(device);
    expect((await follow(third, untrue, [data, other])).same).toBe(false);

    const lies: readonly [string, unknown][] = [
      ["its hashes or lines", { ...link, start: 5 }],
      ["its hashes or lines", { ...link, lines: [] }],
      ["the steps of line 0", { ...link, lines: [{ ...link.lines[0], from: 2 }] }],
      ["the steps of line 1", { ...link, lines: [link.lines[0], { ...link.lines[1], from: 30 }] }],
      ["line 0", { ...link, lines: [{ ...link.lines[0], edits: {} }] }],
      ["a fit of line 0", { ...link, lines: [{ ...link.lines[0], fits: link.lines[0]!.fits.slice(1) }] }],
      ["the end of line 0", { ...link, lines: [{ ...link.lines[0], to: 28 }] }],
    ];
    const written = (value: unknown): string => btoa(JSON.stringify({ format: 1, ...Object(value), recipe: 0 }));
    for (const [what, lie] of lies)
      expect(() => readLink(written(lie)), what).toThrow(`readLink: ${what} cannot be read.`);
    expect(() => readLink(text.slice(0, -9))).toThrow("it is no link of a timeline, or a part of it is missing");
    expect(() => readLink("")).toThrow(OptionError);
    expect(() => readLink(btoa("null"))).toThrow("its format is undefined, this version reads 1.");
    const wild = {
      ...link,
      lines: [{ ...link.lines[0]!, edits: [{ step: 3, kind: "set", pattern: "nobody", change: { lr: 1 } }] }],
    };
    const fourth = await small(device);
    await expect(follow(fourth, readLink(written(wild)), [data, other])).rejects.toThrow(NameError);
    expect(fourth.steps).toBe(0);

    const late = await branches(trainer);
    await expect(linkTo(late)).rejects.toThrow("linkTo: the timeline begins after step 27");
    await expect(linkTo(last, { when: () => 1 })).rejects.toThrow('linkTo: "when" of the recipe is a function');
    fourth.rates.set("stem", { schedule: () => 1 });
    const bare = await branches(fourth);
    await bare.fit(data);
    await expect(linkTo(bare)).rejects.toThrow(
      'the change of "stem" at step 0 has a schedule of your own, which cannot cross a link',
    );
    for (const one of [trainer, visitor, seeded, third, fourth]) one.dispose();
  }));
