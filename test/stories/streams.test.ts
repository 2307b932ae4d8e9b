// Several inputs, outputs and losses, weights of samples and of values, losses of one's own, and losses that train in turn: against
// PyTorch in f64 where it has them, and against sums written out here.

import { expect, test } from "vitest";
import {
  adam,
  adamw,
  compile,
  crossEntropy,
  dense,
  functional,
  meanSquaredError,
  type NamedNumbers,
  ops,
  type Samples,
  sequential,
  sgd,
  type Trainer,
  tanh,
  type Value,
  type Values,
} from "../../src/index.ts";
import golden from "../golden/streams.json";
import { guarded } from "./guarded.ts";

const norm = (values: ArrayLike<number>): number => Math.sqrt(Array.from(values).reduce((sum, v) => sum + v * v, 0));

/** The distance of each tensor from where PyTorch has it, relative to its path. */
async function distances(trainer: Trainer, start: object, moved: object): Promise<number[]> {
  const weights = await trainer.weights();
  return Object.entries(moved as Record<string, number[]>).map(([name, path]) => {
    const from = (start as Record<string, number[]>)[name]!.flat();
    const ours = weights.get(name)!.data;
    return norm(path.map((distance, i) => ours[i]! - (from[i]! + distance))) / norm(path);
  });
}

const both = () =>
  functional(({ image, age }: Record<"image" | "age", Value>, { use, add }): Values => {
    const h = use("bend", tanh(), add(use("look", dense(6), image), use("ask", dense(6), age)));
    return { kind: use("kind", dense(4), h), size: use("size", dense(2), h) };
  });

const bothOptions = {
  input: { image: [5], age: [3] },
  loss: { kind: crossEntropy(), size: meanSquaredError({ weight: 0.5 }) },
  optimizer: adamw({ lr: 0.02, weightDecay: 0.01 }),
};

const slice = (data: Samples, from: number, to: number): Samples =>
  Object.fromEntries(
    Object.entries(data as object).map(([key, part]) => [
      key,
      Object.fromEntries(Object.entries(part as object).map(([name, rows]) => [name, rows.slice(from, to)])),
    ]),
  ) as unknown as Samples;

test("two inputs, two outputs and two weighted losses follow PyTorch for twenty steps", () =>
  guarded(async (device) => {
    const { streams } = golden;
    const { batch, samples, losses, start, moved } = streams;
    const trainer = await compile(both(), { ...bothOptions, device, batch });
    trainer.setWeights(flat(start));
    for (const [step, [whole, kind, size]] of (losses as [number, number, number][]).entries()) {
      const first = (step * batch) % (Math.ceil(samples / batch) * batch);
      const found = await trainer.step(
        slice(streams.data as unknown as Samples, first, Math.min(first + batch, samples)),
      );
      const wrong = [found.loss / whole, found.reports!.kind! / kind, found.reports!.size! / size];
      for (const ratio of wrong) expect(Math.abs(ratio - 1), `step ${step}`).toBeLessThan(1e-5);
    }
    for (const error of await distances(trainer, start, moved)) expect(error).toBeLessThan(1e-4);
    // A fit over all of it, from samples on the GPU, makes the same epoch as its batches.
    const data = streams.data as unknown as Samples;
    const { epochs } = await trainer.fit(data, { shuffle: false, validation: data });
    expect(Object.keys(epochs[0]!.reports!)).toEqual(["kind", "kind.accuracy", "size"]);
    expect(epochs[0]!.reports!.kind! + epochs[0]!.reports!.size!).toBeCloseTo(epochs[0]!.loss, 5);
    const seen = await trainer.evaluate(data);
    expect(seen.accuracy).toBeCloseTo(seen.reports!["kind.accuracy"]!, 6);
    const x = (data as { x: Record<string, number[][]> }).x;
    const kinds = await trainer.predict(x, { output: "kind" });
    expect([kinds.shape, (await trainer.predict(data, { output: "size" })).shape]).toEqual([
      [samples, 4],
      [samples, 2],
    ]);
    await expect(trainer.predict(x)).rejects.toThrow(
      'predict: output is "", the model has kind, size. Name one, for example { output: "kind" }.',
    );
    const saved = await trainer.save();
    await trainer.step(slice(data, 0, batch));
    trainer.load(saved);
    expect((await trainer.predict(x, { output: "kind" })).data).toEqual(kinds.data);
  }));

