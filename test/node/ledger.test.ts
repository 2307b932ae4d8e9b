// The ledger alone, with numbers that arrive when the test lets them: what is taken over, what is not, and who hears of it.

import { describe, expect, test } from "vitest";
import { DeviceError, NonFiniteError, sgd } from "../../src/index.ts";
import { settled } from "../../src/optim/counts.ts";
import { createRateTable } from "../../src/optim/rates.ts";
import type { Metrics } from "../../src/step/metrics.ts";
import { plainUpdate } from "../../src/step/update.ts";
import { createLedger, type Made } from "../../src/trainer/ledger.ts";
import { microOf, planBatch } from "../../src/trainer/plan.ts";
import { batchesOf } from "../../src/trainer/training.ts";

const tensors = ["a.weight", "b.weight"].map((name) => ({ name, shape: [2], layer: name[0]!, offset: 0, length: 2 }));

function setUp({ rest }: { rest?: number } = {}) {
  const depths = new Map([
    ["a", 1],
    ["b", 2],
  ]);
  const rates = createRateTable(tensors, depths, sgd({ lr: 1 }));
  const place = { epoch: 0, position: 0, runEpoch: 0, batch: 4, accumulate: 1, count: 40, shuffle: true };
  let cleared = 0;
  const ledger = createLedger(
    rates,
    { step: 0, draws: 0, place, into: 0, counts: rates.start() },
    {
      clearStatus: () => {
        cleared++;
      },
      rest,
    },
  );
  const heard: number[] = [];
  /** Submits a number of updates, and gives what lets their numbers arrive. */
  function submit(updates: number, hear: (made: Made) => unknown = () => undefined) {
    const first = ledger.head.step + 1;
    let standing = ledger.head;
    const sent = Array.from({ length: updates }, (_, i) => {
      const program = { takesPart: () => true, labels: 1, reports: [] };
      const planner = { rates, momentum: undefined, stepsPerEpoch: 10, program, every: undefined };

      const batch = { start: 4 * i, count: 4, moves: true };
      const planned = planBatch(planner, standing, batch, new Float32Array(8));
      standing = planned.after;
      return planned;
    });
    let resolve = (_: Metrics): void => undefined;
    let reject = (_: unknown): void => undefined;
    const promise = new Promise<Metrics>((done, failed) => {
      [resolve, reject] = [done, failed];
    });
    ledger.submitted(sent, promise, (made) => {
      heard.push(made.result.step);
      return hear(made);
    });
    const arrive = (change: Partial<Metrics> = {}): Promise<void> => {
      const steps = sent.map((_, i) => ({ step: first + i, loss: 1 / (first + i), hits: 2, ignored: 0, count: 4 }));
      resolve({
        steps,
        badStep: 0,
        badRow: 0,
        alarms: new Uint32Array(2),
        statistics: new Map(),
        counts: new Uint32Array(0),
        ...change,
      });
      return new Promise((done) => setTimeout(done));
    };
    return { arrive, reject };
  }
  return { ledger, rates, heard, submit, clearedSoFar: () => cleared };
}

