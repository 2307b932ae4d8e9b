// Callbacks without a GPU: a trainer that plays given epochs over a real table of rates. Stopping and reducing against Keras' own callbacks
// (test/golden/callbacks.json); the order of hooks, what they throw, names, and what is refused. Trainings are in stories/callbacks.test.ts.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Callback, CallbackOptions, Hooks, SavedAt } from "../../src/callbacks/index.ts";
import {
  checkpointEvery,
  earlyStopping,
  file,
  fitWith,
  historyOf,
  indexedDb,
  logsOf,
  opfs,
  reduceLROnPlateau,
  restoreBest,
} from "../../src/callbacks/index.ts";
import { DataError, NameError, OptionError, type Samples } from "../../src/index.ts";
import { isWhole, type Kill, killWhileWriting } from "../kills/kill.ts";
import { data, type Play, played } from "./played.ts";

const run = (play: Play, options: CallbackOptions) =>
  fitWith(played(play).trainer, data, { validation: data, ...options });

const golden = JSON.parse(readFileSync("test/golden/callbacks.json", "utf8")) as {
  readonly metrics: readonly (readonly (number | "NaN")[])[];
  readonly stopping: readonly { readonly settings: Settings; readonly ends: readonly (number | null)[] }[];
  readonly plateau: readonly { readonly settings: Settings; readonly rates: readonly (readonly number[])[] }[];
};
interface Settings {
  readonly patience: number;
  readonly min_delta: number;
  readonly mode: "min" | "max";
  readonly baseline: number | null;
  readonly start_from_epoch: number;
  readonly cooldown: number;
  readonly factor: number;
  readonly min_lr: number;
}

describe("as Keras' own", () => {
  test.each(golden.metrics.map((metrics, i) => [i, metrics.map(Number)] as const))(
    "earlyStopping ends a fit after the same epoch, on metrics %i",
    async (i, losses) => {
      for (const { settings, ends } of golden.stopping) {
        const { patience, min_delta: minDelta, mode, baseline, start_from_epoch: start } = settings;
        const options = { patience, minDelta, mode, startFromEpoch: start + 1, ...(baseline && { baseline }) };
        const { epochs } = await run({ losses }, { callbacks: [earlyStopping(options)] });
        expect(epochs.length, JSON.stringify(settings)).toBe(ends[i] ?? losses.length);
      }
    },
  );

  test.each(golden.metrics.map((metrics, i) => [i, metrics.map(Number)] as const))(
    "reduceLROnPlateau leaves the same rates after each epoch, of the layers that are named, on metrics %i",
    async (i, losses) => {
      for (const { settings, rates: expected } of golden.plateau) {
        const { patience, min_delta: minDelta, mode, cooldown, factor, min_lr: minLr } = settings;
        const { trainer, rates } = played({ losses });
        const found: number[] = [];
        const plateau = reduceLROnPlateau({ layers: "head", patience, minDelta, mode, cooldown, factor, minLr });
        const note = () => found.push(rates.rows.find(({ name }) => name === "head.bias")?.lr as number);
        await fitWith(trainer, data, { validation: data, callbacks: [plateau, { onEpoch: note }] });
        const gaps = found.map((rate, epoch) => Math.abs(rate / (expected[i]?.[epoch] as number) - 1));
        expect(found).toHaveLength(losses.length);
        expect(Math.max(...gaps), JSON.stringify(settings)).toBeLessThan(1e-12);
        expect(rates.rows[0]?.lr).toBe(0.1);
      }
    },
  );
});