const flat = (tensors: object): NamedNumbers =>
  Object.fromEntries(Object.entries(tensors as Record<string, number[]>).map(([name, rows]) => [name, rows.flat()]));

const x = Array.from({ length: 6 }, (_, i) => [Math.sin(i), Math.cos(3 * i), 0.1 * i]);
const labels = [0, 2, 1, 1, 0, 2];
const targets = x.map(([a, b]) => [a! - b!, a! * b!]);

/** Loss and gradients of a bare layer, by the formulas in f64. */
function expected(weights: Map<string, { data: ArrayLike<number> }>, weight: readonly number[], total: number) {
  const [w, b] = ["weight", "bias"].map((name) => Array.from(weights.get(name)!.data)) as [number[], number[]];
  const units = b.length;
  const dw = new Array(w.length).fill(0);
  let loss = 0;
  for (const [i, row] of x.slice(0, weight.length).entries()) {
    const z = b.map((start, u) => row.reduce((sum, v, k) => sum + v * w[k * units + u]!, start));
    const powers = z.map(Math.exp);
    const sum = powers.reduce((p, q) => p + q);
    const scale = total === 0 ? 0 : weight[i]! / total;
    loss -= scale * Math.log(powers[labels[i]!]! / sum);
    for (const [u, power] of powers.entries()) {
      const slope = scale * (power / sum - (u === labels[i] ? 1 : 0));
      for (const [k, v] of row.entries()) dw[k * units + u] += slope * v;
    }
  }
  return { loss, dw };
}

test.each([
  ["some 0", [1, 0, 2, 0.5, 0, 3], "mean"],
  ["all 0", [0, 0, 0, 0, 0, 0], "mean"],
  ["a short batch", [0.5, 2, 1, 4], "mean"],
  ["below 0, by their number", [1, -2, 0.5, -0.25, 3, 1], "count"],
  ["below 0, in a short batch", [1, -2, 0.5], "count"],
] as const)("weights of samples: %s", (_, weight, reduction) =>
  guarded(async (device) => {
    const trainer = await compile(dense(3), { device, input: [3], batch: 6, loss: crossEntropy({ reduction }) });
    const count = weight.length;
    const samples = { x: x.slice(0, count), y: labels.slice(0, count), weight: [...weight] };
    const found = await trainer.gradients(samples);
    const total = reduction === "count" ? count : weight.reduce((a: number, b) => a + b, 0);
    const { loss, dw } = expected(await trainer.weights(), weight, total);
    expect(found.loss).toBeCloseTo(loss, 5);
    for (const [i, value] of found.gradients.get("weight")!.data.entries()) expect(value).toBeCloseTo(dw[i]!, 5);
    expect(await trainer.gradients(samples)).toEqual(found);
  }),
);

test("what has weight 0 may be anything, and does not halt a step", () =>
  guarded(async (device) => {
    const options = { device, input: [3], batch: 6, loss: meanSquaredError(), optimizer: sgd({ lr: 0.1 }) };
    const trainer = await compile(dense(2), options);
    const other = await compile(dense(2), options);
    const weight = targets.map((_, i) => [i % 2, 1]);
    const huge = targets.map((row, i) => [i % 2 === 0 ? 3e38 : row[0]!, row[1]!]);
    const one = await trainer.step({ x, y: huge, weight });
    const two = await other.step({ x, y: targets, weight });
    expect(one).toEqual(two);
    expect((await trainer.weights()).get("weight")).toEqual((await other.weights()).get("weight"));
  }));