describe("what arrives", () => {
  test("is taken over in order, and the head is ahead of it", async () => {
    const { ledger, heard, submit } = setUp();
    const [first, second] = [submit(3), submit(2)];
    expect([ledger.head.step, ledger.known.step]).toEqual([5, 0]);
    // Numbers that come early wait for those before them.
    await second.arrive();
    expect([ledger.known.step, heard]).toEqual([0, []]);
    await first.arrive();
    expect([ledger.known.step, ledger.known.place.position, [...settled(ledger.known.counts).updates]]).toEqual([
      5,
      5,
      [5, 5],
    ]);
    await ledger.drain();
    expect(heard).toEqual([1, 2, 3, 4, 5]);
  });

  test("of a bad step nothing is, nor of those behind it, and the error names step and gradient", async () => {
    const { ledger, heard, submit, clearedSoFar } = setUp();
    const [first, second] = [submit(3), submit(2)];
    await first.arrive({ badStep: 2, badRow: 2 });
    await second.arrive({ badStep: 2, badRow: 2 });
    const error = await ledger.drain().catch((found: unknown) => found);
    expect(error).toBeInstanceOf(NonFiniteError);
    expect([(error as NonFiniteError).step, String(error)]).toEqual([
      2,
      expect.stringContaining('the gradient of "b.weight"'),
    ]);
    expect([ledger.head, ledger.known.step, ledger.known.place.position]).toEqual([ledger.known, 1, 1]);
    expect([heard, clearedSoFar()]).toEqual([[1], 1]);
    await ledger.drain();
    const next = submit(1);
    await next.arrive();
    expect(ledger.known.step).toBe(2);
  });

  test("not at all: where training stood is kept", async () => {
    const { ledger, heard, submit } = setUp();
    await submit(2).arrive();
    const lost = submit(2);
    lost.reject(new Error("the device is gone"));
    await expect(ledger.drain()).rejects.toThrow("the device is gone");
    expect([ledger.head.step, heard]).toEqual([2, [1, 2]]);
  });

  test("behind what was left out leaves weights of no step: nothing is told of them until a checkpoint is restored", async () => {
    const { ledger, submit } = setUp();
    await submit(1).arrive();
    const start = ledger.known;
    const [dropped, behind] = [submit(1), submit(1)];
    dropped.reject(new DeviceError("step 2 did not run"));
    ledger.demandSound();
    await behind.arrive();
    await expect(ledger.drain()).rejects.toThrow("step 2 did not run");
    expect(() => ledger.demandSound()).toThrow("its weights are of no step. Load a checkpoint");
    expect(ledger.known).toBe(start);
    ledger.restore(start);
    ledger.demandSound();
  });

  test("alone, or before all that was left out too, leaves them as they were; not where it may have run unread", async () => {
    const { ledger, submit } = setUp();
    const [first, second] = [submit(1), submit(1)];
    for (const one of [first, second]) one.reject(new DeviceError("it did not run"));
    await expect(ledger.drain()).rejects.toThrow("it did not run");
    ledger.demandSound();
    submit(1).reject(new DeviceError("it was not mapped", { cause: new Error("why") }));
    await expect(ledger.drain()).rejects.toThrow("not mapped");
    expect(() => ledger.demandSound()).toThrow("of no step");
  });
});

describe("who listens", () => {
  test("is waited for, and when it throws hears nothing more, while what is on its way is made", async () => {
    const { ledger, heard, submit } = setUp();
    const first = submit(3, ({ result }) => {
      if (result.step === 2) throw new Error("mine");
    });
    const second = submit(2);
    await first.arrive();
    await second.arrive();
    await expect(ledger.drain()).rejects.toThrow("mine");
    expect([ledger.known.step, heard]).toEqual([5, [1, 2]]);
    ledger.begin();
    let over = false;
    const third = submit(1, () => new Promise<void>((resolve) => setTimeout(resolve, 20)).then(() => (over = true)));
    await third.arrive();
    expect(ledger.isAwaited).toBe(true);
    await ledger.drain();
    expect(over).toBe(true);
  });
});

describe("a guard", () => {
  test("a layer that it holds has the counts from before its alarm, in all that is on its way", async () => {
    const { ledger, rates, submit } = setUp({ rest: 5 });
    await submit(2).arrive();
    const [first, second] = [submit(3), submit(2)];
    await first.arrive({ alarms: Uint32Array.of(4, 0) });
    expect([...settled(ledger.known.counts).updates]).toEqual([3, 5]);
    expect([...settled(ledger.head.counts).updates]).toEqual([3, 7]);
    await second.arrive({ alarms: Uint32Array.of(4, 0) });
    expect([...settled(ledger.known.counts).updates]).toEqual([3, 7]);
    expect(ledger.known.counts.rests).toEqual(new Map([["a", [3, 8]]]));
    await submit(2).arrive({ alarms: Uint32Array.of(4, 0) });
    expect([...settled(ledger.known.counts).updates]).toEqual([4, 9]);
    expect(rates.table({ step: 9, stepsPerEpoch: 10 }, ledger.known.counts)[0]?.state).toBe("active");
  });
});

test("micro-batches weigh by their samples, and the last update of an epoch is as short as it must be", () => {
  const { ledger } = setUp();
  const parts = Array.from({ length: 5 }, (_, at) =>
    microOf(
      at,
      { ...ledger.head, into: at % 3 },
      { batch: 4, update: { ...plainUpdate(), batches: batchesOf(3) } },
      18,
    ),
  );
  expect(parts.map(({ first, last }) => [first, last])).toEqual([
    [true, false],
    [false, false],
    [false, true],
    [true, false],
    [false, true],
  ]);
  expect(parts.map(({ weight }) => weight)).toEqual([1 / 3, 1 / 3, 1 / 3, 4 / 6, 2 / 6]);
});
