// What page and worker say to one another, over a port within one thread: what may cross, errors as they come back, who waits for
// whom, stops, and an end for all that waits. The trainer is a stand-in; test/page/worker.test.ts has real ones in real workers.

import { afterEach, describe, expect, test } from "vitest";
import { GradusError, NonFiniteError, OptionError, type Trainer } from "../../src/index.ts";
import { answer } from "../../src/worker/answer.ts";
import { packed } from "../../src/worker/crossing.ts";
import { errorOf, faultOf } from "../../src/worker/fault.ts";
import { compileInWorker, serve } from "../../src/worker/index.ts";
import { createLink, type Link } from "../../src/worker/link.ts";
import type { Port } from "../../src/worker/messages.ts";
import type { ServedParts } from "../../src/worker/parts.ts";
import { trainerOver, type WorkerTrainer } from "../../src/worker/trainer.ts";

const links: Link[] = [];
afterEach(() => {
  for (const link of links.splice(0)) link.end(new GradusError("over"));
});

/** Says what it was asked, and fits by telling of steps. */
function standIn(log: unknown[]) {
  let [stopped, step] = [false, 0];
  const trainer = {
    ...{ adapter: "none", software: true, network: { inputShape: [1], outputShape: [1], parameterCount: 2 } },
    get steps() {
      return step;
    },
    rates: {
      set: (pattern: string, lr: number) => log.push(["set", pattern, lr, step]),
      table: () => [{ name: "head" }],
    },
    async fit(
      data: unknown,
      options: Record<string, (given: unknown) => unknown> & { steps: number; signal: AbortSignal },
    ) {
      stopped = false;
      log.push(["fit", data]);
      while (step < options.steps && !stopped && !options.signal.aborted) {
        step++;
        await options.onStep?.({ step, loss: 1 / step, epoch: 1, rates: () => ({ head: 0.1 * step }) });
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      await options.onEpoch?.({ epoch: 1 });
      return { epochs: [], stopped: step < options.steps };
    },
    predict: async (x: unknown) => ({ shape: [1], data: Float32Array.of((x as number[])[0] as number) }),
    evaluate: async () => {
      throw new NonFiniteError("evaluate: step 7 is not finite.", 7);
    },
    setWeights: (weights: unknown) => void log.push(["weights", weights]),
    async upload(
      samples: { x: ArrayLike<number> },
      { onProgress, signal }: { onProgress?: (told: unknown) => void; signal: AbortSignal },
    ) {
      const total = samples.x.length;
      for (let done = 0; done < total; done++) {
        signal.throwIfAborted();
        onProgress?.({ done, total });
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      return { count: total, dispose: () => log.push("freed") };
    },
    load: () => {
      throw new TypeError("no bytes");
    },
    stop: () => {
      stopped = true;
    },
    dispose: () => log.push("disposed"),
  };
  return trainer as unknown as Trainer;
}

async function opened(parts: Partial<ServedParts> = {}, settings: object = {}) {
  const log: unknown[] = [];
  const { port1, port2 } = new MessageChannel();
  answer(port2 as unknown as Port, { model: {} as never, ...parts }, async (_, options) => {
    log.push(["compile", Object.keys(options).sort()]);
    return standIn(log);
  });
  const link = createLink(port1 as unknown as Port, () => undefined);
  links.push(link);
  const about = await link.call("compile", [settings]);
  const trainer: WorkerTrainer = trainerOver(link, about as never, async () => undefined);
  return { trainer, link, log };
}

const told = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error) => error);
const refusal = (use: () => unknown): string => {
  try {
    return String(use());
  } catch (error) {
    return String(error);
  }
};

