// Losses through a trainer: every one with all its options against PyTorch, what short batches, ignored labels and weights of classes are
// divided by, accuracies, and what is refused.

import { describe, expect, test } from "vitest";
import {
  adam,
  binaryCrossEntropy,
  type CompileOptions,
  compile,
  crossEntropy,
  dense,
  functional,
  huber,
  infoNCE,
  klDivergence,
  type Loss,
  meanAbsoluteError,
  meanSquaredError,
  print,
  sequential,
  type Value,
} from "../../src/index.ts";
import { guarded } from "./guarded.ts";
import { asOutput, asPair, casesOf, losses, pairs } from "./losses.ts";

/** Relative to the largest number. */
const TOLERANCE = 3e-6;

const most = (values: readonly number[]): number => Math.max(...values.map(Math.abs));

describe.each(Object.entries(losses))("%s is PyTorch's", (name, make) => {
  test.each(casesOf(name).map((one) => [one.title, one] as const))("%s", (_, one) =>
    guarded(async (device) => {
      const { output: x, target: y, weight, shape } = one;
      const loss = make(one.options);
      const trainer = await compile(asOutput(shape), { device, input: shape.slice(1), batch: shape[0]!, loss });
      const data = { x, y, ...(weight && { weight }) };
      const found = await trainer.gradients(data);
      expect(Math.abs(found.loss / one.value - 1)).toBeLessThan(TOLERANCE);
      const gradient = [...found.gradients.get("weight")!.data];
      const wrong = most(gradient.map((value, i) => value - one.gradient[i]!));
      expect(wrong / most(one.gradient)).toBeLessThan(TOLERANCE);
      const seen = await trainer.evaluate(data);
      expect(seen.loss).toBeCloseTo(found.loss, 6);
      expect(await trainer.gradients(data)).toEqual(found);
      trainer.dispose();
    }),
  );
});

describe("infoNCE is PyTorch's", () => {
  test.each(pairs.map((one) => [one.title, one] as const))("%s", (_, one) =>
    guarded(async (device) => {
      const { temperature, outputs, weight } = one;
      // Of a row of zeros nothing is to be learned.
      const zeros = outputs[1].findIndex((row) => row.every((number) => number === 0));
      const trainer = await compile(asPair([5, 7]), {
        ...{ device, input: { a: [7], b: [7] }, batch: 5, loss: infoNCE({ temperature }), target: {} },
      });
      const data = { x: { a: outputs[0], b: outputs[1] }, ...(weight && { weight }) };
      const found = await trainer.gradients(data as never);
      expect(Math.abs(found.loss / one.value - 1)).toBeLessThan(TOLERANCE);
      for (const [i, name] of ["a", "b"].entries()) {
        const gradient = [...found.gradients.get(name)!.data];
        if (i === 1) gradient.fill(0, zeros * 7, (zeros + 1) * 7);
        const expected = one.gradients[i]!;
        // Cosines near 1 lose digits where they are divided by a hundredth.
        const tolerance = TOLERANCE / Math.min(1, temperature);
        expect(most(gradient.map((value, at) => value - expected[at]!)) / most(expected)).toBeLessThan(tolerance);
      }
      expect(await trainer.gradients(data as never)).toEqual(found);
      // A short batch, behind which a full one stands.
      const three = { x: { a: outputs[0].slice(0, 3), b: outputs[1].slice(0, 3) } };
      const short = await compile(asPair([3, 7]), {
        ...{ device, input: { a: [7], b: [7] }, batch: 3, loss: infoNCE({ temperature }), target: {} },
      });
      const [long, alone] = [await trainer.evaluate(three as never), await short.evaluate(three as never)];
      expect(Math.abs(long.loss / alone.loss - 1)).toBeLessThan(TOLERANCE);
    }),
  );

  test("for two outputs that are alike, and a temperature above 0", () =>
    guarded(async (device) => {
      expect(() => infoNCE({ temperature: 0 })).toThrow("infoNCE: temperature is 0, it must be greater than 0.");
      const one = { device, input: [3], loss: infoNCE(), target: {} };
      await expect(compile(dense(3), one)).rejects.toThrow(
        "infoNCE: the model gives one output, it takes 2. Give two by name, for example with functional().",
      );
      const model = (...units: readonly number[]) =>
        functional((v: Value, { use }) =>
          Object.fromEntries(units.map((n, i) => [`o${i}`, use(`o${i}`, dense(n), v)])),
        );
      await expect(compile(model(2, 2, 2), one)).rejects.toThrow(
        "infoNCE: the model gives 3 outputs, o0, o1, o2, it takes 2.",
      );
      await expect(compile(model(2, 4), one)).rejects.toThrow(
        "infoNCE: the outputs o0 and o1 are [32,2] and [32,4]. Give two of the same shape, [batch, features].",
      );
      const trainer = await compile(model(4, 4), { ...one, batch: 4, optimizer: adam({ lr: 0.05 }) });
      const { epochs } = await trainer.fit({ x } as never, { epochs: 10 });
      expect(epochs.at(-1)!.loss).toBeLessThan(epochs[0]!.loss);
    }));
});

