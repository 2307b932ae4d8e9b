// biome-ignore-all lint/suspicious/noExplicitAny: as in plain JavaScript, which has no types.
// Reproductions by the public API. Each expects the right answer and fails on 0.1.0. Copy to test/stories/ and run
//   npx vitest run --project gpu test/stories/cases.test.ts
import { describe, expect, test } from "vitest";
import {
  adam,
  adamw,
  type CompileOptions,
  conv2d,
  crossEntropy,
  dense,
  flatten,
  meanSquaredError,
  NonFiniteError,
  relu,
  sequential,
  sgd,
  type Trainer,
} from "../../src/index.ts";
import { compile } from "./compile-here.ts";

const any = (value: unknown): any => value;
const noise = (salt: number, i: number): number => {
  const v = Math.sin(i * 12.9898 + salt * 78.233) * 43758.5453;
  return v - Math.floor(v);
};
const samples = (count: number, salt = 3) => ({
  x: Float32Array.from({ length: count * 6 }, (_, i) => noise(salt, i) - 0.5),
  y: Uint8Array.from({ length: count }, (_, i) => (noise(salt, 6 * i) > 0.5 ? 1 : 0)),
});
const cut = ({ x, y }: { x: Float32Array; y: Uint8Array }, from: number, to: number) => ({
  x: x.slice(from * 6, to * 6),
  y: y.slice(from, to),
});
const small = (options: Partial<CompileOptions> = {}): Promise<Trainer> =>
  compile(sequential({ stem: [dense(8), relu()], body: [dense(8), relu()], head: dense(2) }), {
    input: [6],
    batch: 8,
    loss: crossEntropy(),
    optimizer: adamw({ lr: 0.01 }),
    seed: 5,
    ...options,
  });
const bits = async (t: Trainer) =>
  [...(await t.weights())].map(([n, { data }]) => `${n}${new Uint32Array(data.slice().buffer)}`).join();
const message = async (use: () => unknown): Promise<string> => {
  try {
    await use();
    return "nothing was thrown";
  } catch (e) {
    return `${(e as Error).name}: ${(e as Error).message}`;
  }
};
const A = samples(80),
  B = samples(32, 9); // 10 and 4 batches

describe("A: where training stands", () => {
  test("A1 a stopped fit, then a fit of other data with fewer epochs: it must train (or refuse), not return at once", async () => {
    const t = await small();
    await t.fit(A, {
      epochs: 5,
      onEpoch: ({ epoch }) => {
        if (epoch === 3) t.stop();
      },
    });
    const at = t.steps;
    await t.fit(B, { epochs: 2 });
    expect(t.steps - at).toBe(8);
  });
  test("A2 fit(A, steps 8), then fit(B) of 4 batches: no epoch of 0 steps with loss NaN", async () => {
    const t = await small();
    await t.fit(A, { steps: 8 });
    const { epochs } = await t.fit(B);
    expect(epochs[0]?.loss).not.toBeNaN();
  });
  test("A3 a checkpoint of the last onEpoch is of a finished run: the next fit trains", async () => {
    const t = await small();
    let best: Promise<Uint8Array<ArrayBuffer>> | undefined;
    await t.fit(A, {
      epochs: 3,
      onEpoch: () => {
        best = t.save();
      },
    });
    const next = await small();
    next.load((await best) as Uint8Array);
    await next.fit(B, { epochs: 2 });
    expect(next.steps - 30).toBe(8);
  });
  test("A5 a checkpoint in the midst of an epoch, batch 16, in a trainer of batch 8: refused, or the 32 samples that are left", async () => {
    const data = samples(64);
    const t = await small({ batch: 16 });
    await t.fit(data, { steps: 2 });
    const next = await small({ batch: 8 });
    let seen = 0;
    const refused = await message(async () => next.load(await t.save()));
    await next.fit(data, {
      onStep: ({ samples: n }) => {
        seen += n;
      },
    });
    expect(refused.startsWith("CheckpointError") || seen === 32).toBe(true);
  });
  test("A7 a checkpoint belongs to the rule of each layer, not to a set of names", async () => {
    const make = (layer: string) => small({ rates: { [layer]: { optimizer: sgd({ lr: 0.1, momentum: 0.9 }) } } });
    const t = await make("head");
    await t.fit(A);
    const bytes = await t.save();
    const other = await make("stem");
    expect(await message(() => other.load(bytes))).toMatch(/^CheckpointError/);
  });
});

