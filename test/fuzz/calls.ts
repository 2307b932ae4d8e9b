// The vocabulary: each call by name, how its arguments are made, and what must come of it. A row is plain data for fast-check
// and a function for the trial; later calls are further rows.

import fc from "fast-check";
import type { Samples } from "../../src/index.ts";
import { stream } from "../../src/random.ts";
import { between } from "../reference/numbers.ts";
import { type Editable, randomEdit, randomness } from "../reference/random-edit.ts";
import { bads } from "./bad.ts";
import { freezing } from "./door.ts";
import { sameNumbers, sameValues } from "./look.ts";
import { given, samplesOf } from "./samples.ts";
import { Fault, near, type World } from "./trial.ts";

interface Row<T> {
  readonly args: fc.Arbitrary<T>;
  /** How often it is called beside the others. */
  readonly weight: number;
  run(world: World, args: T): Promise<void>;
}

const row = <T>(weight: number, args: fc.Arbitrary<T>, run: Row<T>["run"]): Row<T> => ({ weight, args, run });

/** As many samples as a batch has, or fewer. */
const batchOf = (
  world: World,
  args: { readonly count: number; readonly salt: number; readonly form: "f32" | "f64" | "list" | "bytes" },
) => samplesOf(world.config, { ...args, count: 1 + ((args.count - 1) % world.config.batch) });

const isAveraged = (world: World, wanted: boolean): boolean => wanted && world.reference.knowsMeans;