const x = Array.from({ length: 6 }, (_, i) => [Math.sin(i), Math.cos(3 * i), 0.1 * i]);
const labels = [0, 2, 1, 1, 0, 2];
const soft = labels.map((label) => [0, 1, 2].map((c) => (c === label ? 0.75 : 0.125)));

const options = (device: GPUDevice, loss: Loss, batch = 6): CompileOptions => ({
  ...{ device, loss, batch, input: [3], seed: 3 },
  optimizer: adam({ lr: 0.05 }),
});

test.each<[string, Loss, unknown]>([
  ["absolute differences", meanAbsoluteError(), soft],
  ["Huber", huber({ delta: 0.5 }), soft],
  ["binary", binaryCrossEntropy({ posWeight: 2 }), soft],
  ["divergence", klDivergence(), soft],
  ["smoothed classes with weights", crossEntropy({ labelSmoothing: 0.1, classWeights: [1, 2, 0.5] }), labels],
  ["an ignored label", crossEntropy({ ignoreIndex: 1 }), labels],
  ["soft labels with weights of classes", crossEntropy({ soft: true, classWeights: [1, 2, 0.5] }), soft],
])("a short batch counts what is there: %s", (_, loss, y) =>
  guarded(async (device) => {
    const long = await compile(dense(3), options(device, loss));
    const short = await compile(dense(3), options(device, loss, 4));
    // What stands in the rest of the batch is left over from a full one.
    await long.evaluate({ x, y: y as number[] });
    const four = { x: x.slice(0, 4), y: (y as number[]).slice(0, 4) };
    const [one, two] = [await long.gradients(four), await short.gradients(four)];
    expect(one.loss).toBeCloseTo(two.loss, 6);
    for (const [i, value] of one.gradients.get("weight")!.data.entries())
      expect(value).toBeCloseTo(two.gradients.get("weight")!.data[i]!, 6);
    const [first, ...others] = (await long.fit({ x, y: y as number[] }, { epochs: 5 })).epochs;
    expect(others.at(-1)!.loss).toBeLessThan(first!.loss);
  }),
);

test("labels that are ignored count in no accuracy, and a batch of nothing else moves nothing", () =>
  guarded(async (device) => {
    const trainer = await compile(dense(3), { ...options(device, crossEntropy({ ignoreIndex: -100 })), batch: 4 });
    const { data } = await trainer.predict(x);
    const best = x.map((_, i) => [0, 1, 2].reduce((top, c) => (data[i * 3 + c]! > data[i * 3 + top]! ? c : top), 0));
    const y = best.map((label, i) => (i === 1 ? (label + 1) % 3 : i === 2 || i === 3 ? -100 : label));
    expect((await trainer.step({ x: x.slice(0, 4), y: y.slice(0, 4) })).accuracy).toBe(0.5);
    const before = await trainer.weights();
    const none = await trainer.step({ x: x.slice(2, 4), y: y.slice(2, 4) });
    expect([none.loss, none.accuracy]).toEqual([0, Number.NaN]);
    const { gradients } = await trainer.gradients({ x: x.slice(2, 4), y: y.slice(2, 4) });
    expect([...gradients.get("weight")!.data].every((value) => value === 0)).toBe(true);
    trainer.setWeights(before);
    // Two batches, of which the second has no label that counts.
    const rows = [0, 1, 4, 5, 2, 3];
    const whole = await trainer.evaluate({ x: rows.map((i) => x[i]!), y: rows.map((i) => y[i]!) });
    const own = await trainer.evaluate({
      x: rows.slice(0, 4).map((i) => x[i]!),
      y: rows.slice(0, 4).map((i) => y[i]!),
    });
    expect(whole.accuracy).toBe(own.accuracy);
    await expect(trainer.step({ x, y: y.with(0, -1) })).rejects.toThrow(
      "data.y[0] is -1, the model has classes 0 to 2.",
    );
  }));