describe("B: steps ahead of the page, and streams", () => {
  test("B1 stop() in onStep with lockstep: ends after that step", async () => {
    const t = await small();
    await t.fit(samples(3200), {
      lockstep: true,
      onStep: ({ step }: { step: number }) => {
        if (step === 100) t.stop();
      },
    } as any);
    expect(t.steps).toBeLessThanOrEqual(101);
  });
  test("B2 rates.set in onStep with lockstep: effective at the next step, and two runs are the same", async () => {
    const at: number[] = [],
      all: string[] = [];
    for (let i = 0; i < 3; i++) {
      const t = await small();
      await t.fit(samples(3200), {
        lockstep: true,
        onStep: ({ step }: { step: number }) => {
          if (step === 100) t.rates.set("**", 0);
        },
      } as any);
      at.push(t.rates.edits()[0]!.step);
      all.push(await bits(t));
    }
    expect(at).toEqual([100, 100, 100]);
    expect(new Set(all).size).toBe(1);
  });
  test("B3 a stream that has given its 2 steps and waits: fit resolves", async () => {
    const t = await small();
    async function* stream() {
      yield cut(A, 0, 8);
      yield cut(A, 8, 16);
      await new Promise(() => undefined);
    }
    const won = await Promise.race([
      t.fit(stream(), { steps: 2 }).then(() => "fit"),
      new Promise((r) => setTimeout(() => r("the clock"), 60_000)),
    ]);
    expect([won, t.steps]).toEqual(["fit", 2]);
  });
  test("B5 a bad batch in a stream: nothing comes after the rejection", async () => {
    const t = await small();
    let over = false;
    const late: number[] = [];
    await t
      .fit([cut(A, 0, 8), { x: [1, 2, 3], y: [0] }], {
        onStep: ({ step }) => {
          if (over) late.push(step);
        },
      })
      .catch(() => {
        over = true;
      });
    await new Promise((r) => setTimeout(r, 500));
    expect(late).toEqual([]);
  });
  test("B6 an async onEpoch that evaluates: awaited, or at least no unhandled rejection", async () => {
    const lost: string[] = [];
    const listen = (e: PromiseRejectionEvent) => {
      lost.push(String(e.reason));
      e.preventDefault();
    };
    window.addEventListener("unhandledrejection", listen);
    const t = await small();
    await t.fit(A, {
      onEpoch: async () => {
        await t.evaluate(B);
      },
    });
    await new Promise((r) => setTimeout(r, 100));
    window.removeEventListener("unhandledrejection", listen);
    expect(lost).toEqual([]);
  });
});

describe("C: rates, finder, recipe", () => {
  test("C1 whole-number keys are refused, lists of pairs keep their order", async () => {
    const make = (rates: unknown) =>
      compile(sequential([dense(4), relu(), dense(2)]), any({ input: [6], loss: crossEntropy(), rates }));
    expect(await message(() => make({ "**": 0.1, "2": 0.01 }))).toMatch(/^OptionError/);
    expect(
      (
        await make([
          ["**", 0.1],
          ["2", 0.01],
        ])
      ).rates
        .table()
        .map(({ lr }) => lr),
    ).toEqual([0.1, 0.01]);
  });
  test("C3 findRate tells the rate that was used, wherever the rate comes from", async () => {
    const find = async (options: Partial<CompileOptions>) =>
      (await (await small(options)).findRate(A, { lo: 1e-3, hi: 10, steps: 40 })).minimum;
    const [a, b] = [
      await find({ optimizer: sgd({ lr: 0.1 }) }),
      await find({ optimizer: sgd({ lr: 0.001 }), rates: { "**": 0.1 } }),
    ];
    expect(b / a).toBeCloseTo(1, 1); // the two trainers are one and the same
  });
  test("C4 fineTune while a fit runs: refused, and the fit goes on undisturbed", async () => {
    const t = await small(),
      alone = await small();
    const data = samples(800);
    const fit = t.fit(data);
    await message(() => t.fineTune(B));
    await fit;
    await alone.fit(data);
    expect([t.rates.edits().length, (await bits(t)) === (await bits(alone))]).toEqual([0, true]);
  });
  test("C5 fineTune with data that is refused: nothing is frozen", async () => {
    const t = await small();
    await message(() => t.fineTune(any({ x: [1, 2], y: [0] })));
    expect(t.rates.table().map(({ state }) => state)).toEqual(["active", "active", "active"]);
  });
  test("C7 the table of a layer whose bias alone trains", async () => {
    const t = await small();
    t.rates.freeze("**.weight");
    await t.fit(A);
    expect(t.rates.table().at(-1)).toMatchObject({ state: "active", updates: 10, lr: 0.01 });
  });
  test("C8 rules that are equal are one rule", async () => {
    const layers = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`l${i}`, dense(4)]));
    expect(
      await message(() =>
        compile(sequential(any(layers)), {
          input: [4],
          loss: crossEntropy(),
          rates: () => ({ optimizer: sgd({ lr: 0.1, momentum: 0.9 }) }),
        }),
      ),
    ).toBe("nothing was thrown");
  });
  test("C9 a bare layer: '**.bias' matches its bias", async () => {
    expect(
      await message(() =>
        compile(dense(1), { input: [2], loss: meanSquaredError(), rates: { "**.bias": { weightDecay: 0 } } }),
      ),
    ).toBe("nothing was thrown");
  });
  test("C10 a schedule that is none is refused by compile (plain JavaScript)", async () => {
    expect(await message(() => small({ schedule: any(0.5) }))).toMatch(/^OptionError/);
  });
});

