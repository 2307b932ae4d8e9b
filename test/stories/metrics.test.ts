// Metrics through a trainer: each is that of all samples or of all labels that count, held against what f64 makes of the predictions, also
// where the last batch is short or has nothing that counts; and what is refused.

import { expect, test } from "vitest";
import {
  accuracy,
  adam,
  binaryAccuracy,
  binaryCrossEntropy,
  type CompileOptions,
  compile,
  confusionMatrix,
  crossEntropy,
  dense,
  functional,
  type Loss,
  type MetricFunction,
  meanAbsoluteError,
  meanSquaredError,
  ops,
  perplexity,
  type Scope,
  sequential,
  topK,
  type Value,
} from "../../src/index.ts";
import { alone, guarded } from "./guarded.ts";

const x = Array.from({ length: 7 }, (_, i) => [Math.sin(i), Math.cos(3 * i), 0.1 * i]);
const labels = [0, 2, 1, 1, 0, 2, 1];

const options = (device: GPUDevice, loss: Loss, batch = 6): CompileOptions => ({
  ...{ device, loss, batch, input: [3], seed: 3 },
  optimizer: adam({ lr: 0.05 }),
});

/** The logarithm of the sum of powers less the logit of the label: its cross-entropy. */
const crossEntropyOf = (logits: readonly number[], label: number): number =>
  Math.log(logits.reduce((sum, z) => sum + Math.exp(z), 0)) - logits[label]!;

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

const rowsOf = (data: Float32Array, columns: number): number[][] =>
  Array.from({ length: data.length / columns }, (_, i) => [...data.subarray(i * columns, (i + 1) * columns)]);

const rank = (logits: readonly number[], label: number): number => logits.filter((z) => z > logits[label]!).length;

test("figures of labels are of all that count, whatever the batches are", () =>
  guarded(async (device) => {
    const metrics = { accuracy: accuracy(), top2: topK(2), perplexity: perplexity(), entropy: crossEntropy() };
    const loss = crossEntropy({ ignoreIndex: 2, labelSmoothing: 0.1 });
    const { entropy: _, ...ignoring } = metrics;
    const trainer = await compile(dense(3), { ...options(device, loss, 3), metrics: ignoring });
    const logits = rowsOf((await trainer.predict(x)).data, 3);
    const expected = (rows: readonly number[]) => ({
      accuracy: mean(rows.map((i) => Number(rank(logits[i]!, labels[i]!) === 0))),
      top2: mean(rows.map((i) => Number(rank(logits[i]!, labels[i]!) < 2))),
      perplexity: Math.exp(mean(rows.map((i) => crossEntropyOf(logits[i]!, labels[i]!)))),
    });
    const close = (found: Readonly<Record<string, number>>, rows: readonly number[]): void => {
      const wanted = expected(rows);
      expect(Object.keys(found)).toEqual(Object.keys(wanted));
      expect([found.accuracy, found.top2]).toEqual([wanted.accuracy, wanted.top2]);
      expect(Math.abs(found.perplexity! / wanted.perplexity - 1)).toBeLessThan(1e-6);
    };
    const counted = [0, 2, 3, 4, 6];
    const seen = await trainer.evaluate({ x, y: labels });
    close(seen.reports!, counted);
    // The same of all that counts, where it was a mean of batches.
    expect(seen.accuracy).toBe(seen.reports!.accuracy);
    // One batch after the other, the first of which has nothing that counts.
    const order = [1, 5, 0, 2, 3, 4, 6];
    const batches = [
      [1, 5],
      [0, 2, 3],
      [4, 6],
    ].map((rows) => ({
      x: rows.map((i) => x[i]!),
      y: rows.map((i) => labels[i]!),
    }));
    close(
      (await trainer.evaluate(batches)).reports!,
      order.filter((i) => labels[i] !== 2),
    );
    const none = await trainer.evaluate(batches.slice(0, 1));
    expect([none.accuracy, none.reports]).toEqual([Number.NaN, {}]);
    // A step, and an epoch with steps that move nothing.
    trainer.rates.set("**", { lr: 0, weightDecay: 0 });
    close((await trainer.step(batches[1]!)).reports!, [0, 2, 3]);
    const { epochs } = await trainer.fit({ x, y: labels }, { validation: { x, y: labels } });
    close(epochs[0]!.reports!, counted);
    expect(epochs[0]!.validation).toEqual(seen);
    expect(await trainer.evaluate({ x, y: labels })).toEqual(seen);

    const plain = await compile(dense(3), { ...options(device, crossEntropy(), 3), metrics });
    const told = await plain.evaluate({ x, y: labels });
    const { entropy, ...others } = told.reports!;
    close(others, [0, 1, 2, 3, 4, 5, 6]);
    expect(entropy).toBeCloseTo(told.loss, 6);
  }));