test("an accuracy of logits and targets, by number, and of soft labels by row", () =>
  guarded(async (device) => {
    const binary = await compile(dense(3), options(device, binaryCrossEntropy(), 4));
    const { data } = await binary.predict(x);
    const y = [...data].map((logit, i) => (i % 3 === 1 ? Number(logit <= 0) : Number(logit > 0)));
    expect((await binary.evaluate({ x, y })).accuracy).toBeCloseTo(2 / 3, 6);
    expect((await binary.step({ x: x.slice(0, 3), y: y.slice(0, 9) })).accuracy).toBeCloseTo(2 / 3, 6);
    const classes = await compile(dense(3), options(device, crossEntropy({ soft: true })));
    const hard = await compile(dense(3), options(device, crossEntropy()));
    expect((await classes.evaluate({ x, y: soft })).accuracy).toBe((await hard.evaluate({ x, y: labels })).accuracy);
  }));

test("two outputs, each with a loss of its own kind, tell their parts", () =>
  guarded(async (device) => {
    const model = functional((v: Value, { use }) => ({ kind: use("kind", dense(3), v), is: use("is", dense(2), v) }));
    const trainer = await compile(model, {
      ...options(device, undefined as never),
      loss: { kind: crossEntropy({ ignoreIndex: 2, weight: 0.5 }), is: binaryCrossEntropy() },
    });
    const is = labels.map((label) => [Number(label === 0), Number(label > 0)]);
    const { loss, accuracy, reports } = await trainer.evaluate({ x, y: { kind: labels, is } });
    expect(Object.keys(reports!)).toEqual(["kind", "kind.accuracy", "is", "is.accuracy"]);
    expect(reports!.kind! + reports!.is!).toBeCloseTo(loss, 6);
    // Four labels of six count, and twelve numbers.
    expect((reports!["kind.accuracy"]! * 4 + reports!["is.accuracy"]! * 12) / 16).toBeCloseTo(accuracy, 6);
  }));

test("a plain cross-entropy costs no dispatch more, one with weights of classes two", () =>
  guarded(async (device) => {
    const [plain, smooth, weighed] = await Promise.all(
      [crossEntropy(), crossEntropy({ labelSmoothing: 0.1 }), crossEntropy({ classWeights: [1, 2, 3] })].map((loss) =>
        compile(dense(3), options(device, loss)),
      ),
    );
    const count = (trainer: typeof plain): number => trainer!.recording().commands.length;
    expect(count(smooth)).toBe(count(plain));
    // They are made between the product and its loss, which are two dispatches then.
    expect(count(weighed)).toBe(count(plain)! + 2);
    expect(print(weighed!.recording())).toContain("weigh");
  }));

test("a checkpoint says which loss it was made with", () =>
  guarded(async (device) => {
    const one = await compile(
      dense(3),
      options(device, crossEntropy({ labelSmoothing: 0.1, classWeights: [1, 2, 3] })),
    );
    const same = await compile(
      dense(3),
      options(device, crossEntropy({ labelSmoothing: 0.1, classWeights: [1, 2, 3] })),
    );
    const other = await compile(
      dense(3),
      options(device, crossEntropy({ labelSmoothing: 0.2, classWeights: [1, 2, 3] })),
    );
    const last = await compile(
      dense(3),
      options(device, crossEntropy({ labelSmoothing: 0.1, classWeights: [1, 2, 4] })),
    );
    await one.step({ x, y: labels });
    const saved = await one.save();
    same.load(saved);
    expect((await same.step({ x, y: labels })).loss).toBe((await one.step({ x, y: labels })).loss);
    expect(() => other.load(saved)).toThrow("smoothing");
    expect(() => last.load(saved)).toThrow("classWeights");
  }));

test.each<[string, () => Loss, string]>([
  [
    "smoothing",
    () => crossEntropy({ labelSmoothing: 1.5 }),
    "crossEntropy: labelSmoothing is 1.5, it must be from 0 to 1.",
  ],
  [
    "a weight of a class",
    () => crossEntropy({ classWeights: [1, -2] }),
    "crossEntropy: classWeights[1] is -2, it must be at least 0.",
  ],
  [
    "weights of classes",
    () => crossEntropy({ classWeights: 3 as never }),
    "crossEntropy: classWeights is 3, it must be a list of numbers, one for each class.",
  ],
  [
    "a label",
    () => crossEntropy({ ignoreIndex: 0.5 }),
    "crossEntropy: ignoreIndex is 0.5, it must be a whole number, for example -100.",
  ],
  [
    "a label of soft ones",
    () => crossEntropy({ ignoreIndex: 1, soft: true }),
    "crossEntropy: ignoreIndex is 1, but with soft: true there are no labels. Give such rows the weight 0.",
  ],
  ["a switch", () => crossEntropy({ soft: 1 as never }), "crossEntropy: soft is 1, it must be true or false."],
  ["delta", () => huber({ delta: 0 }), "huber: delta is 0, it must be greater than 0."],
  [
    "a weight",
    () => binaryCrossEntropy({ posWeight: -1 }),
    "binaryCrossEntropy: posWeight is -1, it must be a finite number of at least 0.",
  ],
  [
    "an option",
    () => klDivergence({ delta: 1 } as never),
    'klDivergence: it has no "delta". It may have weight, reduction.',
  ],
])("refuses %s that cannot be meant", (_, make, text) => expect(make).toThrow(text));