test("labels of every row of a sequence, weighted one by one or by sample", () =>
  guarded(async (device) => {
    const model = functional(
      (v: Value, { scope }) => scope.op(ops.matmul, { a: v, b: scope.parameter("w", [6, 3, 4], "glorotUniform") }).c,
    );
    const trainer = await compile(model, { device, input: [2, 3], batch: 6, loss: crossEntropy() });
    const tokens = { x: x.map((row) => [row, row.map((v) => -v)]), y: labels.map((label) => [label, 3 - label]) };
    const plain = await trainer.evaluate(tokens);
    expect(plain.accuracy * 12).toBeCloseTo(Math.round(plain.accuracy * 12), 5);
    const firsts = await trainer.evaluate({ ...tokens, weight: labels.map(() => [1, 0]) });
    const seconds = await trainer.evaluate({ ...tokens, weight: labels.map(() => [0, 1]) });
    expect((firsts.loss + seconds.loss) / 2).toBeCloseTo(plain.loss, 5);
    expect((await trainer.evaluate({ ...tokens, weight: labels.map(() => 2) })).loss).toBeCloseTo(plain.loss, 5);
  }));

test("a loss of one's own: its terms are added up, and what it reports is told", () =>
  guarded(async (device) => {
    const trainer = await compile(dense(2), {
      ...{ device, input: [3], batch: 6, optimizer: sgd({ lr: 0.1 }) },
      loss: (output: Value, target: Value, scope) => {
        scope.report("output", output);
        return {
          near: meanSquaredError().of(output, target),
          small: { values: scope.op(ops.add, { x: output, y: output }).z, weight: 0.25 },
        };
      },
    });
    const near = await compile(dense(2), { device, input: [3], batch: 6, loss: meanSquaredError() });
    near.setWeights(await trainer.weights());
    const samples = { x, y: targets };
    const { data } = await trainer.predict(x);
    const mean = data.reduce((a, b) => a + b) / data.length;
    const { loss, reports } = await trainer.evaluate(samples);
    expect(reports!.output).toBeCloseTo(mean, 5);
    expect(reports!.small).toBeCloseTo(0.5 * mean, 5);
    expect(reports!.near).toBeCloseTo((await near.evaluate(samples)).loss, 5);
    expect(loss).toBeCloseTo(reports!.near! + reports!.small!, 5);
    const [ours, theirs] = [await trainer.gradients(samples), await near.gradients(samples)];
    // Of 0.25 times the mean of 2 (x W + b): half of the mean of x for each of two outputs.
    const shift = (k: number): number => (0.5 * x.reduce((sum, row) => sum + row[k]!, 0)) / x.length / 2;
    for (const [i, value] of ours.gradients.get("weight")!.data.entries())
      expect(value - theirs.gradients.get("weight")!.data[i]!).toBeCloseTo(shift(Math.floor(i / 2)), 5);
    expect((await trainer.step(samples)).reports).toEqual(reports);
  }));

test("tokens come as whole numbers, and the samples of all inputs must be as many", () =>
  guarded(async (device) => {
    const seen: unknown[] = [];
    const model = functional(({ words, near }: Record<"words" | "near", Value>, { use }) => {
      seen.push(words.shape);
      return use("head", dense(2), near);
    });
    const input = { words: { shape: [4], classes: 9 }, near: [3] };
    const trainer = await compile(model, { device, input, batch: 6, loss: meanSquaredError() });
    expect(seen[0]).toEqual([6, 4]);
    const words = x.map((_, i) => [i, 8 - i, 0, 1]);
    await trainer.fit({ x: { words, near: x }, y: targets });
    const bad = (given: object): Promise<unknown> =>
      trainer.evaluate({ x: { words, near: x, ...given }, y: targets } as Samples);
    await expect(bad({ words: x.map(() => [9, 0, 0, 0]) })).rejects.toThrow(
      /data.x.words\[0\] is 9, the model has classes 0 to 8/,
    );
    await expect(bad({ near: x.slice(1) })).rejects.toThrow(
      "data.x.near has 5 samples, data.x.words has 6. Give as many of each.",
    );
    await expect(bad({ far: x })).rejects.toThrow('data.x has no "far"');
    await expect(trainer.evaluate({ x: { words }, y: targets } as unknown as Samples)).rejects.toThrow(
      "data.x.near is missing",
    );
  }));

const net = (units: number) => sequential([dense(6), tanh(), dense(units)]);

