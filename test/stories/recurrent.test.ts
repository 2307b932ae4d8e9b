// Recurrent layers in training: PyTorch's trajectory with a rate for each layer, its values and gradients from given states, short
// batches, reversed sequences, second runs, and the same bits again.

import { expect, test } from "vitest";
import {
  type CompileOptions,
  compile,
  dense,
  functional,
  type GruInput,
  type GruState,
  gru,
  inference,
  type Layer,
  type LstmInput,
  type LstmState,
  lstm,
  meanSquaredError,
  sequential,
  sgd,
  type Value,
  type Values,
  type WithState,
} from "../../src/index.ts";
import golden from "../golden/recurrent.json";
import { guarded } from "./guarded.ts";
import { bits } from "./small.ts";

const norm = (values: ArrayLike<number>): number => Math.sqrt(Array.from(values).reduce((sum, v) => sum + v * v, 0));
const most = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((far, v) => Math.max(far, Math.abs(v)), 0);

/** The largest distance, relative to the largest number. */
const error = (got: ArrayLike<number>, expected: readonly number[]): number =>
  most(expected) === 0 ? most(got) : most(expected.map((value, i) => got[i]! - value)) / most(expected);

const stack = ({ resetAfter = true } = {}) =>
  sequential({ one: lstm(4, { returnSequences: true }), two: gru(3, { resetAfter }), head: dense(1) });
const { training } = golden;
const options = {
  input: [6, 3],
  batch: 4,
  loss: meanSquaredError(),
  optimizer: sgd({ lr: 0.1, momentum: 0.9 }),
  rates: Object.fromEntries(Object.entries(training.rates).map(([name, lr]) => [`${name}.**`, { lr }])),
} satisfies CompileOptions;
const batchOf = (step: number, count = 4) => {
  const first = (step % 3) * 4;
  return { x: training.x.slice(first * 18, (first + count) * 18), y: training.y.slice(first, first + count) };
};

test("an LSTM and a GRU with rates of their own follow PyTorch for twenty steps", () =>
  guarded(async (device) => {
    const trainer = await compile(stack(), { ...options, device });
    trainer.setWeights(training.start);
    for (const [step, expected] of training.losses.entries()) {
      const { loss } = await trainer.step(batchOf(step));
      expect(Math.abs(loss - expected) / expected, `loss of step ${step}`).toBeLessThan(1e-5);
    }
    const weights = await trainer.weights();
    for (const [name, path] of Object.entries(training.moved)) {
      const from = training.start[name as keyof typeof training.start];
      const ours = weights.get(name)!.data;
      const gap = norm(path.map((moved, i) => ours[i]! - (from[i]! + moved))) / norm(path);
      expect(gap, `${name}: distance from PyTorch, relative to the path`).toBeLessThan(1e-4);
    }
    trainer.dispose();
  }));

type Numbers = {
  readonly shape: readonly number[];
  readonly values: readonly number[];
  readonly gradient: readonly number[];
};
type Golden = {
  readonly kind: string;
  readonly reverse: boolean;
  readonly inputs: Readonly<Record<string, Numbers>>;
  readonly outputs: Readonly<Record<string, Numbers>>;
};
const cases = golden.cases as unknown as readonly Golden[];
const kinds: Readonly<
  Record<string, (units: number, given: WithState) => Layer<LstmInput, LstmState> | Layer<GruInput, GruState>>
> = {
  lstm,
  gru,
  gruResetBefore: (units, given) => gru(units, { ...given, resetAfter: false }),
};

