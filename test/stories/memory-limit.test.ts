// What may lie on the GPU at once, in bytes: each thing that does not fit is refused by both numbers and the largest parts, before a buffer of it
// is made, and one byte more is enough. What a trainer makes it gives back.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compileCohort } from "../../src/cohort/index.ts";
import {
  type CompileOptions,
  crossEntropy,
  dense,
  inference,
  LimitError,
  OptionError,
  relu,
  sequential,
  type Trainer,
} from "../../src/index.ts";
import { memoryLimit } from "../../src/recover/index.ts";
import { over } from "../fuzz/faults/over.ts";
import { bits, samples, small } from "./small.ts";

let below: GPUDevice;
beforeAll(async () => {
  below = (await (await navigator.gpu.requestAdapter())?.requestDevice()) as GPUDevice;
});
afterAll(() => below.destroy());

const [UNIFORM, STORAGE] = [0x40, 0x80];

/** A device that knows what lies on it: how many buffers were made, and the bytes that shaders see now, and saw at most. */
function watched() {
  const alive = new Map<GPUBuffer, number>();
  const seen = { made: 0, bytes: 0, most: 0 };
  const device = over(below, {
    createBuffer(descriptor: GPUBufferDescriptor) {
      const made = below.createBuffer(descriptor);
      const bytes = (descriptor.usage & (UNIFORM | STORAGE)) === 0 ? 0 : descriptor.size;
      alive.set(made, bytes);
      seen.made++;
      seen.bytes += bytes;
      seen.most = Math.max(seen.most, seen.bytes);
      const destroy = made.destroy.bind(made);
      const value = () => {
        seen.bytes -= alive.get(made) ?? 0;
        alive.delete(made);
        destroy();
      };
      Object.defineProperty(made, "destroy", { value, configurable: true });
      return made;
    },
  });
  return { device, alive, seen };
}

/** The bytes that an error says are needed. */
const neededBy = (error: unknown): number => Number(/: (\d+) bytes are needed/.exec(String(error))?.[1]);

const refusal = (work: Promise<unknown>): Promise<Error | undefined> =>
  work.then(
    () => undefined,
    (error: Error) => error,
  );

test("compiling needs so many bytes: with one less no buffer is made, and the message names limit, need and the largest parts", async () => {
  const { device, alive, seen } = watched();
  const error = await refusal(small(device, { memoryLimit: memoryLimit(1) }));
  expect(error).toBeInstanceOf(LimitError);
  expect(error?.message).toMatchInlineSnapshot(
    `"memoryLimit: 37272 bytes are needed, 1 are allowed. The largest are step ring with 8192, parameters with 6144, moment1 with 6144. Use recompute: "auto", a smaller batch with accumulate, fewer samples at a time, or a higher limit."`,
  );
  const needed = neededBy(error);
  expect(neededBy(await refusal(small(device, { memoryLimit: memoryLimit(needed - 1) })))).toBe(needed);
  expect([alive.size, seen.made]).toEqual([0, 0]);
  const trainer = await small(device, { memoryLimit: memoryLimit(needed) });
  // Activations come with the first step, into room that was asked for.
  expect(seen.bytes).toBe(needed - trainer.memory().planned);
  trainer.dispose();
  expect([alive.size, seen.bytes]).toEqual([0, 0]);
});

/** A trainer that is at work, and what it does next: each is refused with a byte less than it needs. */
describe("what comes later counts too", () => {
  const data = samples(40);
  const works: Record<
    string,
    { readonly options?: Partial<CompileOptions>; readonly work: (trainer: Trainer) => unknown }
  > = {
    "a fit": { work: (trainer) => trainer.fit(data) },
    "a step": { work: (trainer) => trainer.step(samples(8)) },
    "an evaluation": { work: (trainer) => trainer.evaluate(data) },
    "predictions, 1,024 at once": { work: (trainer) => trainer.predict(samples(1024).x, { batch: 1024 }) },
    "data that stays": { work: (trainer) => trainer.upload(data) },
    "features of frozen layers": {
      options: { cacheFrozen: true, rates: { stem: { frozen: true } } },
      work: (trainer) => trainer.fit(data),
    },
    statistics: { work: (trainer) => trainer.fit(data, { onStats: () => undefined, statsEvery: 2 }) },
  };

  test.each(Object.entries(works))("%s", async (_, { options, work }) => {
    /** The error of the work under a limit; it leaves nothing, and never more was there than is allowed. */
    const tried = async (most: number): Promise<Error | undefined> => {
      const { device, alive, seen } = watched();
      const trainer = await small(device, { ...options, memoryLimit: memoryLimit(most) });
      const weights = bits(await trainer.weights());
      const error = await refusal((async () => work(trainer))());
      expect(seen.most).toBeLessThanOrEqual(most);
      if (error !== undefined) {
        expect(error).toBeInstanceOf(LimitError);
        expect([bits(await trainer.weights()), trainer.steps]).toEqual([weights, 0]);
        expect(neededBy(error)).toBeGreaterThan(most);
      }
      trainer.dispose();
      expect([alive.size, seen.bytes]).toEqual([0, 0]);
      return error;
    };
    const compiling = neededBy(await refusal(small(below, { ...options, memoryLimit: memoryLimit(1) })));
    // A work may need room more than once, such as for data and then for a program.
    const needs = [compiling];
    for (let error = await tried(compiling); error !== undefined; error = await tried(needs.at(-1) as number)) {
      needs.push(neededBy(error));
      expect(neededBy(await tried(neededBy(error) - 1))).toBe(neededBy(error));
    }
    expect(needs.length).toBeGreaterThan(1);
  });
});

