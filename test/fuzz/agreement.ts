// Random configurations of rule, options, schedule, clipping, decay and freezing, over fifty updates with given gradients: how far
// the weights end from those of the reference in f64, as a part of the path that they went.

import type { Layer, Optimizer, RateRule } from "../../src/index.ts";
import * as source from "../../src/index.ts";
import { stream, uniform } from "../../src/random.ts";
import type { UpdateSettings } from "../../src/step/update.ts";
import { NaiveTable, NaiveTensor } from "../reference/rate-table.ts";
import { simulate, startOf } from "../reference/simulate.ts";
import { exact } from "../reference/twin.ts";
import { type Engine, schedules } from "./config.ts";
import { freezing } from "./door.ts";
import { norm } from "./trial.ts";

export interface Agreement {
  readonly number: number;
  /** For people: rule and options. */
  readonly configuration: string;
  /** Largest over the tensors: distance from the reference as a part of the path. */
  readonly worst: number;
  /** Whether a tensor that was frozen from the beginning kept its bits. */
  readonly restIsKept: boolean;
}

const STEPS = 50;

const tensors = [
  { name: "a", shape: [7] },
  { name: "b", shape: [5, 4] },
  { name: "c", shape: [257] },
  { name: "d", shape: [3, 3, 2, 4] },
] as const;
/** Frozen from the beginning. */
const resting = { name: "rests", shape: [70] } as const;

const lengthOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const startOfTensor = (name: string, length: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length }, (_, i) => uniform(stream(11, name), i) - 0.5);

/** Away from zero, where a sign would hang on rounding: about a mean that depends on the element. */
const gradientOf = (name: string, length: number, step: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => 0.4 * (uniform(stream(step, name), i) - 0.5) + ((i % 7) - 3.25) / 4);

/** The golden tensors as weights that no loss depends on, beside one that it does. */
const bag = ({ dense }: Engine): Layer => ({
  kind: "bag",
  apply(scope, x) {
    for (const { name, shape } of [...tensors, resting]) {
      scope.child(name).parameter("value", shape, () => startOfTensor(name, lengthOf(shape)));
    }
    return dense(1).apply(scope.child("rest"), x);
  },
});

/** A rate that soon stops falls short of the way that f32 can be measured on. */
const slow: typeof schedules = [
  ...schedules.filter((_, i) => i !== 1),
  [({ stepLR }) => stepLR({ steps: 20, gamma: 0.5 }), (step) => 0.5 ** Math.floor(step / 20)],
];

type Chosen = { readonly optimizer: Optimizer; readonly text: string };
type Pick = <T>(...values: readonly T[]) => T;

/** A rule with random options; the same numbers for each engine. */
function ruleOf(engine: Engine, random: () => number): Chosen {
  const pick: Pick = (...values) => values[Math.floor(random() * values.length)] as (typeof values)[number];
  const shared = { lr: pick(0.01, 0.03), weightDecay: pick(0, 0.01, 0.1) };
  const betas = [pick(0.8, 0.9, 0.95), pick(0.9, 0.99, 0.999)] as const;
  const eps = pick(1e-8, 1e-6, 1e-3);
  const flag = (): boolean => random() < 0.5;
  const momentum = pick(0.5, 0.9);
  const decoupled = flag();
  // Far enough a way for f32: a weight is rounded at each step, however small that is.
  const large = { lr: pick(0.05, 0.1) };
  const makers = {
    sgd: { ...shared, ...large, momentum: pick(0, momentum), decoupled, lrInMomentum: flag() },
    nesterov: { ...shared, ...large, momentum, nesterov: true, decoupled },
    dampened: { ...shared, ...large, momentum, dampening: pick(0.1, 0.5), decoupled },
    adam: { ...shared, betas, eps, amsgrad: flag(), epsInside: flag(), epsFirst: flag() },
    adamw: { ...shared, betas, eps, amsgrad: flag(), epsInside: flag(), epsFirst: flag() },
    adagrad: { ...shared, eps, lrDecay: pick(0, 0.1), initialAccumulator: pick(0, 0.1), epsInside: flag(), decoupled },
    adadelta: { ...shared, lr: pick(0.5, 1, 2), rho: pick(0.8, 0.9, 0.95), eps: pick(1e-6, 1e-4), decoupled },
    rmsprop: { ...shared, alpha: pick(0.9, 0.99), eps, momentum: pick(0, momentum), epsInside: flag(), decoupled },
    adamax: { ...shared, betas, eps, decoupled },
    nadam: { ...shared, betas, eps, momentumDecay: pick(0.004, 0.02), decoupled },
    radam: { ...shared, betas, eps, decoupled },
    lion: { lr: pick(0.01, 0.02), weightDecay: shared.weightDecay, betas },
    lars: { ...shared, lr: pick(0.3, 1), momentum, trustCoefficient: pick(0.01, 0.03), eps },
    lamb: { ...shared, betas, eps: pick(1e-6, 1e-3) },
  };
  const [name, options] = pick(...Object.entries(makers)) as [keyof typeof makers, object];
  const maker = name === "nesterov" || name === "dampened" ? "sgd" : name;
  return { optimizer: engine[maker](options), text: `${maker}(${JSON.stringify(options)})` };
}

