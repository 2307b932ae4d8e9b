// Batches of an update that change as training goes on: the steps are those of the closed form on a quadratic, wherever it is cut.

import { expect, test } from "vitest";
import { type BatchSteps, batchSchedule, scaleRate } from "../../src/callbacks/index.ts";
import {
  CheckpointError,
  type CompileOptions,
  compile,
  constant,
  dense,
  meanSquaredError,
  OptionError,
  oneCycle,
  type StepResult,
  sequential,
  sgd,
  stepLR,
} from "../../src/index.ts";
import { guarded } from "./guarded.ts";
import { bits, samples, slice, small } from "./small.ts";

const tables: Record<
  string,
  { given: BatchSteps | ((clock: { step: number; epoch: number }) => number); sizes: number[] }
> = {
  // Nine batches an epoch, three epochs: an epoch ends the update that is under way.
  "by step": {
    given: {
      steps: [
        [0, 1],
        [2, 3],
        [5, 4],
      ],
    },
    sizes: [1, 1, 3, 3, 1, 4, 4, 1, 4, 4, 1],
  },
  "by epoch": {
    given: {
      epochs: [
        [0, 2],
        [1, 9],
        [2, 20],
      ],
    },
    sizes: [2, 2, 2, 2, 1, 9, 9],
  },
  "by a function": {
    given: ({ step, epoch }) => 1 + epoch + (step % 2),
    sizes: [1, 2, 1, 2, 1, 2, 2, 3, 2, 2, 3, 4, 2],
  },
};

/** How far w is after steps of SGD on the mean of (w - y)^2, each over samples of its own. */
function closedForm(
  y: ArrayLike<number>,
  batch: number,
  sizes: readonly number[],
  rateAt: (size: number) => number,
): number[] {
  let [w, at] = [0, 0];
  return sizes.map((size) => {
    const end = Math.min(at + size * batch, y.length);
    let sum = 0;
    for (let i = at; i < end; i++) sum += y[i] as number;
    w -= rateAt(size) * 2 * (w - sum / (end - at));
    at = end === y.length ? 0 : end;
    return w;
  });
}

const quadratic = (device: GPUDevice, options: Partial<CompileOptions>) =>
  compile(sequential({ a: dense(1, { bias: false, initializer: "zeros" }) }), {
    ...{ device, input: [1], loss: meanSquaredError(), optimizer: sgd({ lr: 0.05 }), batch: 4 },
    ...options,
  });

test.each(Object.entries(tables))(
  "%s: the steps of the closed form, from samples and from batches",
  (_, { given, sizes }) =>
    guarded(async (device) => {
      // The last batch has two samples.
      const y = Float32Array.from({ length: 34 }, (_, i) => Math.sin(3 * i) + i / 20);
      const x = new Float32Array(34).fill(1);
      const batches = Array.from({ length: 9 }, (_, i) => ({
        x: x.slice(i * 4, i * 4 + 4),
        y: y.slice(i * 4, i * 4 + 4),
      }));
      const wanted = closedForm(y, 4, sizes, () => 0.05);
      const seen: number[][] = [];
      for (const [data, lockstep] of [
        [{ x, y }, false],
        [{ x, y }, true],
        [batches, false],
      ] as const) {
        const trainer = await quadratic(device, { accumulate: batchSchedule(given) });
        const steps: StepResult[] = [];
        await trainer.fit(data, { epochs: 3, shuffle: false, lockstep, onStep: (step) => steps.push(step) });
        expect(steps.map(({ samples: count }) => Math.ceil(count / 4))).toEqual(sizes);
        const w = (await trainer.weights()).get("a.weight")?.data[0] as number;
        expect(Math.abs(w - (wanted.at(-1) as number))).toBeLessThan(1e-6);
        seen.push([w, ...steps.map(({ loss }) => loss)]);
      }
      expect(seen[1]).toEqual(seen[0]);
      expect(seen[2]).toEqual(seen[0]);
    }),
);

test("with rates that follow by scaleRate, linear in the batch", () =>
  guarded(async (device) => {
    const y = Float32Array.from({ length: 48 }, (_, i) => Math.cos(i));
    const sizes = [1, 1, 1, 3, 3, 3];
    const rateAt = (size: number): number => scaleRate(0.02, { from: 4, to: 4 * size });
    const trainer = await quadratic(device, {
      optimizer: sgd({ lr: 0.02 }),
      accumulate: batchSchedule({
        steps: [
          [0, 1],
          [3, 3],
        ],
      }),
      schedule: stepLR({ steps: 3, gamma: 3 }),
    });
    await trainer.fit({ x: new Float32Array(48).fill(1), y }, { shuffle: false });
    const w = (await trainer.weights()).get("a.weight")?.data[0] as number;
    expect(trainer.steps).toBe(6);
    expect(Math.abs(w - (closedForm(y, 4, sizes, rateAt).at(-1) as number))).toBeLessThan(1e-6);
  }));