export const calls = {
  step: row(3, given(4), async (world, args) => {
    const batch = batchOf(world, args);
    const told = await world.good("step", () => world.trainer.step(batch.data));
    if (world.isDisposed) return;
    const seen = world.reference.train([batch]);
    sameNumbers("step", told, seen);
    if (told.step !== seen.step) throw new Fault("wrong", "step", `it is step ${told.step}, not ${seen.step}`);
    await world.compare("step");
  }),

  fit: row(
    4,
    fc.record({
      data: given(11),
      epochs: fc.integer({ min: 1, max: 2 }),
      steps: fc.option(fc.integer({ min: 1, max: 5 })),
      isStream: fc.boolean(),
      validation: fc.option(given(5)),
      statsEvery: fc.option(fc.integer({ min: 1, max: 3 })),
    }),
    fit,
  ),

  /** A fit that is stopped and goes on: together they are the fit that never stopped. */
  resume: row(
    2,
    fc.record({ data: given(11), stopAt: fc.integer({ min: 1, max: 5 }) }),
    async (world, { data, stopAt }) => {
      const { reference, trainer } = world;
      const all = samplesOf(world.config, data);
      const batches = reference.batchesOf(all);
      const total = 2 * Math.ceil(batches.length / world.config.accumulate);
      const most = Math.min(stopAt, total);
      const seen: number[] = [];
      const onStep = ({ step, loss }: { readonly step: number; readonly loss: number }): void => {
        seen.push(loss);
        if (step === before + most) trainer.stop();
      };
      const before = reference.step;
      await world.good("resume: fit", () =>
        trainer.fit(all.data, { epochs: 2, shuffle: false, lockstep: true, onStep }),
      );
      if (world.isDisposed) return;
      const expected = reference.fit(() => batches, 2, most).told;
      await world.compare("resume: fit");
      if (most < total) {
        const options = { epochs: 2, shuffle: false, resume: true, onStep };
        await world.good("resume", () => trainer.fit(all.data, options));
        const steps = Math.ceil(batches.length / world.config.accumulate);
        for (let at = most; at < total; at++) {
          const first = (at % steps) * world.config.accumulate;
          expected.push(reference.train(batches.slice(first, first + world.config.accumulate)));
        }
        await world.compare("resume");
      }
      if (seen.length !== total) throw new Fault("wrong", "resume", `${seen.length} steps were told of, not ${total}`);
      for (const [i, { loss }] of expected.entries()) near("resume", "the loss", seen[i], loss, 1);
    },
  ),

  /** Looking while a fit runs: each look is of some step of it, and the fit is as if nobody had looked. */
  beside: row(2, fc.record({ data: given(11), look: given(5) }), async (world, { data, look }) => {
    const { reference, trainer } = world;
    const [all, seen] = [samplesOf(world.config, data), samplesOf(world.config, look)];
    const fit = world.good("beside: fit", () => trainer.fit(all.data, { epochs: 2, shuffle: false }));
    const looks = Promise.all([
      trainer.predict(seen.data.x),
      trainer.evaluate(seen.data),
      trainer.predict(seen.data.x),
      trainer.save(),
    ]);
    const told = await world.good("beside", () => fit.then(() => looks));
    if (world.isDisposed) return;
    const states = [reference.look(seen)];
    const batches = reference.batchesOf(all);
    for (let epoch = 0; epoch < 2; epoch++) {
      for (let at = 0; at < batches.length; at += world.config.accumulate) {
        reference.train(batches.slice(at, at + world.config.accumulate));
        states.push(reference.look(seen));
      }
    }
    const isSome = (test: (state: (typeof states)[number]) => void): boolean =>
      states.some((state) => {
        try {
          test(state);
          return true;
        } catch {
          return false;
        }
      });
    for (const { data: values } of [told[0], told[2]]) {
      if (isSome((state) => sameValues("beside", "x", values, Float64Array.from(state.prediction)))) continue;
      throw new Fault("wrong", "beside: predict", "the prediction is that of no step of the fit");
    }
    if (!isSome((state) => sameNumbers("beside", told[1], state))) {
      throw new Fault("wrong", "beside: evaluate", "the evaluation is that of no step of the fit");
    }
    await world.compare("beside");
  }),

  evaluate: row(1, fc.record({ data: given(9), averaged: fc.boolean() }), async (world, { data, averaged }) => {
    const all = samplesOf(world.config, data);
    const options = isAveraged(world, averaged) ? { averaged } : {};
    const told = await world.good("evaluate", () => world.trainer.evaluate(all.data, options));
    if (world.isDisposed) return;
    sameNumbers("evaluate", told, world.reference.look(all, options.averaged === true));
    await world.same("evaluate");
  }),

  predict: row(1, fc.record({ data: given(9), averaged: fc.boolean() }), async (world, { data, averaged }) => {
    const all = samplesOf(world.config, data);
    const options = isAveraged(world, averaged) ? { averaged } : {};
    const told = await world.good("predict", () => world.trainer.predict(all.data.x, options));
    if (world.isDisposed) return;
    const { prediction } = world.reference.look(all, options.averaged === true);
    sameValues("predict", "the prediction", told.data, Float64Array.from(prediction));
    if (told.shape[0] !== all.count) throw new Fault("wrong", "predict", `it has the shape [${told.shape}]`);
    await world.same("predict");
  }),

  gradients: row(1, given(4), async (world, args) => {
    const batch = batchOf(world, args);
    const told = await world.good("gradients", () => world.trainer.gradients(batch.data));
    if (world.isDisposed) return;
    const { loss, gradients } = world.reference.pass(batch);
    sameNumbers(
      "gradients",
      { loss: told.loss, accuracy: Number.NaN },
      { ...batch, loss, accuracy: Number.NaN, close: 0, samples: batch.count },
    );
    for (const [i, { name }] of world.reference.tensors.entries()) {
      const found = told.gradients.get(name)?.data;
      if (found !== undefined) sameValues("gradients", name, found, gradients[i] as Float64Array);
    }
    await world.same("gradients");
  }),

  applyGradients: row(2, fc.record({ salt: fc.nat(50), skips: fc.nat(7) }), async (world, { salt, skips }) => {
    const { tensors } = world.reference;
    const named = tensors.map((tensor, i) => {
      const values = between(-0.5, 0.5)((tensor.arrays[0] as Float64Array).length, stream(salt, i));
      return { name: tensor.name, values, takes: ((skips >> (i % 3)) & 1) === 0 || i === 0 };
    });
    const record = Object.fromEntries(
      named.filter(({ takes }) => takes).map(({ name, values }) => [name, Float32Array.from(values)]),
    );
    await world.good("applyGradients", () => world.trainer.applyGradients(record));
    if (world.isDisposed) return;
    world.reference.update(
      named.map(({ values }) => values),
      Number.NaN,
      (i) => named[i]?.takes === true,
    );
    await world.compare("applyGradients");
  }),

  setWeights: row(1, fc.record({ salt: fc.nat(50), at: fc.nat(9) }), async (world, { salt, at }) => {
    const { tensors } = world.reference;
    const tensor = tensors[at % tensors.length] as (typeof tensors)[number];
    const values = between(-0.7, 0.7)((tensor.arrays[0] as Float64Array).length, stream(salt, "weights"));
    await world.good("setWeights", () => world.trainer.setWeights({ [tensor.name]: values }));
    if (world.isDisposed) return;
    world.reference.set(tensor.name, values);
    await world.compare("setWeights");
  }),

  save: row(1, fc.constant({}), async (world) => {
    const bytes = await world.good("save", () => world.trainer.save());
    if (world.isDisposed) return;
    world.saved.push({ bytes, state: world.reference.state() });
    await world.same("save");
  }),

  load: row(1, fc.nat(9), async (world, at) => {
    const found = world.saved[at % world.saved.length];
    if (found === undefined) return;
    await world.good("load", () => world.trainer.load(found.bytes));
    if (world.isDisposed) return;
    world.reference.restore(found.state);
    await world.compare("load");
    if (world.bytes.some((byte, i) => byte !== found.bytes[i])) {
      throw new Fault("wrong", "load", "what is saved after it is not what was loaded");
    }
  }),

  edit: row(4, fc.nat(1e6), edit),

  findRate: row(1, given(9), async (world, args) => {
    const all = samplesOf(world.config, args);
    await world.either("findRate", () => world.trainer.findRate(all.data, { lo: 1e-4, hi: 1e-2, steps: 10 }));
    await world.same("findRate");
  }),

  transfer: row(1, fc.nat(50), async (world, salt) => {
    const [tensor] = world.reference.tensors as [World["reference"]["tensors"][number]];
    const weights = await world.good("weights", () => world.trainer.weights());
    if (world.isDisposed) return;
    const shape = weights.get(tensor.name)?.shape ?? [];
    const data = Float32Array.from(
      between(-0.7, 0.7)((tensor.arrays[0] as Float64Array).length, stream(salt, "transfer")),
    );
    const told = await world.good("transfer", () =>
      world.trainer.transfer(
        new Map([
          [tensor.name, { shape, data }],
          ["other", { shape: [1], data: data.slice(0, 1) }],
        ]),
      ),
    );
    if (String(told.loaded) !== tensor.name || String(told.unexpected) !== "other") {
      throw new Fault("wrong", "transfer", `it says ${JSON.stringify(told)}`);
    }
    world.reference.set(tensor.name, data);
    await world.compare("transfer");
  }),

  /** A call with one thing wrong. */
  bad: row(
    8,
    fc.record({ call: fc.nat(1e4), odd: fc.nat(1e4), salt: fc.nat(50) }),
    async (world, { call, odd, salt }) => {
      const one = bads[call % bads.length] as (typeof bads)[number];
      const [name, value] = one.odds[odd % one.odds.length] as readonly [string, unknown];
      const place = `${one.name} as ${name}`;
      const all = samplesOf(world.config, { count: world.config.batch, salt, form: "f32" });
      await world.bad(place, () => one.use(world, value, all.data));
    },
  ),

  /** A checkpoint with one byte changed, or cut short. */
  damaged: row(
    1,
    fc.record({ at: fc.nat(1e6), by: fc.integer({ min: 1, max: 255 }), cuts: fc.boolean() }),
    async (world, { at, by, cuts }) => {
      if (world.isDisposed) return;
      const sound = world.bytes;
      const place = at % sound.length;
      const bytes = cuts ? sound.slice(0, place) : sound.map((byte, i) => (i === place ? byte ^ by : byte));
      // A weight may have become another number: that nobody can know.
      if (await world.either("load of a damaged file", () => world.trainer.load(bytes))) {
        await world.good("load after a damaged file", () => world.trainer.load(sound));
      }
      await world.same("load of a damaged file");
    },
  ),

  dispose: row(1, fc.boolean(), async (world, wanted) => {
    if (!wanted) return;
    await world.good("dispose", () => world.trainer.dispose());
    world.isDisposed = true;
  }),
};