/** All that a configuration has, from its number alone. */
function configurationOf(engine: Engine, number: number) {
  let drawn = 0;
  const random = (): number => uniform(stream(number, "configuration"), drawn++);
  const pick: Pick = (...values) => values[Math.floor(random() * values.length)] as (typeof values)[number];
  const { optimizer, text } = ruleOf(engine, random);
  const own = random() < 0.3 ? ruleOf(engine, random) : undefined;
  const schedule = slow[Math.floor(random() * slow.length)] as (typeof slow)[number];
  const clip = pick<{ norm?: number; layerNorm?: number; value?: number } | undefined>(
    undefined,
    { norm: 2 },
    { layerNorm: 1 },
    { value: 0.5 },
  );
  const rule: RateRule = { multiplier: pick(1, 0.5, 2), weightDecay: pick(0, 0.02) };
  const freeze = pick("a", "b", "d");
  return { optimizer, own, schedule, clip, rule, freeze, from: 10 + Math.floor(random() * 10), text };
}

export async function agreement(engine: Engine, device: GPUDevice, number: number): Promise<Agreement> {
  const given = configurationOf(engine, number);
  const meant = configurationOf(source, number);
  const { clip, rule, freeze, from } = meant;
  const trainer = await engine.compile(bag(engine), {
    ...{ device, input: [1], batch: 1, loss: engine.meanSquaredError(), optimizer: given.optimizer },
    schedule: given.schedule[0](engine),
    rates: [
      { b: rule, rests: { frozen: true } },
      ...(given.own === undefined ? [] : [{ c: { optimizer: given.own.optimizer } }]),
    ],
    ...(clip === undefined ? {} : { clip: clip as { norm: number } }),
  });

  const rows = tensors.map(({ name, shape }) => {
    const isOwn = name === "c" && meant.own !== undefined;
    const optimizer = isOwn ? (meant.own as Chosen).optimizer : meant.optimizer;
    const decay = optimizer.sparesVectors && shape.length <= 1 ? 0 : optimizer.weightDecay;
    const row = new NaiveTensor(`${name}.value`, name, "sgd", optimizer.lr, decay);
    const formula = (rate: number, weightDecay: number, t: number): number[] => {
      const numbers = new Float64Array(4);
      optimizer.writeRow(numbers as unknown as Float32Array, 0, rate, weightDecay, t);
      return [...numbers];
    };
    const start = Float64Array.from(startOfTensor(name, lengthOf(shape)));
    const moments = optimizer.rule.moments.map(() => new Float64Array(start.length).fill(optimizer.rule.initial ?? 0));
    const arrays = [start, ...moments];
    return { row: Object.assign(row, { formula, schedule: meant.schedule[1] }), optimizer, arrays, start };
  });
  const table = new NaiveTable(
    rows.map(({ row }) => row),
    Number.POSITIVE_INFINITY,
  );
  table.set(0, "b", rule as { multiplier: number });
  const own = tensors.map((_, layer) => ({
    ...{ layer, share: 1, mean: new Float64Array(0), moved: 0 },
    ...{ rule: (rows[layer] as (typeof rows)[0]).optimizer.rule, arrays: (rows[layer] as (typeof rows)[0]).arrays },
  }));
  const world = startOf(own, tensors.length, () => false);
  const { norm: most, layerNorm, value } = clip ?? {};
  const settings: UpdateSettings = {
    ...{ rules: own.map((one) => one.rule), layers: tensors.length, controllers: [], accumulate: 1 },
    ...{ average: false, momentum: false, clamp: value },
    clip:
      most !== undefined
        ? { most, byLayer: false }
        : layerNorm !== undefined
          ? { most: layerNorm, byLayer: true }
          : undefined,
  };
  const path = tensors.map(() => 0);
  for (let step = 0; step < STEPS; step++) {
    if (step === from) freezing(trainer).freeze(freeze);
    if (step === from) table.freeze(step, freeze);
    if (step === from + 10) freezing(trainer).unfreeze(freeze);
    if (step === from + 10) table.unfreeze(step, freeze);
    const gradients = [...tensors, resting].map(({ name, shape }) => gradientOf(name, lengthOf(shape), step));
    await trainer.applyGradients(
      Object.fromEntries([...tensors, resting].map(({ name }, i) => [`${name}.value`, gradients[i] as Float32Array])),
    );
    const numbers = Float64Array.from(table.rows(step)) as unknown as Float32Array;
    const doubles = gradients.map((numbersOf) => Float64Array.from(numbersOf));
    simulate(world, settings, { step, table: numbers, gradients: doubles, loss: 0, momentum: undefined }, exact);
  }
  const found = await trainer.weights();
  trainer.dispose();
  for (const [i, { start }] of rows.entries()) {
    const end = world.tensors[i]?.arrays[0] as Float64Array;
    path[i] = norm(end.map((value, at) => value - (start[at] as number)));
  }
  const parts = tensors.map(({ name }, i) => {
    const end = world.tensors[i]?.arrays[0] as Float64Array;
    const data = found.get(`${name}.value`)?.data as Float32Array;
    return norm(end.map((value, at) => value - (data[at] as number))) / (path[i] as number);
  });
  const atRest = startOfTensor(resting.name, lengthOf(resting.shape));
  const clipped = clip === undefined ? "" : `, clip ${JSON.stringify(clip)}`;
  const beside = given.own === undefined ? "" : `, c: ${given.own.text}`;
  return {
    number,
    configuration: `${given.text}, b: ${JSON.stringify(rule)}${beside}${clipped}, schedule ${slow.indexOf(given.schedule)}, "${freeze}" frozen from ${from}`,
    worst: Math.max(...parts),
    restIsKept: found.get("rests.value")?.data.every((value, i) => value === atRest[i]) === true,
  };
}