test("figures of numbers: another loss, and logits on the right side of a threshold", () =>
  guarded(async (device) => {
    const metrics = {
      mae: meanAbsoluteError(),
      half: binaryAccuracy(),
      sure: binaryAccuracy({ threshold: 0.75 }),
      far: (z: Value, y: Value) => meanAbsoluteError().of(z, y),
    };
    const trainer = await compile(dense(3), { ...options(device, meanSquaredError({ weight: 2 }), 4), metrics });
    const y = labels.map((label) => [0, 1, 2].map((c) => Number(c === label)));
    const { data } = await trainer.predict(x);
    // Weights of the data are those of the loss alone.
    const weight = [1, 2, 3, 4, 5, 6, 7];
    const { reports } = await trainer.evaluate({ x, y, weight });
    const told = (from: number): number => mean([...data].map((z, i) => Number(z > from === y.flat()[i]! > 0.5)));
    expect([reports!.half, reports!.sure]).toEqual([told(0), told(Math.log(3))]);
    expect(reports!.half).not.toBe(reports!.sure);
    expect(reports!.mae).toBeCloseTo(mean([...data].map((z, i) => Math.abs(z - y.flat()[i]!))), 6);
    expect(reports!.far).toBe(reports!.mae);
  }));

test("an update of several batches tells figures of all of them", () =>
  guarded(async (device) => {
    const metrics = { perplexity: perplexity(), top2: topK(2) };
    const loss = crossEntropy({ ignoreIndex: 2 });
    const trainer = await compile(dense(3), { ...options(device, loss, 2), metrics, accumulate: 4 });
    const whole = await trainer.evaluate({ x, y: labels });
    const told: unknown[] = [];
    await trainer.fit({ x, y: labels }, { onStep: ({ reports }) => told.push(reports) });
    expect(told).toHaveLength(1);
    for (const [name, value] of Object.entries(told[0] as Record<string, number>))
      expect(value).toBeCloseTo(whole.reports![name]!, 6);
  }));