describe("D: numbers", () => {
  test("D1 a loss that is finite, a gradient that is not: no weight becomes NaN, or somebody says so", async () => {
    const t = await compile(sequential({ a: dense(1, { bias: false }), r: relu(), b: dense(1) }), {
      input: [1],
      batch: 1,
      loss: meanSquaredError(),
      optimizer: sgd({ lr: 1 }),
    });
    t.setWeights({ "a.weight": [1e-10], "b.weight": [1e15], "b.bias": [0] });
    const told: string[] = [];
    for (let i = 0; i < 3; i++) told.push(await message(() => t.step({ x: [1e10], y: [0] })));
    const finite = [...(await t.weights()).values()].every(({ data }) => data.every(Number.isFinite));
    expect(finite || told.some((text) => text.startsWith("NonFiniteError"))).toBe(true);
  });
  test("D2 after NonFiniteError of a plain divergence the weights are finite", async () => {
    let diverged = 0,
      bad = 0;
    for (let seed = 0; seed < 40; seed++) {
      const t = await compile(sequential([dense(8), relu(), dense(8), relu(), dense(1)]), {
        input: [4],
        batch: 8,
        loss: meanSquaredError(),
        optimizer: sgd({ lr: 10 }),
        seed,
      });
      const error = await t
        .fit(
          {
            x: Float32Array.from({ length: 256 }, (_, i) => (noise(seed, i) - 0.5) * 10),
            y: Float32Array.from({ length: 64 }, (_, i) => noise(seed + 1, i) * 10),
          },
          { epochs: 8 },
        )
        .catch((e: unknown) => e);
      if (error instanceof NonFiniteError) {
        diverged++;
        if (![...(await t.weights()).values()].every(({ data }) => data.every(Number.isFinite))) bad++;
      }
      t.dispose();
    }
    expect({ diverged, bad }).toEqual({ diverged, bad: 0 });
  });
  test("D3 the mean squared error of an image of 1024 x 1024 x 3", async () => {
    const n = 1024 * 1024 * 3;
    const eye = (shape: readonly number[]) =>
      Float32Array.from({ length: shape[2]! * shape[3]! }, (_, i) =>
        Math.floor(i / shape[3]!) === i % shape[3]! ? 1 : 0,
      );
    const t = await compile(sequential([conv2d(3, { kernel: 1, bias: false, initializer: eye })]), {
      input: [1024, 1024, 3],
      batch: 1,
      loss: meanSquaredError(),
    });
    const { loss } = await t.evaluate({ x: new Float32Array(n).fill(1), y: new Float32Array(n).fill(0.9) });
    expect(loss).toBeCloseTo(0.01, 5); // 0.0098 today
  });
  test("D4 a convolution over one image of 3000 x 3000", async () => {
    const t = await compile(sequential([conv2d(1, { kernel: 1, bias: false, initializer: "ones" })]), {
      input: [3000, 3000, 1],
      batch: 1,
      loss: meanSquaredError(),
    });
    expect(await message(() => t.predict(new Uint8Array(9e6)))).not.toMatch(/Use a smaller batch/);
  });
  test("D5 a rate beyond f32 is refused", async () => {
    expect(await message(() => small({ optimizer: sgd({ lr: 1e39 }) }))).toMatch(/^OptionError/);
  });
});

