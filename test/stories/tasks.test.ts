// The tasks of `npm run train` on their own data: each learns within a few steps what a few steps can teach, and
// those of images show some.

import { expect, test } from "vitest";
import { loadDigits } from "../../demo/digits.ts";
import { tasks } from "../../demo/tasks/index.ts";
import { apart } from "../../demo/tasks/judge.ts";
import { type TaskName, table } from "../../demo/tasks/table.ts";
import { guarded } from "./guarded.ts";

interface Short {
  readonly samples: number;
  readonly batch: number;
  readonly steps: number;
  /** Learning rate. Default: that of the table. */
  readonly lr?: number;
  /** Mean loss of the last four steps. */
  readonly below?: number;
  /** Of two that play against one another no loss says whether they learn: how far the mean picture is from that of digits, black sheets 1. */
  readonly apart?: number;
  /** Whether its pictures are looked at; a network that reads digits shows them as the others of its kind. */
  readonly shows?: boolean;
}

const text = { samples: 32, batch: 4, steps: 16 };
const digits = { samples: 128, batch: 16, steps: 24 };

const stories: Readonly<Record<TaskName, Short>> = {
  cnn: { ...digits, below: 0.7, shows: true },
  lenet: { ...digits, below: 1.2 },
  resnet8: { samples: 64, batch: 8, steps: 16, below: 1.9 },
  mobilenet: { ...digits, below: 2 },
  "vit-tiny": { ...digits, below: 1.6 },
  "char-gpt": { ...text, below: 3.7 },
  "char-lstm": { ...text, below: 3.4 },
  "char-gru": { ...text, below: 3.4 },
  autoencoder: { ...digits, below: 0.5, shows: true },
  denoiser: { ...digits, below: 0.5, shows: true },
  vae: { ...digits, below: 520, shows: true },
  gan: { ...digits, lr: 0.005, apart: 3, shows: true },
};

test.each(Object.entries(stories))(
  "%s",
  (name, { samples, batch, steps, lr = table[name as TaskName].lr, shows = false, ...bounds }) =>
    guarded(async (device) => {
      const run = await tasks[name as TaskName]({ samples, batch, length: { steps }, lr, seed: 1, device });
      expect(run).toMatchObject({ samples, steps, stepsPerEpoch: (name === "gan" ? 2 : 1) * (samples / batch) });
      const told: number[] = [];
      for (const until of [2, steps, steps]) await run.train(until, { onStep: ({ loss }) => told.push(loss) });
      expect(told).toHaveLength(steps);
      if (bounds.below !== undefined)
        expect(told.slice(-4).reduce((sum, loss) => sum + loss / 4, 0)).toBeLessThan(bounds.below);
      if (shows) {
        const { pictures } = await run.show();
        const { height, width, columns, pixels } = pictures ?? expect.fail("there is no picture");
        expect(pixels.length % (height * width * columns)).toBe(0);
        expect(new Set(pixels).size).toBeGreaterThan(20);
        if (bounds.apart !== undefined)
          expect(apart(pixels, (await loadDigits("test", 500)).x)).toBeLessThan(bounds.apart);
      }
      run.trainer.dispose();
    }),
);

test("networks that train in turn go on from a checkpoint to the same bits, in whose turn it stopped", () =>
  guarded(async (device) => {
    const settings = { samples: 32, batch: 8, length: { steps: 8 }, lr: 0.002, seed: 1, device };
    const [whole, second] = [await tasks.gan(settings), await tasks.gan(settings)];
    await whole.train(3);
    const saved = await whole.trainer.save();
    await whole.train(6);
    second.trainer.load(saved);
    await second.train(6);
    const told: string[] = [];
    await whole.train(8, { onStep: ({ reports }) => told.push(...Object.keys(reports ?? {})) });
    await second.train(8);
    expect(told).toEqual(["critic", "artist"]);
    expect(await second.trainer.save()).toEqual(await whole.trainer.save());
    for (const { trainer } of [whole, second]) trainer.dispose();
  }));