test("one number for all is that number, to the bit", () =>
  guarded(async (device) => {
    const data = samples(70);
    const run = async (accumulate: CompileOptions["accumulate"]) => {
      const trainer = await small(device, { accumulate: accumulate as number });
      await trainer.fit(data, { epochs: 2 });
      return bits(await trainer.weights());
    };
    for (const many of [1, 3]) expect(await run(batchSchedule({ epochs: [[0, many]] }))).toEqual(await run(many));
  }));

test("more batches than a submission holds, step by step", () =>
  guarded(async (device) => {
    const data = samples(8 * 50);
    const seen = [];
    for (const [accumulate, lockstep] of [
      [20, true],
      [20, false],
      [batchSchedule(() => 20), true],
    ] as const) {
      const trainer = await small(device, { accumulate });
      await trainer.fit(data, { lockstep });
      expect(trainer.steps).toBe(3);
      seen.push(bits(await trainer.weights()));
    }
    expect(seen[1]).toEqual(seen[0]);
    expect(seen[2]).toEqual(seen[0]);
  }));

test.each([1, 2, 4, 6, 9])(
  "stopped after update %i, saved, loaded and continued: the bytes of never stopping",
  (steps) =>
    guarded(async (device) => {
      const data = samples(70);
      const batches = Array.from({ length: 9 }, (_, i) => slice(data, i * 8, Math.min(70, i * 8 + 8)));
      for (const { given } of Object.values(tables)) {
        for (const fed of [data, batches]) {
          const compiled = () => small(device, { accumulate: batchSchedule(given) });
          const whole = await compiled();
          await whole.fit(fed, { epochs: 3 });
          const first = await compiled();
          await first.fit(fed, { epochs: 3, steps });
          const second = await compiled();
          second.load(await first.save());
          await second.fit(fed, { epochs: 3, resume: true });
          expect(await second.save()).toEqual(await whole.save());
        }
      }
    }),
);

test("a checkpoint says its table, and another is refused", () =>
  guarded(async (device) => {
    const one = await small(device, {
      accumulate: batchSchedule({
        steps: [
          [0, 1],
          [10, 2],
        ],
      }),
    });
    const other = await small(device, {
      accumulate: batchSchedule({
        steps: [
          [0, 1],
          [20, 2],
        ],
      }),
    });
    const bytes = await one.save();
    expect(() => other.load(bytes)).toThrow(CheckpointError);
    expect(() => other.load(bytes)).toThrow("accumulate steps is [[0,1],[10,2]], here [[0,1],[20,2]]");
    other.load(bytes, { allow: ["accumulate"] });
    const same = await small(device, {
      accumulate: batchSchedule({
        steps: [
          [0, 1],
          [10, 2],
        ],
      }),
    });
    same.load(bytes);
  }));

test("what cannot be meant is refused", () =>
  guarded(async (device) => {
    for (const [given, message] of [
      [3, "batchSchedule: it is 3. Give { steps: [[0, 1], [500, 4]] }"],
      [{ steps: [] }, "batchSchedule: it is"],
      [{ steps: [[1, 2]] }, "batchSchedule: entry 0 of steps is [1, 2]. Give [from, batches], the first from 0"],
      [
        {
          epochs: [
            [0, 2],
            [0, 3],
          ],
        },
        "batchSchedule: entry 1 of epochs is [0, 3]. Give [from, batches]",
      ],
      [{ epochs: [[0, 0]] }, "batchSchedule: the number from 0 on is 0, it must be a whole number of at least 1."],
    ] as const) {
      expect(() => batchSchedule(given as never)).toThrow(OptionError);
      expect(() => batchSchedule(given as never)).toThrow(message);
    }
    const data = samples(32);
    const odd = await small(device, { accumulate: batchSchedule(({ step }) => 1.5 - step) });
    await expect(odd.fit(data)).rejects.toThrow(
      "batchSchedule: after 0 steps, in epoch 0: the number is 1.5, it must be a whole number of at least 1.",
    );
    expect(odd.steps).toBe(0);
    const inEpochs = await small(device, {
      ...{
        accumulate: batchSchedule({
          steps: [
            [0, 1],
            [2, 2],
          ],
        }),
        schedule: oneCycle({ epochs: 2 }),
      },
    });
    await expect(inEpochs.fit(data)).rejects.toThrow(OptionError);
    inEpochs.rates.set("**", { schedule: constant() });
    await inEpochs.fit(data);
    expect(inEpochs.steps).toBe(3);
    await expect(small(device, { accumulate: { steps: 3 } as never })).rejects.toThrow(OptionError);
    await expect(small(device, { accumulate: 1.5 })).rejects.toThrow("compile: accumulate is 1.5");
  }));
