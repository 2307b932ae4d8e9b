// The finder on a real training: it ends where the loss runs away, suggests a rate that learns, and leaves no trace.

import { expect, test } from "vitest";
import { adam, compile, crossEntropy, dense, oneCycle, relu, sequential, sgd } from "../../src/index.ts";
import { uniform } from "../../src/random.ts";
import { guarded } from "./guarded.ts";

const y = Uint8Array.from({ length: 90 }, (_, i) => i % 3);
const x = Float32Array.from({ length: 90 * 6 }, (_, i) => uniform(3, i) + (i % 6 === y[Math.floor(i / 6)] ? 1 : 0));

test.each([
  ["sgd", sgd({ lr: 0.1, momentum: 0.9 })],
  ["adam", adam({ lr: 1e-3 })],
])("%s: finds a rate, and puts everything back", (_, optimizer) =>
  guarded(async (device) => {
    const trainer = await compile(sequential({ stem: dense(16), act: relu(), head: dense(3) }), {
      device,
      input: [6],
      batch: 16,
      loss: crossEntropy(),
      optimizer,
      schedule: oneCycle({ epochs: 3 }),
    });
    await trainer.fit({ x, y }, { epochs: 3, steps: 4 });
    const before = await trainer.save();
    const table = trainer.rates.table();
    const found = await trainer.findRate({ x, y });
    expect(found.rates[0]).toBeCloseTo(1e-7, 20);
    expect(found.losses).toHaveLength(found.rates.length);
    for (const rate of [found.valley, found.steep, found.minimum, found.slide]) {
      expect(rate).toBeGreaterThan(1e-7);
      expect(rate).toBeLessThan(10);
    }
    expect(await trainer.save()).toEqual(before);
    expect(trainer.rates.table()).toEqual(table);

    const head = await trainer.findRate({ x, y }, { layers: "head", steps: 30, hi: 1 });
    expect(head.rates.at(-1)).toBeLessThanOrEqual(1);
    expect(await trainer.save()).toEqual(before);
    await expect(trainer.findRate({ x, y }, { layers: "tail" })).rejects.toThrow('findRate: "tail" matches no layer');
    await expect(trainer.findRate({ x, y }, { lo: 1, hi: 0.1 })).rejects.toThrow("Give lo above 0 and hi above lo");
    expect(await trainer.save()).toEqual(before);
  }),
);