test("a matrix counts what evaluations tell of each class, whatever the batches and the submissions are", () =>
  guarded(async (device) => {
    // More batches than a submission has.
    const many = Array.from({ length: 53 }, (_, i) => x[i % 7]!.map((value) => value + Math.sin(i)));
    const y = many.map((_, i) => (i * 5) % 3);
    const counted = (logits: readonly (readonly number[])[], ignored?: number) => {
      const counts = [0, 1, 2].map(() => [0, 0, 0]);
      for (const [i, row] of logits.entries()) {
        if (y[i] !== ignored) counts[y[i]!]![row.indexOf(Math.max(...row))]!++;
      }
      return counts;
    };
    const metrics = { classes: confusionMatrix(3), accuracy: accuracy() };
    const loss = crossEntropy({ ignoreIndex: 1 });
    const trainer = await compile(dense(3), { ...options(device, loss, 3), metrics });
    const logits = rowsOf((await trainer.predict(many)).data, 3);
    const seen = await trainer.evaluate({ x: many, y });
    const { counts, precision, recall, f1, macro } = seen.matrices!.classes!;
    expect(counts).toEqual(counted(logits, 1));
    // As scikit-learn has them: 0 where there is nothing to divide by.
    const part = (right: number, all: number): number => (all === 0 ? 0 : right / all);
    const column = (p: number): number => counts.reduce((sum, row) => sum + row[p]!, 0);
    const row = (l: number): number => counts[l]!.reduce((a, b) => a + b, 0);
    const [p, r] = [
      [0, 1, 2].map((c) => part(counts[c]![c]!, column(c))),
      [0, 1, 2].map((c) => part(counts[c]![c]!, row(c))),
    ];
    expect([precision, recall]).toEqual([p, r]);
    for (const [c, value] of f1.entries()) expect(value).toBeCloseTo(part(2 * p[c]! * r[c]!, p[c]! + r[c]!), 12);
    expect([macro.precision, macro.recall, macro.f1]).toEqual([p, r, f1].map((of) => (of[0]! + of[1]! + of[2]!) / 3));
    expect(counts.reduce((sum, row, c) => sum + row[c]!, 0) / counts.flat().reduce((a, b) => a + b, 0)).toBe(
      seen.reports!.accuracy,
    );
    expect(await trainer.evaluate({ x: many, y })).toEqual(seen);
    const batches = [0, 3, 6].map((at) => ({ x: many.slice(at, at + 2), y: y.slice(at, at + 2) }));
    const parted = await trainer.evaluate(batches);
    const some = [0, 1, 3, 4, 6, 7];
    expect(parted.matrices!.classes!.counts.flat().reduce((a, b) => a + b)).toBe(some.filter((i) => y[i] !== 1).length);
    // A fit has it of its validation; its steps are those of a trainer without it.
    const plain = await compile(dense(3), { ...options(device, loss, 3), metrics: { accuracy: accuracy() } });
    expect(trainer.recording().commands).toEqual(plain.recording().commands);
    const { epochs } = await trainer.fit({ x: many, y }, { validation: { x: many, y } });
    expect(epochs[0]!.validation).toEqual(await trainer.evaluate({ x: many, y }));
    expect(epochs[0]).not.toHaveProperty("matrices");
  }));

test("a matrix of numbers that are 0 or 1, beside another of the same model", () =>
  guarded(async (device) => {
    const metrics = { half: confusionMatrix(2), sure: confusionMatrix(2, { threshold: 0.75 }) };
    const trainer = await compile(dense(3), { ...options(device, binaryCrossEntropy(), 4), metrics });
    const y = labels.map((label) => [0, 1, 2].map((c) => Number(c === label)));
    const { data } = await trainer.predict(x);
    const counted = (logit: number) => {
      const counts = [
        [0, 0],
        [0, 0],
      ];
      for (const [i, z] of data.entries()) counts[y.flat()[i]!]![Number(z > logit)]!++;
      return counts;
    };
    const { matrices } = await trainer.evaluate({ x, y });
    expect([matrices!.half!.counts, matrices!.sure!.counts]).toEqual([counted(0), counted(Math.log(3))]);
    expect(matrices!.half).not.toEqual(matrices!.sure);
  }));