describe("hooks", () => {
  const noting =
    (name: string, notes: string[]): Callback =>
    () => ({
      onStep: ({ step }) => void notes.push(`${name} step ${step}`),
      onEpoch: async ({ epoch }) => {
        await Promise.resolve();
        notes.push(`${name} epoch ${epoch}`);
      },
      onEnd: ({ history }) => void notes.push(`${name} end ${history.val_loss}`),
      onClose: () => void notes.push(`${name} close`),
    });

  test("are heard in the order of the list, the fit's own last, and each is waited for", async () => {
    const notes: string[] = [];
    const { trainer, seen } = played({ losses: [7] });
    await fitWith(trainer, data, {
      validation: data,
      callbacks: [noting("a", notes), noting("b", notes)],
      onStep: ({ step }) => void notes.push(`own step ${step}`),
      onEpoch: ({ epoch }) => void notes.push(`own epoch ${epoch}`),
    });
    const each = (what: string, names = ["a", "b", "own"]) => names.map((name) => `${name} ${what}`);
    expect(notes).toEqual([
      ...[...each("step 1"), ...each("step 2"), ...each("epoch 1")],
      ...[...each("end 7", ["a", "b"]), ...each("close", ["a", "b"])],
    ]);
    // Where no hook gives a promise the fit must not wait: it would go in lockstep.
    const step = { step: 1, epoch: 1, loss: 1, accuracy: 1, samples: 1, rates: () => ({}) };
    expect(seen.options?.onStep?.(step)).toBeUndefined();
  });

  test("of steps that give a promise make the fit wait for all that stand behind them", async () => {
    const notes: string[] = [];
    const slow: Hooks = { onStep: () => new Promise((done) => setTimeout(() => done(notes.push("slow")), 5)) };
    await run({ losses: [1] }, { callbacks: [slow, { onStep: () => void notes.push("next") }] });
    expect(notes).toEqual(["slow", "next", "slow", "next"]);
  });

  test.each(["onStep", "onEpoch", "onEnd", "onClose"] as const)("that throw end the fit: %s", async (hook) => {
    const notes: string[] = [];
    const failing: Hooks = {
      [hook]: () => {
        throw new Error(`from ${hook}`);
      },
    };
    await expect(run({}, { callbacks: [noting("a", notes), failing, noting("b", notes)] })).rejects.toThrow(
      `from ${hook}`,
    );
    expect(notes.slice(-2)).toEqual(["a close", "b close"]);
    expect(notes.includes("b end 3,2,1")).toBe(hook === "onClose");
  });

  test("that cannot begin leave no weight moved, and close what has begun", async () => {
    const notes: string[] = [];
    const { trainer, seen } = played();
    const bad = () => Promise.reject(new Error("not today"));
    await expect(fitWith(trainer, data, { callbacks: [noting("a", notes), bad] })).rejects.toThrow("not today");
    expect([notes, seen.data]).toEqual([["a close"], undefined]);
  });

  test("one value serves many fits, each of which begins anew", async () => {
    const callbacks = [earlyStopping({ patience: 2 })];
    for (let i = 0; i < 2; i++) {
      const { epochs, stopped } = await run({ losses: [1, 2, 3, 4, 5] }, { callbacks });
      expect([epochs.length, stopped]).toEqual([3, true]);
    }
  });
});

test("restoreBest gives the weights of the best epoch back, and tells which it was", async () => {
  const told: unknown[] = [];
  const play = async (losses: number[], options: Parameters<typeof restoreBest>[0]) => {
    const { trainer, weights } = played({ losses, accuracy: 0.5 });
    await fitWith(trainer, data, {
      validation: data,
      callbacks: [restoreBest({ ...options, onRestore: (at) => told.push(at) })],
    });
    return weights();
  };
  expect(await play([3, 1, 2, 1], {})).toBe("of epoch 2");
  expect(await play([3, 1, 2, 4], { mode: "max" })).toBe("of epoch 4");
  expect(await play([Number.NaN, 1, Number.NaN], { monitor: "loss" })).toBe("of epoch 2");
  expect(await play([Number.NaN], {})).toBe("");
  expect(await play([2, 1], { monitor: "val_accuracy" })).toBe("of epoch 1");
  expect(told).toEqual([
    { epoch: 2, value: 1 },
    { epoch: 4, value: 4 },
    { epoch: 2, value: 2 },
    { epoch: 1, value: 0.5 },
  ]);
});