test("refuses what does not fit the model", () =>
  guarded(async (device) => {
    const compiled = (loss: CompileOptions["loss"], more: Partial<CompileOptions> = {}) =>
      compile(sequential({ head: dense(3) }), { device, input: [3], loss, ...more });
    await expect(compiled(crossEntropy({ classWeights: [1, 2] }))).rejects.toThrow(
      "loss: its classWeights are 2 numbers, the output [32,3] has 3 classes. Give one for each.",
    );
    await expect(
      compiled((z: Value, t: Value) => ({ a: crossEntropy({ ignoreIndex: 1 }).of(z, t), b: crossEntropy().of(z, t) }), {
        target: { shape: [], classes: 3 },
      }),
    ).rejects.toThrow(
      'loss "b": its ignoreIndex is undefined, another loss of the same target has 1. Give both the same.',
    );
    const one = await compiled(crossEntropy({ soft: true }));
    await expect(one.step({ x, y: labels })).rejects.toThrow("data.y has 6 values, 6 samples with 3 each need 18.");
    const own = await compiled((z: Value, t: Value) => crossEntropy({ ignoreIndex: -1 }).of(z, t), {
      target: { shape: [], classes: 3 },
    });
    const { loss } = await own.evaluate({ x, y: labels.with(0, -1) });
    const rest = await compiled(crossEntropy());
    rest.setWeights(await own.weights());
    expect(loss).toBeCloseTo((await rest.evaluate({ x: x.slice(1), y: labels.slice(1) })).loss, 6);
    expect(meanSquaredError({ weight: 2 }).weight).toBe(2);
  }));

test("predictions as probabilities or as classes", () =>
  guarded(async (device) => {
    const model = functional((v: Value, { use }) => ({ kind: use("kind", dense(3), v), is: use("is", dense(1), v) }));
    const trainer = await compile(model, {
      ...options(device, undefined as never),
      loss: { kind: crossEntropy(), is: binaryCrossEntropy() },
    });
    const [kind, is] = [await trainer.predict(x, { output: "kind" }), await trainer.predict(x, { output: "is" })];
    const softmax = await trainer.predict(x, { output: "kind", activation: "softmax" });
    const classes = await trainer.predict(x, { output: "kind", argmax: true });
    const sigmoid = await trainer.predict(x, { output: "is", activation: "sigmoid", batch: 2 });
    expect([softmax.shape, classes.shape, sigmoid.shape]).toEqual([[6, 3], [6], [6, 1]]);
    for (let i = 0; i < 6; i++) {
      const row = [...kind.data.subarray(i * 3, i * 3 + 3)];
      const sum = row.reduce((all, z) => all + Math.exp(z), 0);
      for (const [c, z] of row.entries()) expect(softmax.data[i * 3 + c]).toBeCloseTo(Math.exp(z) / sum, 6);
      expect(classes.data[i]).toBe(row.indexOf(Math.max(...row)));
      expect(sigmoid.data[i]).toBeCloseTo(1 / (1 + Math.exp(-is.data[i]!)), 6);
    }
    const refused = (given: object) => expect(trainer.predict(x, { output: "is", ...given })).rejects;
    await refused({ activation: "relu" }).toThrow('predict: activation is "relu", it must be "softmax" or "sigmoid".');
    await refused({ activation: "softmax" }).toThrow(
      'predict: softmax asks for 2 classes or more, a sample of the output is [1]. Use activation: "sigmoid".',
    );
    await refused({ argmax: true }).toThrow(
      "predict: argmax asks for 2 classes or more, a sample of the output is [1].",
    );
    await refused({ argmax: 1 }).toThrow("predict: argmax is 1, it must be true or false.");
    await refused({ argmax: true, activation: "sigmoid" }).toThrow("Give one of them.");
  }));