test("an evaluation tells the loss of each sample, in order", () =>
  guarded(async (device) => {
    const many = Array.from({ length: 53 }, (_, i) => x[i % 7]!.map((value) => value + Math.sin(i)));
    const y = many.map((row) => row.map((value) => 0.5 * value));
    const metrics = { sure: confusionMatrix(2) };
    const trainer = await compile(dense(3), { ...options(device, meanSquaredError(), 3), metrics });
    const { data } = await trainer.predict(many);
    const expected = many.map((_, i) => mean(y[i]!.map((value, c) => (data[i * 3 + c]! - value) ** 2)));
    const seen = await trainer.evaluate({ x: many, y }, { perSample: true });
    expect(seen.losses).toHaveLength(53);
    for (const [i, value] of seen.losses.entries()) expect(Math.abs(value / expected[i]! - 1)).toBeLessThan(1e-5);
    expect(mean([...seen.losses])).toBeCloseTo(seen.loss, 6);
    const { losses: _, ...rest } = seen;
    expect(await trainer.evaluate({ x: many, y })).toEqual(rest);
    const batches = [0, 3, 5].map((at) => ({ x: many.slice(at, at + 2), y: y.slice(at, at + 2) }));
    const parted = await trainer.evaluate(batches, { perSample: true });
    expect([...parted.losses]).toEqual([0, 1, 3, 4, 5, 6].map((i) => seen.losses[i]));
    await expect(trainer.evaluate({ x: many, y }, { perSample: 1 as never })).rejects.toThrow(
      "evaluate: perSample is 1, it must be true or false.",
    );
    // Long rows stand in parts, and several losses add up.
    const wide = functional((v: Value, { use }) => ({ a: use("a", dense(1500), v), b: use("b", dense(3), v) }));
    const both = await compile(wide, {
      ...options(device, undefined as never, 4),
      loss: { a: meanSquaredError(), b: crossEntropy() },
    });
    const told = { x, y: { a: x.map(() => new Array<number>(1500).fill(0.5)), b: labels } };
    const [a, b] = [
      (await both.predict(x, { output: "a" })).data,
      rowsOf((await both.predict(x, { output: "b" })).data, 3),
    ];
    const { losses } = await both.evaluate(told, { perSample: true });
    for (const [i, value] of losses.entries()) {
      const own =
        mean([...a.subarray(i * 1500, (i + 1) * 1500)].map((z) => (z - 0.5) ** 2)) + crossEntropyOf(b[i]!, labels[i]!);
      expect(Math.abs(value / own - 1)).toBeLessThan(1e-5);
    }
  }));

test("what a matrix refuses", () =>
  guarded(async (device) => {
    expect(() => confusionMatrix(1)).toThrow("confusionMatrix: classes is 1, it must be from 2 to 4096.");
    expect(() => confusionMatrix(3, { threshold: 2 })).toThrow(
      "confusionMatrix: threshold is 2, it must be between 0 and 1.",
    );
    const compiled = (loss: Loss, metric: MetricFunction) =>
      compile(dense(3), { ...options(device, loss), metrics: { m: metric } });
    await expect(compiled(crossEntropy(), confusionMatrix(4))).rejects.toThrow(
      "confusion: it was given [6,3] and [6]. With 4 classes it takes [6,4]. Give as many as there are.",
    );
    await expect(compiled(meanSquaredError(), confusionMatrix(3))).rejects.toThrow(
      "binaryConfusion: it was given [6,3] and [6,3]. With 3 classes it takes labels; numbers have 2. Give as many as there are.",
    );
    await expect(compiled(crossEntropy(), confusionMatrix(3, { threshold: 0.7 }))).rejects.toThrow(
      "confusionMatrix: threshold is 0.7, but the output [6,3] has classes for targets [6]. Leave it out.",
    );
  }));

test("metrics add dispatches to a step, and neither a submission nor a readback", () =>
  alone(async (device) => {
    const metrics = { top2: topK(2), perplexity: perplexity(), mae: (z: Value) => z };
    const compiled = (more: Partial<CompileOptions>) =>
      compile(sequential([dense(3)]), { ...options(device, crossEntropy(), 4), ...more });
    const [plain, measured] = [await compiled({}), await compiled({ metrics })];
    const count = (trainer: typeof plain): number => trainer.recording().commands.length;
    // What each makes of its outputs, and its place in what is told, of which one shares a dispatch.
    expect(count(measured)).toBe(count(plain) + 5);
    let submits = 0;
    const { submit } = device.queue;
    device.queue.submit = function (this: GPUQueue, buffers) {
      submits++;
      return submit.call(this, buffers);
    };
    await measured.evaluate({ x, y: labels });
    const first = submits;
    await measured.evaluate({ x, y: labels });
    expect(submits - first).toBe(1);
  }));