export type Name = keyof typeof calls;
export type Call = { readonly [K in Name]: readonly [name: K, args: unknown] }[Name];

export const anyCall: fc.Arbitrary<Call> = fc.oneof(
  ...Object.entries(calls).map(([name, { weight, args }]) => ({
    weight,
    arbitrary: (args as fc.Arbitrary<unknown>).map((made): Call => [name as Name, made]),
  })),
);

interface FitArgs {
  readonly data: Parameters<typeof samplesOf>[1];
  readonly epochs: number;
  readonly steps: number | null;
  readonly isStream: boolean;
  readonly validation: Parameters<typeof samplesOf>[1] | null;
  readonly statsEvery: number | null;
}

async function fit(world: World, { data, epochs, steps, isStream, validation, statsEvery }: FitArgs): Promise<void> {
  const { reference, config, trainer } = world;
  const all = samplesOf(config, data);
  const batches = reference.batchesOf(all);
  const stream: Samples[] = batches.map((batch) => batch.data);
  const checked = validation === null ? undefined : samplesOf(config, validation);
  const told: { step: number; loss: number; accuracy: number; samples: number }[] = [];
  const ended: { loss: number; accuracy: number; validation?: { loss: number; accuracy: number } }[] = [];
  let over = false;
  const alive = (): void => {
    if (over) throw new Fault("late", "fit", "a callback was called after its end");
  };
  // With a limit of steps there are as many epochs as they take.
  const options = {
    ...(steps === null ? { epochs } : { steps }),
    shuffle: false,
    ...(checked === undefined ? {} : { validation: checked.data }),
    ...(statsEvery === null ? {} : { statsEvery, onStats: alive }),
    onStep: (result: (typeof told)[number]) => {
      alive();
      told.push(result);
    },
    onEpoch: (result: (typeof ended)[number]) => {
      alive();
      ended.push(result);
    },
  };
  const result = await world
    .good("fit", () => trainer.fit(isStream ? stream : all.data, options))
    .finally(() => {
      over = true;
    });
  if (world.isDisposed) return;
  const expected = reference.fit(
    () => batches,
    steps === null ? epochs : Number.POSITIVE_INFINITY,
    steps ?? Number.POSITIVE_INFINITY,
  );
  if (told.length !== expected.told.length) {
    throw new Fault("wrong", "fit", `it told of ${told.length} steps, there should be ${expected.told.length}`);
  }
  for (const [i, seen] of expected.told.entries()) {
    sameNumbers("fit: onStep", told[i], seen);
    if (told[i]?.step !== seen.step) throw new Fault("wrong", "fit: onStep", `step ${told[i]?.step}, not ${seen.step}`);
  }
  const isWhole = expected.told.length % Math.ceil(batches.length / config.accumulate) === 0;
  // Where the last step of a stream was its last batch, nobody has asked the stream whether there is another one.
  const known = expected.whole.length - (isStream && steps !== null && isWhole ? 1 : 0);
  if (result.epochs.length < known || ended.length !== result.epochs.length) {
    throw new Fault("wrong", "fit", `${ended.length} and ${result.epochs.length} epochs, not ${known}`);
  }
  for (const [i, seen] of expected.whole.slice(0, result.epochs.length).entries()) {
    const { loss, accuracy } = result.epochs[i] as (typeof result.epochs)[number];
    sameNumbers("fit: epochs", { loss, accuracy }, seen);
  }
  const last = expected.whole.length === ended.length ? ended.at(-1) : undefined;
  if (checked !== undefined && last !== undefined && isWhole) {
    sameNumbers("fit: validation", last.validation, reference.look(checked));
  }
  await world.compare("fit");
}