describe("E: data and names", () => {
  test("E1 data that changed in place (augmentation between epochs) is seen, or refused, or documented", async () => {
    const t = await small();
    const data = { x: A.x.slice(), y: A.y };
    await t.evaluate(data);
    data.x.fill(0);
    expect((await t.evaluate(data)).loss).toBe((await t.evaluate({ ...data })).loss);
  });
  test("E2 null in the numbers, as JSON makes of NaN, is no 0", async () => {
    const t = await compile(sequential([dense(1)]), { input: [1], loss: meanSquaredError() });
    expect(
      await message(() => t.fit(JSON.parse(JSON.stringify({ x: [1, Number.NaN, 3], y: [1, 2, Number.NaN] })))),
    ).toMatch(/^DataError/);
  });
  test("E4 evaluate(iterable) and predict({ x }): the advice is not what was just done", async () => {
    const t = await small();
    expect(await message(() => t.evaluate(any([cut(A, 0, 8)])))).not.toMatch(/or an iterable of those/);
    expect(await message(() => t.predict(any({ x: A.x })))).not.toMatch(/Give \{ x, y \}/);
  });
  test("E5 maps where records are meant (what weights() and gradients() give): taken or refused, not ignored (plain JavaScript)", async () => {
    const t = await small(),
      other = await small({ seed: 9 });
    const before = await bits(t);
    const told = await message(async () => t.setWeights(any(await other.weights())));
    expect(told !== "nothing was thrown" || before !== (await bits(t))).toBe(true);
    const told2 = await message(async () => t.applyGradients(any((await t.gradients(cut(A, 0, 8))).gradients)));
    expect(told2 !== "nothing was thrown" || t.rates.table()[0]!.updates === 1).toBe(true);
  });
  const file = (entries: [string, string, number[], Uint8Array][]): Uint8Array => {
    let at = 0;
    const head = Object.fromEntries(
      entries.map(([n, dtype, shape, b]) => {
        const one = { dtype, shape, data_offsets: [at, at + b.length] };
        at += b.length;
        return [n, one];
      }),
    );
    const text = new TextEncoder().encode(JSON.stringify(head));
    const out = new Uint8Array(8 + text.length + at);
    new DataView(out.buffer).setBigUint64(0, BigInt(text.length), true);
    out.set(text, 8);
    let p = 8 + text.length;
    for (const [, , , b] of entries) {
      out.set(b, p);
      p += b.length;
    }
    return out;
  };
  test("E6 a sound file with F16, or with one I64 beside the F32 that fit: not called damaged, what fits is taken", async () => {
    const t = await small();
    expect(await message(() => t.transfer(file([["head.bias", "F16", [2], new Uint8Array(4)]])))).not.toMatch(
      /damaged/,
    );
    expect(
      await message(() =>
        t.transfer(
          file([
            ["head.bias", "F32", [2], new Uint8Array(8)],
            ["position_ids", "I64", [1], new Uint8Array(8)],
          ]),
        ),
      ),
    ).toBe("nothing was thrown");
  });
  test("E9 another library's options (plain JavaScript): refused, not ignored", async () => {
    expect(await message(() => any(adam)(0.01))).toMatch(/^OptionError/);
    expect(await message(() => any(dense)(8, { activation: "relu" }))).toMatch(/^OptionError/);
  });
  test("E10 after dispose: load, transfer and setWeights refuse like the others", async () => {
    const t = await small();
    const bytes = await t.save();
    t.dispose();
    expect(await message(() => t.transfer(bytes))).toMatch(/^DeviceError/);
    expect(await message(() => t.load(bytes))).toMatch(/^DeviceError/);
    expect(await message(() => t.setWeights({ "head.bias": [0, 0] }))).toMatch(/^DeviceError/);
  });
});
void flatten;

describe("F: from building small applications", () => {
  test("F1 two predictions at once: both come, and right", async () => {
    const t = await small();
    const [a, b] = await Promise.all([t.predict(A.x.slice(0, 48)), t.predict(B.x.slice(0, 48))]);
    expect([a.data, b.data]).toEqual([
      (await t.predict(A.x.slice(0, 48))).data,
      (await t.predict(B.x.slice(0, 48))).data,
    ]);
  });
  test("F2 predict and evaluate while a fit runs: they take their turn, and the fit has the bits of one undisturbed", async () => {
    const [t, u] = [await small(), await small()];
    await u.fit(samples(1600), { epochs: 2 });
    const fit = t.fit(samples(1600), { epochs: 2 });
    const seen = [await t.predict(A.x.slice(0, 48)), await t.evaluate(B)];
    await fit;
    expect(seen).toHaveLength(2);
    expect(await bits(t)).toBe(await bits(u));
  });
  test("F4 fit(data, { steps }) makes that many steps, over as many epochs as they take", async () => {
    const t = await small();
    await t.fit(A, { steps: 25 });
    expect(t.steps).toBe(25);
  });
  test("F5 numbers of a type that cannot be used are refused by a typed error", async () => {
    const t = await small();
    expect(await message(() => t.predict(any(BigInt64Array.from({ length: 48 }, (_, i) => BigInt(i)))))).toMatch(
      /^(Data|Option|Shape)Error/,
    );
  });
  test("F6 what is there is not called missing", async () => {
    const model = sequential([dense(2)]);
    expect(await message(() => compile(model, any({ input: [6], loss: crossEntropy })))).not.toMatch(/missing/);
    expect(await message(() => compile(model, any({ input: 6, loss: crossEntropy() })))).not.toMatch(/missing/);
    const t = await small();
    expect(await message(() => t.predict(any({ x: A.x })))).not.toMatch(/missing/);
  });
});