test("metrics are told by name, of full and short batches, in training and in evaluation, by one submission", () =>
  guarded(async (device) => {
    const metrics = {
      top2: topK(2),
      low: (output: Value, _: Value, scope: Scope) => scope.op(ops.neg, { x: output }).z,
    };
    const trainer = await compile(dense(3), { ...options(device, crossEntropy(), 4), metrics });
    const plain = await compile(dense(3), options(device, crossEntropy(), 4));
    const { data } = await trainer.predict(x);
    const rank = (i: number): number => [0, 1, 2].filter((c) => data[i * 3 + c]! > data[i * 3 + labels[i]!]!).length;
    const expected = (from: number, to: number) => {
      const rows = labels.slice(from, to).map((_, i) => from + i);
      return {
        top2: rows.filter((i) => rank(i) < 2).length / rows.length,
        low: -data.slice(from * 3, to * 3).reduce((a, b) => a + b) / rows.length / 3,
      };
    };
    const seen = await trainer.evaluate({ x, y: labels });
    expect(Object.keys(seen.reports!)).toEqual(["top2", "low"]);
    expect(seen.reports!.top2).toBeCloseTo(expected(0, 7).top2, 6);
    expect(seen.reports!.low).toBeCloseTo(expected(0, 7).low, 6);
    const step = await trainer.step({ x: x.slice(0, 3), y: labels.slice(0, 3) });
    expect(step.reports!.top2).toBeCloseTo(expected(0, 3).top2, 6);
    expect(step.loss).toBe((await plain.step({ x: x.slice(0, 3), y: labels.slice(0, 3) })).loss);
    expect((await trainer.weights()).get("weight")).toEqual((await plain.weights()).get("weight"));
  }));

test("metrics of several outputs are given what the losses learn, and what is none is refused", () =>
  guarded(async (device) => {
    const model = functional((v: Value, { use }) => ({
      kind: use("kind", dense(3), v),
      size: use("size", dense(1), v),
    }));
    const top1 = topK(1);
    const compiled = (metrics: CompileOptions["metrics"], loss?: CompileOptions["loss"]) =>
      compile(model, {
        ...options(device, undefined as never),
        loss: loss ?? { kind: crossEntropy(), size: meanAbsoluteError() },
        ...(metrics && { metrics }),
      });
    const trainer = await compiled({ best: (out, target, scope) => top1(out.kind, target.kind, scope) });
    const { reports } = await trainer.evaluate({ x, y: { kind: labels, size: labels } });
    expect(Object.keys(reports!)).toEqual(["kind", "kind.accuracy", "size", "best"]);
    expect(reports!.best).toBeCloseTo(reports!["kind.accuracy"]!, 6);
    await expect(compiled(topK(1) as never)).rejects.toThrow("compile: metrics is the function");
    await expect(compiled({ best: 5 as never })).rejects.toThrow("compile: metrics.best is 5, it must be a function.");
    await expect(compiled({ best: (() => 3) as never })).rejects.toThrow('metrics: "best": 3 is no value.');
    await expect(compiled({ best: (out, target, scope) => topK(4)(out.kind, target.kind, scope) })).rejects.toThrow(
      'metrics: "best": k is 4, the output [6,3] has 3 classes. Give at most as many.',
    );
    await expect(compiled({ kind: (out) => out.kind })).rejects.toThrow('report: "kind" is told twice.');
    await expect(compiled({ far: meanAbsoluteError() })).rejects.toThrow(
      'metrics: "far": it is one loss, the outputs are kind, size, the targets kind, size. Say of which: (output, target) => meanAbsoluteError().of(output.size, target.size).',
    );
    await expect(compiled({ far: (out, target, scope) => accuracy()(out.size, target.size, scope) })).rejects.toThrow(
      'metrics: "far": its target is [6,1] of f32, the output [6,1] asks for [6] of u32.',
    );
    expect(() => topK(0)).toThrow("topK: k is 0, it must be a whole number of at least 1.");
    expect(() => binaryAccuracy({ threshold: 1 })).toThrow(
      "binaryAccuracy: threshold is 1, it must be between 0 and 1.",
    );
    expect(() => perplexity(...([{ base: 2 }] as unknown as []))).toThrow(
      'perplexity: it was given {"base":2}, but it has no options. Write perplexity().',
    );
    await expect(
      compiled(undefined, ((out: { size: Value }, target: { size: Value }) =>
        binaryAccuracy()(out.size, target.size, undefined as never)) as never),
    ).rejects.toThrow("loss: its function returned");
  }));