describe("names", () => {
  test("are those of Keras: each metric, and val_ before those of validation", async () => {
    const { history } = await run({ losses: [2, 1], accuracy: 0.75, reports: { top5: 0.9 } }, {});
    expect(history).toEqual({
      ...{ loss: [4, 2], accuracy: [0.75, 0.75], top5: [0.9, 0.9] },
      ...{ val_loss: [2, 1], val_accuracy: [0.75, 0.75], val_top5: [0.9, 0.9] },
    });
    expect(logsOf({ epoch: 1, loss: 1, accuracy: Number.NaN })).toEqual({ loss: 1 });
    const some = [
      { epoch: 1, loss: 1, accuracy: Number.NaN },
      { epoch: 2, loss: 2, accuracy: 0.5 },
    ];
    expect(historyOf(some)).toEqual({ loss: [1, 2], accuracy: [Number.NaN, 0.5] });
  });

  test("that are there twice are refused", async () => {
    await expect(run({ reports: { val_a: 1, a: 2 } }, {})).rejects.toThrow(
      new OptionError('fitWith: two numbers of an epoch are called "val_a". Give the metric another name.'),
    );
  });

  test("that are not there are told with those that are", async () => {
    await expect(run({}, { callbacks: [earlyStopping({ monitor: "top5" })] })).rejects.toThrow(
      new NameError('earlyStopping: monitor is "top5", and epoch 1 tells of loss, val_loss. Give one of these.'),
    );
    await expect(fitWith(played().trainer, data, { callbacks: [restoreBest()] })).rejects.toThrow(
      'restoreBest: monitor is "val_loss", and this fit has no validation. Give validation or validationSplit, or monitor "loss".',
    );
    await expect(run({}, { callbacks: [reduceLROnPlateau({ layers: "haed" })] })).rejects.toThrow(NameError);
  });
});

describe("validationSplit", () => {
  const splitOf = async (samples: Samples, part: number, shape = [2]) => {
    const { trainer, seen } = played();
    Object.assign(trainer.network, { inputShape: shape });
    await fitWith(trainer, samples, { validationSplit: part });
    return [seen.data, seen.options?.validation];
  };

  test("holds back the last part of all that samples have, without a copy", async () => {
    const x = Float32Array.from(data.x as number[]);
    const [training, held] = (await splitOf(
      { x, y: [0, 1, 2, 3], weight: [1, 2, 3, 4], scale: true },
      0.3,
    )) as Samples[];
    expect(training).toEqual({ x: x.subarray(0, 4), y: [0, 1], weight: [1, 2], scale: true });
    expect(held).toEqual({ x: x.subarray(4), y: [2, 3], weight: [3, 4], scale: true });
    expect(((held as Samples).x as Float32Array).buffer).toBe(x.buffer);
  });

  test("takes rows, several inputs by name, and targets of several numbers", async () => {
    const rows = [
      [1, 2],
      [3, 4],
      [5, 6],
      [7, 8],
    ];
    expect(await splitOf({ x: rows, y: rows }, 0.25)).toEqual([
      { x: rows.slice(0, 3), y: rows.slice(0, 3) },
      { x: rows.slice(3), y: rows.slice(3) },
    ]);
    expect(await splitOf({ x: { a: [1, 2, 3, 4], b: [1, 2, 3, 4, 5, 6] }, y: [7, 8] }, 0.5)).toEqual([
      { x: { a: [1, 2], b: [1, 2, 3] }, y: [7] },
      { x: { a: [3, 4], b: [4, 5, 6] }, y: [8] },
    ]);
  });

  test("refuses what it cannot split", async () => {
    await expect(splitOf(data, 0.9)).rejects.toThrow(
      new DataError(
        "fitWith: validationSplit is 0.9, which leaves 0 of 4 samples for training and 4 for validation. Give more samples, or another part.",
      ),
    );
    for (const other of [[data], undefined, new Map()])
      await expect(splitOf(other as never, 0.5)).rejects.toThrow("validationSplit takes samples { x, y }");
    await expect(splitOf({ ...data, y: [1, 2, 3] }, 0.5)).rejects.toThrow(
      "fitWith: data.y has 3 entries, which is no multiple of 4 samples.",
    );
    await expect(splitOf(data, 1)).rejects.toThrow(
      "fitWith: validationSplit is 1, it must be a number between 0 and 1.",
    );
    await expect(run({}, { validationSplit: 0.5 })).rejects.toThrow("validation and validationSplit are both given");
  });
});