describe("what crosses", () => {
  test("is named where it cannot", () => {
    class Own {}
    const values = [() => 1, Symbol("s"), Promise.resolve(), new Own(), new WeakMap(), (function* () {})()];
    expect(
      values.map((value) => refusal(() => packed("fit", "options", { a: [1, { b: value }] }))),
    ).toMatchInlineSnapshot(`
      [
        "OptionError: fit: options.a[1].b is the function () => ..., which cannot be sent to a worker. What is no plain data stands in the worker's module: serve({ model, ... }).",
        "OptionError: fit: options.a[1].b is Symbol(s), which cannot be sent to a worker. What is no plain data stands in the worker's module: serve({ model, ... }).",
        "OptionError: fit: options.a[1].b is a promise, which cannot be sent to a worker. What is no plain data stands in the worker's module: serve({ model, ... }).",
        "OptionError: fit: options.a[1].b is an object of class Own, which cannot be sent to a worker. What is no plain data stands in the worker's module: serve({ model, ... }).",
        "OptionError: fit: options.a[1].b is an object of class WeakMap, which cannot be sent to a worker. What is no plain data stands in the worker's module: serve({ model, ... }).",
        "OptionError: fit: options.a[1].b is an iterable, which cannot be sent to a worker. What is no plain data stands in the worker's module: serve({ model, ... }).",
      ]
    `);
  });

  test("is copied: of a part of a buffer that part alone, and the page keeps its own", () => {
    const whole = Float32Array.from({ length: 1000 }, (_, i) => i);
    const samples = { x: whole.subarray(10, 20), y: [1, 2], weight: new Map([["a", Uint8Array.of(1)]]), more: whole };
    const { value, transfer } = packed("fit", "data", samples);
    expect(value).toEqual(samples);
    expect(transfer.map(({ byteLength }) => byteLength)).toEqual([40, 1, 4000]);
    expect(transfer).not.toContain(whole.buffer);
  });

  test("is handed over where that is asked for", () => {
    const whole = Float32Array.of(1, 2, 3);
    const { transfer } = packed("fit", "data", { x: whole.subarray(1), y: whole }, true);
    expect(transfer).toEqual([whole.buffer]);
    expect(transfer[0]).toBe(whole.buffer);
  });

  test("may hold itself", () => {
    const ring: Record<string, unknown> = { a: 1 };
    ring.self = ring;
    const { value } = packed("fit", "data", ring);
    expect((value as typeof ring).self).toBe(value);
  });
});

test("an error keeps class, name, message, step and cause", () => {
  const errors = [
    new OptionError("a"),
    new NonFiniteError("b", 12),
    new RangeError("c", { cause: new TypeError("d") }),
    new DOMException("e", "AbortError"),
    Object.assign(new Error("f"), { name: "Odd" }),
  ];
  for (const error of errors) {
    const back = errorOf(structuredClone(faultOf(error)));
    expect([back.constructor, back.name, back.message]).toEqual([error.constructor, error.name, error.message]);
    expect(Object(back).step).toBe(Object(error).step);
    expect(String(back.cause)).toBe(String(error.cause));
  }
});

describe("settings", () => {
  test("are refused by name before a worker is begun, and what belongs to this thread is", async () => {
    const at = "data:text/javascript,";
    const slips = [
      { loss: { apply: () => 1 } },
      { optimizer: [() => 1] },
      { device: {} },
      { seconds: 0 },
      { onStep: 3 },
    ];
    const found = await Promise.all(slips.slice(0, 4).map((slip) => told(compileInWorker(at, slip as never))));
    expect(found.map(String)).toMatchInlineSnapshot(`
      [
        "OptionError: compileInWorker: settings.loss.apply is the function apply, which cannot be sent to a worker. What is no plain data stands in the worker's module: serve({ model, ... }).",
        "OptionError: compileInWorker: settings.optimizer[0] is the function () => ..., which cannot be sent to a worker. What is no plain data stands in the worker's module: serve({ model, ... }).",
        "OptionError: compileInWorker: settings.device belongs to this thread. Leave it out: the worker asks for its own.",
        "OptionError: compileInWorker: seconds is 0, it must be greater than 0.",
      ]
    `);
    expect(found.every((error) => error instanceof OptionError)).toBe(true);
  });

  test("and the module's parts are joined, and none may be of both", async () => {
    const { log } = await opened({ loss: {} as never, callbacks: () => ({}) }, { batch: 8, input: [1] });
    expect(log).toEqual([["compile", ["batch", "input", "loss"]]]);
    expect(String(await told(opened({ batch: 4 }, { batch: 8 })))).toMatch(
      /^OptionError: compileInWorker: batch is given/,
    );
  });
});

describe("calls", () => {
  test("have the results and the errors of the trainer", async () => {
    const { trainer, log } = await opened();
    expect(await trainer.predict([3])).toEqual({ shape: [1], data: Float32Array.of(3) });
    expect(await trainer.rates.table()).toEqual([{ name: "head" }]);
    const error = await told(trainer.evaluate({ x: [1] }));
    expect(error).toBeInstanceOf(NonFiniteError);
    expect(error).toMatchObject({ step: 7, message: "evaluate: step 7 is not finite." });
    expect(await told(trainer.load(new Uint8Array(1)))).toBeInstanceOf(TypeError);
    await trainer.setWeights({ a: [1, 2] });
    expect(log.at(-1)).toEqual(["weights", { a: [1, 2] }]);
  });

  test("take data by name, and uploads", async () => {
    const { trainer, log } = await opened({ data: { train: async () => ({ x: [5] }) } });
    await trainer.fit("train", { steps: 1 });
    expect(log.at(-1)).toEqual(["fit", { x: [5] }]);
    expect(String(await told(trainer.fit("test")))).toMatch(/OptionError: fit: .* no data "test".* It has train/);
    const upload = await trainer.upload({ x: Float32Array.of(1, 2) });
    expect(upload.count).toBe(2);
    await trainer.fit(upload, { steps: 2 });
    expect(log.at(-1)).toMatchObject(["fit", { count: 2 }]);
    upload.dispose();
    await trainer.rates.table();
    expect(log.at(-1)).toBe("freed");
  });

  test("tell how far an upload is, which its own signal ends, and `stop` of a fit does not", async () => {
    const { trainer } = await opened();
    const x = new Float32Array(1000);
    const heard: unknown[] = [];
    const controller = new AbortController();
    const onProgress = (told: { done: number; total: number }): void => {
      if (heard.push(told) === 3) controller.abort();
    };
    const ended = await told(trainer.upload({ x, y: x }, { onProgress, signal: controller.signal }));
    expect(ended).toMatchObject({ name: "AbortError" });
    expect(heard.slice(0, 2)).toEqual([0, 1].map((done) => ({ done, total: 1000 })));
    expect(heard.length).toBeLessThan(1000);
    const upload = trainer.upload({ x: x.slice(0, 20), y: x });
    trainer.stop();
    expect((await upload).count).toBe(20);
  });

  test("refuse an iterable of batches by name", async () => {
    const { trainer } = await opened();
    const batches = (function* () {
      yield { x: [1] };
    })();
    expect(String(await told(trainer.fit(batches)))).toMatch(/^OptionError: fit: its first argument is an iterable/);
  });
});