async function edit(world: World, seed: number): Promise<void> {
  // A bare layer has no name that patterns could find.
  if (world.isDisposed || world.config.model === "bare") return;
  const { reference, trainer } = world;
  const layers = [...new Set(reference.table.tensors.map(({ home }) => home))];
  const names = reference.tensors.map(({ name }) => name);
  const scope = {
    layers,
    patterns: [...layers, ...names, "**", "**.bias", "*.weight", "nowhere"],
    factors: [0.5, 0.9, 1.5, -1],
    lrs: [0, 1e-3, 0.01, 0.05, -0.1],
    // A bare function as a schedule is in no checkpoint.
    without: ["schedule", ...(world.config.averaging === null ? (["averaging"] as const) : [])] as const,
    epochs: false,
  };
  const engine: Editable = { ...trainer.rates, ...freezing(trainer) };
  const state = reference.state();
  let made = { taken: false, expected: false };
  await world.either("edit", () => {
    try {
      made = randomEdit(randomness(seed), scope, engine, reference.table, reference.step);
    } catch (error) {
      reference.restore(state);
      throw error;
    }
    // Refused: the trial wants to see it, to look whether anything has changed.
    if (!made.taken) throw new world.engine.OptionError("edit: refused");
  });
  if (made.taken !== made.expected) {
    throw new Fault(
      made.taken ? "taken" : "refused",
      "edit",
      `the change of seed ${seed} should ${made.expected ? "" : "not "}be made`,
    );
  }
  await world.compare("edit");
}