test("two losses in turn, each moving its own weights, follow PyTorch for twenty rounds", () =>
  guarded(async (device) => {
    const { batch, data, losses, start, moved } = golden.alternate;
    const model = functional(({ real, noise }: Record<"real" | "noise", Value>, { use }): Values => {
      const critic = net(1);
      const made = use("generator", net(2), noise);
      return { real: use("discriminator", critic, real), fake: use("discriminator", critic, made) };
    });
    const near = meanSquaredError();
    const trainer = await compile(model, {
      ...{ device, batch, input: { real: [2], noise: [4] }, optimizer: adam({ lr: 0.02 }) },
      target: { one: [1], zero: [1] },
      losses: {
        d: ({ real, fake }: Values, { one, zero }: Values) => ({
          real: near.of(real!, one!),
          fake: near.of(fake!, zero!),
        }),
        g: ({ fake }: Values, { one }: Values) => near.of(fake!, one!),
      },
    });
    trainer.setWeights(flat(start));
    const y = { one: Array(batch).fill(1), zero: Array(batch).fill(0) };
    for (const [round, [d, g]] of (losses as [number, number][]).entries()) {
      const samples = { x: { real: data.x[round]!, noise: data.z[round]! }, y };
      for (const [loss, train, expected] of [
        ["d", "discriminator.**", d],
        ["g", "generator.**", g],
      ] as const) {
        const before = await trainer.weights();
        const found = await trainer.step(samples, { loss, train });
        expect(Math.abs(found.loss / expected - 1), `${loss} of round ${round}`).toBeLessThan(1e-5);
        for (const [name, { data }] of await trainer.weights()) {
          const still = data.every((value, i) => Object.is(value, before.get(name)!.data[i]));
          expect(still, name).toBe(!name.startsWith(train.slice(0, -3)));
        }
      }
    }
    for (const error of await distances(trainer, start, moved)) expect(error).toBeLessThan(1e-4);
    await expect(trainer.step({ x: {}, y } as unknown as Samples, { loss: "q" })).rejects.toThrow('loss is "q"');
    await expect(trainer.step({ x: {}, y } as unknown as Samples, { train: "nobody" })).rejects.toThrow(
      /missing|nobody/,
    );
  }));

test("of two terms the one with weights of its own leaves those of the data to the other", () =>
  guarded(async (device) => {
    const trainer = await compile(dense(2), {
      ...{ device, input: [3], batch: 6 },
      loss: (output: Value, target: Value, scope) => ({
        own: { values: output, weights: target },
        data: meanSquaredError().of(output, target),
        told: { values: scope.op(ops.add, { x: output, y: output }).z, weight: 0 },
      }),
    });
    const positive = targets.map((row) => row.map((v) => Math.abs(v) + 0.1));
    const { data } = await trainer.predict(x);
    const weight = targets.map((_, i) => i);
    const { reports } = await trainer.evaluate({ x, y: positive, weight: { data: weight } });
    const sums = { own: 0, weights: 0, data: 0 };
    for (const [i, t] of positive.flat().entries()) {
      sums.own += data[i]! * t;
      sums.weights += t;
      sums.data += (weight[Math.floor(i / 2)]! * (data[i]! - t) ** 2) / 2;
    }
    expect(reports!.own).toBeCloseTo(sums.own / sums.weights, 5);
    expect(reports!.data).toBeCloseTo(sums.data / 15, 5);
    expect(reports!.told).toBe(0);
    const wrong = trainer.evaluate({ x, y: positive, weight: { own: weight } } as Samples);
    await expect(wrong).rejects.toThrow('data.weight has no "own"');
  }));

test("losses in turn may have targets of other widths, tell what is theirs, and are not mixed up", () =>
  guarded(async (device) => {
    const near = meanSquaredError();
    const trainer = await compile(dense(3), {
      ...{ device, input: [3], batch: 6, optimizer: sgd({ lr: 0 }) },
      losses: {
        kind: crossEntropy(),
        size: near,
        left: (output: Value, target: Value) => ({ left: near.of(output, target) }),
        right: (output: Value, target: Value) => ({ right: near.of(output, target) }),
      },
    });
    const { data } = await trainer.predict(x);
    const wide = x.map(([a, b, c]) => [b!, c!, a!]);
    const expectedSize = wide.flat().reduce((sum, t, i) => sum + (data[i]! - t) ** 2, 0) / 18;
    const { loss } = expected(
      await trainer.weights(),
      labels.map(() => 1),
      6,
    );
    expect((await trainer.step({ x, y: labels }, { loss: "kind" })).loss).toBeCloseTo(loss, 5);
    expect((await trainer.step({ x, y: wide }, { loss: "size" })).loss).toBeCloseTo(expectedSize, 5);
    expect((await trainer.step({ x, y: labels }, { loss: "kind" })).loss).toBeCloseTo(loss, 5);
    for (const name of ["left", "right"]) {
      const { reports } = await trainer.step({ x, y: wide }, { loss: name });
      expect(Object.keys(reports!)).toEqual([name]);
      expect(reports![name]).toBeCloseTo(expectedSize, 5);
    }
  }));