describe("a fit", () => {
  test("tells of its steps with their rates, and knows how many there were", async () => {
    const { trainer } = await opened();
    const seen: unknown[] = [];
    await trainer.fit({ x: [1] }, { steps: 3, onStep: ({ step, rates }) => void seen.push([step, rates()]) });
    expect(seen).toEqual([1, 2, 3].map((step) => [step, { head: 0.1 * step }]));
    expect(trainer.steps).toBe(3);
  });

  test("in lockstep takes a change and a stop with the step that they were made at", async () => {
    const { trainer, log } = await opened();
    const { stopped } = await trainer.fit(
      { x: [1] },
      {
        ...{ steps: 50, lockstep: true },
        async onStep({ step }) {
          if (step === 2) trainer.rates.set("head", 0.5);
          await new Promise((resolve) => setTimeout(resolve, 3));
          if (step === 4) trainer.stop();
        },
      },
    );
    expect(stopped).toBe(true);
    expect(trainer.steps).toBe(4);
    expect(log).toContainEqual(["set", "head", 0.5, 2]);
  });

  test("ends by a signal, also by one that was given before", async () => {
    const { trainer } = await opened();
    const controller = new AbortController();
    const onStep = (): void => controller.abort();
    expect(await trainer.fit({ x: [1] }, { steps: 5000, signal: controller.signal, onStep })).toMatchObject({
      stopped: true,
    });
    const steps = trainer.steps;
    await trainer.fit({ x: [1] }, { steps: 5000, signal: controller.signal });
    expect(trainer.steps).toBe(steps);
  });

  test.each([{ lockstep: true }, {}])("gives what a listener throws, with %j, and calls none after it", async (how) => {
    const { trainer } = await opened();
    const mine = new Error("mine");
    let heard = 0;
    const onStep = (): void => {
      heard++;
      throw mine;
    };
    expect(await told(trainer.fit({ x: [1] }, { ...how, steps: 5000, onStep }))).toBe(mine);
    expect(heard).toBe(1);
    expect(trainer.steps).toBeLessThan(5000);
  });

  test("waits for listeners that return promises, in order", async () => {
    const { trainer } = await opened();
    const seen: string[] = [];
    const onStep = async ({ step }: { readonly step: number }): Promise<void> => {
      seen.push(`${step} begins`);
      await new Promise((resolve) => setTimeout(resolve, 5));
      seen.push(`${step} ends`);
    };
    await trainer.fit({ x: [1] }, { steps: 4, onStep });
    expect(seen).toEqual([1, 2, 3, 4].flatMap((step) => [`${step} begins`, `${step} ends`]));
  });

  test("has listeners in the worker, too", async () => {
    const heard: number[] = [];
    const { trainer } = await opened({ callbacks: () => ({ onStep: ({ step }) => void heard.push(step) }) });
    await trainer.fit({ x: [1] }, { steps: 2 });
    expect(heard).toEqual([1, 2]);
  });
});

test("when the worker is gone all that waits is refused, and all that is asked later", async () => {
  const { trainer, link } = await opened();
  const waiting = [trainer.fit({ x: [1] }, { steps: 1e6 }), trainer.predict([1]), trainer.rates.table()].map(told);
  const gone = new GradusError("gone");
  link.end(gone);
  expect(await Promise.all(waiting)).toEqual([gone, gone, gone]);
  expect(await told(trainer.save())).toBe(gone);
});

test("outside of a worker serve hands back what it was given", () => {
  const parts = { model: {} as never };
  expect(serve(parts)).toBe(parts);
});