test.each([
  [() => earlyStopping({ patience: -1 }), "earlyStopping: patience is -1, it must be a whole number of at least 0."],
  [
    () => earlyStopping({ monitor: "val_fit" }),
    'earlyStopping: whether more or less of "val_fit" is better is not known. Give mode "min" or "max".',
  ],
  [
    () => restoreBest({ minDelta: 1 } as object),
    'restoreBest: it has no "minDelta". It may have monitor, mode, onRestore.',
  ],
  [() => reduceLROnPlateau({ factor: 1 }), "reduceLROnPlateau: factor is 1, it must be a number between 0 and 1."],
  [() => earlyStopping(3 as unknown as object), "earlyStopping: its options are 3, they must be an object."],
  [() => restoreBest({ mode: "up" as "max" }), 'restoreBest: mode is "up", it must be "auto", "min" or "max".'],
])("what cannot be meant is refused, %#", (make, message) => {
  expect(make).toThrow(new OptionError(message));
});

test("fitWith refuses options that are none, and a callback that makes no hooks", async () => {
  const { trainer } = played();
  await expect(fitWith(trainer, data, 3 as never)).rejects.toThrow(
    new OptionError("fitWith: its options are 3, they must be an object. Write { epochs: 3 }."),
  );
  await expect(fitWith(trainer, data, { onEpoch: 5 as never })).rejects.toThrow("onEpoch is 5, it must be a function");
  const none = (() => undefined) as unknown as Callback;
  await expect(fitWith(trainer, data, { callbacks: [none] })).rejects.toThrow(
    "fitWith: a callback that is a function makes hooks when the fit begins, and one gave undefined.",
  );
});

test.each([[3], [[{ onEpochEnd: () => 1 }]], [[1]]])("fit refuses what are no callbacks, %#", async (callbacks) => {
  await expect(run({}, { callbacks: callbacks as Callback[] })).rejects.toThrow(
    "fitWith: callbacks is no list of callbacks",
  );
});