test("a loss or a report on something frozen is right where features are kept, and weights change nothing of that", () =>
  guarded(async (device) => {
    const model = () =>
      functional((v: Value, { use, scope }) => {
        const early = use("early", dense(2), v);
        scope.report("seen", early);
        return { early, late: use("late", dense(2), use("stem", sequential([dense(4), tanh()]), early)) };
      });
    const options = {
      ...{
        device,
        input: [3],
        batch: 4,
        optimizer: sgd({ lr: 0.1 }),
        rates: { early: { frozen: true }, stem: { frozen: true } },
      },
      loss: { early: meanSquaredError(), late: meanSquaredError() },
    };
    const data = { x, y: { early: targets, late: targets }, weight: { late: labels.map((_, i) => i) } };
    const runs = [];
    for (const cacheFrozen of [false, true]) {
      const trainer = await compile(model(), { ...options, cacheFrozen });
      const { epochs } = await trainer.fit(data, { epochs: 3 });
      runs.push([epochs, await trainer.weights()]);
    }
    expect(runs[1]).toEqual(runs[0]);
  }));

test("a weight of the loss itself is learned, and a target that was made has its gradient", () =>
  guarded(async (device) => {
    const model = functional((v: Value, { use }) => ({ a: use("a", dense(2), v), b: use("b", dense(2), v) }));
    const trainer = await compile(model, {
      ...{ device, input: [3], batch: 6, target: {} },
      loss: ({ a, b }: Values, _, scope) => ({
        near: meanSquaredError().of(a!, b!),
        own: { values: scope.op(ops.add, { x: a!, y: scope.parameter("own", [2], "ones") }).z, weight: 0.5 },
      }),
    });
    const { gradients } = await trainer.gradients({ x });
    const [a, b] = [
      (await trainer.predict(x, { output: "a" })).data,
      (await trainer.predict(x, { output: "b" })).data,
    ] as const;
    for (const unit of [0, 1]) {
      let slope = 0;
      for (let i = unit; i < a.length; i += 2) slope += (2 * (a[i]! - b[i]!)) / 12;
      expect(gradients.get("b.bias")!.data[unit]).toBeCloseTo(-slope, 5);
      expect(gradients.get("a.bias")!.data[unit]).toBeCloseTo(slope + 0.25, 5);
    }
    expect([...gradients.get("own")!.data]).toEqual([0.25, 0.25]);
  }));

test("what a loss cannot take is said when it is compiled", async () => {
  const near = meanSquaredError();
  const said = (loss: unknown, target: unknown = [2]) =>
    compile(dense(2), { input: [3], loss: loss as never, target: target as never }).catch(String);
  const label = { shape: [], classes: 5 };
  expect(await said((o: Value, t: Value) => crossEntropy().of(o, t), label)).toContain(
    "loss: its target has classes 0 to 4, the output 2 logits. Give as many.",
  );
  expect(await said((_: Value, t: Value) => ({ values: t }), label)).toContain('"target" is of whole numbers');
  expect(await said((o: Value) => ({ values: o, weigth: 2 }))).toContain(
    'a term has no "weigth". Did you mean "weight"?',
  );
  expect(await said((o: Value) => ({ values: o, reduction: "sum" }))).toContain('reduction is "sum"');
  expect(await said((o: Value, t: Value) => ({ "a.b": near.of(o, t) }))).toContain('"a.b" cannot be a name');
  expect(await said(() => undefined)).toContain("loss: its function returned undefined");
});