test.each(cases.map((one, i) => [`${one.kind} ${i}`, one] as const))(
  "%s has PyTorch's values and gradients",
  (_, one) =>
    guarded(async (device) => {
      const { x, h0, c0, ...weights } = one.inputs as Record<string, Numbers>;
      const states = Object.entries({ h: h0, c: c0 }).filter(
        (entry): entry is [string, Numbers] => entry[1] !== undefined,
      );
      const units = weights.recurrentWeight!.shape[0]!;
      const given = { returnSequences: true, returnState: true, reverse: one.reverse } as const;
      const layer = kinds[one.kind]!(units, given) as Layer<Value | Values, LstmState | GruState>;
      const model = functional(
        (inputs: Values, { use }): Values => use("r", layer, states.length > 0 ? inputs : inputs.x!),
      );
      const data = Object.entries({ x: x!, ...Object.fromEntries(states) });
      const [batch, outputs] = [x!.shape[0]!, Object.entries(one.outputs)];
      // What PyTorch was given for y is the gradient of the mean of squares of y - t, t being y less half of it, so many times.
      const targets = outputs.map(([name, { shape, values, gradient }]) => [
        name,
        values.map((value, i) => value - (gradient[i]! * shape.reduce((a, b) => a * b, 1)) / 2),
      ]);
      const trainer = await compile(model, {
        ...{ device, batch, optimizer: sgd({ lr: 0.1 }) },
        input: Object.fromEntries(data.map(([name, { shape }]) => [name, shape.slice(1)])),
        loss: Object.fromEntries(outputs.map(([name]) => [name, meanSquaredError()])),
      });
      trainer.setWeights(
        Object.fromEntries(Object.entries(weights).map(([name, { values }]) => [`r.${name}`, values])),
      );
      const samples = Object.fromEntries(data.map(([name, { values }]) => [name, values]));
      for (const [name, { values }] of outputs) {
        const got = await trainer.predict(samples, { output: name });
        expect(error(got.data, values), name).toBeLessThan(2e-6);
      }
      const { gradients: tensors } = await trainer.gradients({ x: samples, y: Object.fromEntries(targets) });
      for (const [name, { gradient }] of Object.entries(weights))
        expect(error(tensors.get(`r.${name}`)!.data, gradient), `gradient of ${name}`).toBeLessThan(5e-6);
      trainer.dispose();
    }),
);

test.each([true, false])(
  "rows beyond a short batch count nothing, and a second run gives the same bits: resetAfter %s",
  (resetAfter) =>
    guarded(async (device) => {
      const model = () => stack({ resetAfter });
      const { "two.recurrentBias": recurrentBias, ...shared } = training.start;
      const start = { ...shared, ...(resetAfter && { "two.recurrentBias": recurrentBias }) };
      const run = async (more: Partial<CompileOptions>, count = 3) => {
        const trainer = await compile(model(), { ...options, device, ...more });
        trainer.setWeights(start);
        // What a batch before has left in memory is larger.
        await trainer.evaluate({ x: batchOf(0).x.map((value) => 100 * value), y: batchOf(0).y });
        const { gradients: tensors } = await trainer.gradients(batchOf(1, count));
        for (let step = 0; step < 3; step++) await trainer.step(batchOf(step, count));
        const weights = await trainer.weights();
        const predicted = await trainer.predict(batchOf(2).x);
        const alone = await (await inference(model(), await trainer.save(), { device })).predict(batchOf(2).x);
        expect([...alone.data]).toEqual([...predicted.data]);
        trainer.dispose();
        return { tensors, weights };
      };
      const short = await run({});
      const exact = await run({ batch: 3 });
      for (const [name, { data }] of short.tensors)
        expect(error(data, [...exact.tensors.get(name)!.data]), name).toBeLessThan(1e-6);
      for (const more of [{}, { recompute: "one" }, { recompute: "auto" }]) {
        const again = await run(more);
        expect(bits(again.tensors)).toEqual(bits(short.tensors));
        expect(bits(again.weights)).toEqual(bits(short.weights));
      }
    }),
);

test("a frozen layer hands on its gradient and keeps its bits", () =>
  guarded(async (device) => {
    const trainer = await compile(stack(), { ...options, device });
    const before = bits(await trainer.weights());
    trainer.rates.freeze("two");
    await trainer.step(batchOf(0));
    const after = bits(await trainer.weights());
    const moved = [...after].filter(([name, value]) => before.get(name) !== value).map(([name]) => name);
    expect(moved.sort()).toEqual(["head.bias", "head.weight", "one.bias", "one.recurrentWeight", "one.weight"]);
    trainer.dispose();
  }));