describe("data that stayed for another call", () => {
  /** What a fit on 40 samples takes, with all that it makes. */
  async function enough(): Promise<number> {
    const { device, seen } = watched();
    const trainer = await small(device);
    await trainer.fit(samples(40));
    await trainer.evaluate(samples(40));
    trainer.dispose();
    return seen.most;
  }

  test("leaves where other data needs the room, and comes again", async () => {
    const most = await enough();
    const { device, seen } = watched();
    const trainer = await small(device, { memoryLimit: memoryLimit(most) });
    const plain = await small(below);
    for (const salt of [3, 4, 3]) {
      await trainer.fit(samples(40, salt));
      await plain.fit(samples(40, salt));
      expect(await trainer.evaluate(samples(40, salt))).toEqual(await plain.evaluate(samples(40, salt)));
    }
    expect(seen.most).toBe(most);
    expect(bits(await trainer.weights())).toEqual(bits(await plain.weights()));
    for (const one of [trainer, plain]) one.dispose();
  });

  test("does not leave where a fit needs both, or where the user holds it", async () => {
    const most = await enough();
    const trainer = await small(below, { memoryLimit: memoryLimit(most) });
    const both = trainer.fit(samples(40), { validation: samples(40, 4) });
    expect(await refusal(both)).toBeInstanceOf(LimitError);
    expect(trainer.steps).toBe(0);
    const uploaded = trainer.upload(samples(40));
    expect(await refusal(trainer.fit(samples(40, 4)))).toBeInstanceOf(LimitError);
    await trainer.fit(uploaded);
    uploaded.dispose();
    await trainer.fit(samples(40, 4));
    expect(trainer.steps).toBe(10);
    trainer.dispose();
  });
});

test("a cohort counts all of its copies, before there is a buffer", async () => {
  const model = sequential([dense(8), relu(), dense(2)]);
  const { device, alive, seen } = watched();
  const cohortOf = (copies: number, most: number) =>
    compileCohort(model, {
      ...{ copies, memoryLimit: memoryLimit(most), device, input: [6], batch: 8, loss: crossEntropy() },
    });
  const [few, many] = [neededBy(await refusal(cohortOf(2, 1))), neededBy(await refusal(cohortOf(6, 1)))];
  expect(many).toBeGreaterThan(2 * few);
  expect(neededBy(await refusal(cohortOf(6, many - 1)))).toBe(many);
  expect(seen.made).toBe(0);
  const cohort = await cohortOf(6, many);
  cohort.dispose();
  expect([alive.size, seen.bytes]).toEqual([0, 0]);
});

test("a network that only predicts counts too", async () => {
  const trainer = await small(below);
  const bytes = await trainer.save();
  const model = sequential({ stem: [dense(8), relu()], body: [dense(8), relu()], head: dense(2) });
  const { device, alive, seen } = watched();
  const needed = neededBy(await refusal(inference(model, bytes, { device, memoryLimit: memoryLimit(1) })));
  expect(seen.made).toBe(0);
  const network = await inference(model, bytes, { device, memoryLimit: memoryLimit(needed) });
  expect(await refusal(network.predict(samples(64).x))).toBeInstanceOf(LimitError);
  network.dispose();
  expect([alive.size, seen.bytes]).toEqual([0, 0]);
  trainer.dispose();
});

test.each([0, -1, 1.5, Number.NaN, "1 MB"])(
  "a limit of %s is refused, as is one that is not made by its factory",
  async (given) => {
    expect(() => memoryLimit(given as number)).toThrow(
      new OptionError(`memoryLimit: it is ${given}, it must be a whole number of bytes, at least 1.`),
    );
    expect((await refusal(small(below, { memoryLimit: given as never })))?.message).toMatch(
      /^compile: memoryLimit is .*\. Give memoryLimit\(\) of gradus\/recover\.$/,
    );
  },
);

test("two trainers on a device have a limit each, and one that is disposed of twice takes nothing of the other's", async () => {
  const { device, alive, seen } = watched();
  const most = neededBy(await refusal(small(device, { memoryLimit: memoryLimit(1) }))) + 4096;
  const [first, second] = [
    await small(device, { memoryLimit: memoryLimit(most) }),
    await small(device, { memoryLimit: memoryLimit(most) }),
  ];
  const plain = await small(below);
  await first.fit(samples(40));
  const before = [...alive.keys()];
  first.dispose();
  const left = before.filter((buffer) => alive.has(buffer)).length;
  expect(left).toBeGreaterThan(0);
  first.dispose();
  expect(before.filter((buffer) => alive.has(buffer))).toHaveLength(left);
  await second.fit(samples(40));
  await plain.fit(samples(40));
  expect(bits(await second.weights())).toEqual(bits(await plain.weights()));
  await expect(first.fit(samples(40))).rejects.toThrow("trainer: it was disposed");
  for (const one of [second, plain]) one.dispose();
  expect([alive.size, seen.bytes]).toEqual([0, 0]);
});