describe("checkpoints in a file", () => {
  test("are whole whenever their writer is killed: the old one, or the new one", async () => {
    const kills: Kill[] = [];
    await killWhileWriting("file", 6, (kill) => kills.push(kill));
    expect(kills).toHaveLength(6);
    expect(kills.filter((kill) => !isWhole(kill))).toEqual([]);
    // Each writer got on, so that there was something to tear.
    expect(kills.map(({ written }) => written).every((written, i, all) => written > (all[i - 1] ?? 0))).toBe(true);
  });

  test("take the place of one another, and their folder is made", async () => {
    const folder = mkdtempSync(join(tmpdir(), "gradus-checkpoint-"));
    try {
      const store = file(join(folder, "a", "run.safetensors"));
      expect(await store.read()).toBeUndefined();
      for (const bytes of [Uint8Array.of(1, 2, 3), Uint8Array.of(4)]) {
        await store.write(bytes);
        expect(await store.read()).toEqual(bytes);
      }
      expect(readdirSync(join(folder, "a"))).toEqual(["run.safetensors"]);
      // What cannot be written leaves what is there.
      mkdirSync(join(folder, "a", "run.safetensors.new"));
      await expect(store.write(Uint8Array.of(5))).rejects.toThrow("EISDIR");
      expect(await store.read()).toEqual(Uint8Array.of(4));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("checkpointEvery", () => {
  /** Which checkpoints come of ten steps in five epochs. */
  const saves = async (options: object, callbacks: Callback[] = []) => {
    const saved: unknown[] = [];
    const to = (bytes: unknown, at: SavedAt) => void saved.push([bytes, at.step, at.epoch]);
    await run({ losses: [5, 4, 3, 2, 1] }, { callbacks: [...callbacks, checkpointEvery({ to, ...options })] });
    return saved;
  };

  test("saves every so many steps, epochs or seconds, and in the end what came after", async () => {
    expect(await saves({ steps: 4 })).toEqual([
      ["4", 4, 2],
      ["8", 8, 4],
      ["10", 10, 5],
    ]);
    expect(await saves({ epochs: 2 })).toEqual([
      ["4", 4, 2],
      ["8", 8, 4],
      ["10", 10, 5],
    ]);
    expect(await saves({ epochs: 5 })).toEqual([["10", 10, 5]]);
    expect(await saves({ seconds: 1000, only: "weights" })).toEqual([["weights of 10", 10, 5]]);
    expect((await saves({ seconds: 1e-9 })).length).toBeGreaterThan(5);
  });

  test("does not hold up the steps while it is written, and writes one at a time", async () => {
    const notes: string[] = [];
    let free = (): void => undefined;
    const to = async (_: unknown, { step }: SavedAt): Promise<void> => {
      notes.push(`begins ${step}`);
      if (step === 2) {
        await new Promise<void>((done) => {
          free = done;
        });
      }
      notes.push(`is there ${step}`);
    };
    const note = (step: number) => {
      if (step === 7) free();
      notes.push(`step ${step}`);
    };
    await run(
      { losses: [5, 4, 3, 2, 1] },
      { callbacks: [checkpointEvery({ steps: 2, to })], onStep: ({ step }) => note(step) },
    );
    const within = notes.slice(notes.indexOf("begins 2"), notes.indexOf("is there 2") + 1);
    expect(within.filter((text) => text.startsWith("begins"))).toEqual(["begins 2"]);
    expect(within).toContain("step 7");
    expect(notes.at(-1)).toBe("is there 10");
  });

  test.each(["steps", "epochs", "seconds"])(
    "ends the fit with the error of a store that takes nothing, by %s",
    async (unit) => {
      const to = () => Promise.reject(new Error("the disk is full"));
      const rhythm = { [unit]: unit === "seconds" ? 1000 : 1 };
      const notes: number[] = [];
      const fitted = run(
        {},
        { callbacks: [checkpointEvery({ to, ...rhythm })], onStep: ({ step }) => void notes.push(step) },
      );
      await expect(fitted).rejects.toThrow("the disk is full");
      expect(notes.length).toBe({ steps: 1, epochs: 2, seconds: 6 }[unit]);
    },
  );

  test.each([
    [
      { steps: 1, epochs: 1, to: "a" },
      "checkpointEvery: it has steps and epochs rhythm. Give one of steps, seconds and epochs.",
    ],
    [{ to: "a" }, "checkpointEvery: it has no rhythm. Give one of steps, seconds and epochs."],
    [{ steps: 0, to: "a" }, "checkpointEvery: steps is 0, it must be a whole number of at least 1."],
    [{ steps: 1, to: "a/" }, 'file: "a/" is no name of a checkpoint. Give for example "run.safetensors".'],
    [
      { steps: 1 },
      'checkpointEvery: to is undefined. Give opfs("run.safetensors"), indexedDb("run"), file("run.safetensors"), or a function of the bytes.',
    ],
    [{ steps: 1, to: "a", only: "bias" }, 'checkpointEvery: only is "bias", it must be "weights".'],
  ])("refuses what cannot be meant, %#", (options, message) => {
    expect(() => checkpointEvery(options as Parameters<typeof checkpointEvery>[0])).toThrow(new OptionError(message));
  });

  test("says in which places a runtime has none", () => {
    expect(() => opfs("run")).toThrow(
      new OptionError('opfs: there are no files of an origin here. Outside of a browser give file("run").'),
    );
    expect(() => indexedDb("run")).toThrow(
      new OptionError('indexedDb: there is no IndexedDB here. Outside of a browser give file("run").'),
    );
  });
});
