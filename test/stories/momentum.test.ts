// A momentum that a schedule moves: 30 updates against f64 on the host, as PyTorch's OneCycleLR and CyclicLR move momentum
// and the first beta, whose bias correction is that of the present beta.

import { expect, test } from "vitest";
import {
  adamw,
  type CompileOptions,
  cyclicMomentum,
  type MomentumSchedule,
  oneCycle,
  oneCycleMomentum,
  sgd,
} from "../../src/index.ts";
import { guarded } from "./guarded.ts";
import { bits, distance, doubles, gradientsOf, samples, small } from "./small.ts";

const STEPS = 30;
const LR = 0.01;
type State = [first: number, second: number];

/** What an update takes off a weight: momentum, gradient, what the rule remembers, and the number of the update. */
type Rule = (momentum: number, g: number, state: State, t: number, weight: number) => number;

const buffer: Rule = (momentum, g, state) => {
  state[0] = momentum * state[0] + g;
  return LR * state[0];
};
const rules: Record<string, { optimizer: CompileOptions["optimizer"]; rule: Rule }> = {
  sgd: { optimizer: sgd({ lr: LR, momentum: 0.5 }), rule: buffer },
  nesterov: {
    optimizer: sgd({ lr: LR, momentum: 0.5, nesterov: true }),
    rule: (momentum, g, state, t, weight) => LR * (g + (momentum * buffer(momentum, g, state, t, weight)) / LR),
  },
  adamw: {
    optimizer: adamw({ lr: LR, weightDecay: 0 }),
    rule: (beta1, g, state, t) => {
      state[0] = beta1 * state[0] + (1 - beta1) * g;
      state[1] = 0.999 * state[1] + 0.001 * g * g;
      return ((LR / (1 - beta1 ** t)) * state[0]) / (Math.sqrt(state[1] / (1 - 0.999 ** t)) + 1e-8);
    },
  },
};
const schedules: Record<string, MomentumSchedule> = {
  oneCycleMomentum: oneCycleMomentum({ steps: STEPS }),
  cyclicMomentum: cyclicMomentum({ up: 4, down: 7, baseMomentum: 0.3 }),
};
const pairs = Object.keys(rules).flatMap((rule) => Object.keys(schedules).map((schedule) => [rule, schedule] as const));

test.each(pairs)("%s with %s", (name, schedule) =>
  guarded(async (device) => {
    const { optimizer, rule } = rules[name] as (typeof rules)[string];
    const momentum = schedules[schedule] as MomentumSchedule;
    const trainer = await small(device, { optimizer: optimizer as NonNullable<typeof optimizer>, momentum });
    const start = await trainer.weights();
    const reference = doubles(start);
    const states = new Map([...start].map(([tensor, { data }]) => [tensor, [...data].map((): State => [0, 0])]));
    const used = new Set<number>();
    for (let step = 0; step < STEPS; step++) {
      const gradients = gradientsOf(start, step);
      await trainer.applyGradients(gradients);
      const now = momentum({ step, updates: step, stepsPerEpoch: undefined });
      used.add(now);
      for (const [tensor, values] of Object.entries(gradients)) {
        const weights = reference.get(tensor) as number[];
        const own = states.get(tensor) as State[];
        reference.set(
          tensor,
          weights.map((weight, i) => weight - rule(now, values[i] as number, own[i] as State, step + 1, weight)),
        );
      }
    }
    expect(used.size).toBeGreaterThan(5);
    expect(distance(await trainer.weights(), reference)).toBeLessThan(1e-6);
  }),
);

test("in a fit it counts updates, in epochs too, moves all rules that have one, and a resume repeats it", () =>
  guarded(async (device) => {
    const data = samples(60);
    const options = (momentum: MomentumSchedule): Partial<CompileOptions> => ({
      momentum,
      schedule: oneCycle({ steps: 24 }),
      rates: { head: { optimizer: sgd({ momentum: 0.9, lr: 0.1 }) }, body: { optimizer: sgd({ lr: 0.1 }) } },
    });
    const whole = await small(device, options(oneCycleMomentum({ epochs: 3 })));
    await whole.fit(data, { epochs: 3 });
    const first = await small(device, options(oneCycleMomentum({ steps: 24 })));
    await first.fit(data, { epochs: 3, steps: 10 });
    const second = await small(device, options(oneCycleMomentum({ steps: 24 })));
    second.load(await first.save());
    await second.fit(data, { epochs: 3, resume: true });
    expect(bits(await second.weights())).toEqual(bits(await whole.weights()));
    const still = await small(device, { ...options(() => 0.9) });
    await still.fit(data, { epochs: 3 });
    const [moved, unmoved] = [bits(await whole.weights()), bits(await still.weights())];
    expect([...moved].filter(([name, text]) => text === unmoved.get(name))).toEqual([]);
  }));

test("a momentum that stands where the rule's own is gives its bits", () =>
  guarded(async (device) => {
    const data = samples(60);
    const run = async (options: Partial<CompileOptions>) => {
      const trainer = await small(device, { rates: { head: { optimizer: sgd({ momentum: 0.9 }) } }, ...options });
      await trainer.fit(data, { epochs: 2 });
      return bits(await trainer.weights());
    };
    expect(await run({ momentum: () => 0.9 })).toEqual(await run({}));
  }));

test("a schedule that leaves the range stops training before that step", () =>
  guarded(async (device) => {
    const data = samples(80);
    let limit = 7;
    const momentum: MomentumSchedule = ({ step }) => (step === limit ? 1.5 : 0.5);
    const trainer = await small(device, { optimizer: sgd({ momentum: 0.9 }), momentum });
    const found = await trainer.fit(data, { epochs: 3 }).catch((error: unknown) => error);
    expect(String(found)).toMatchInlineSnapshot(
      `"OptionError: momentum: at step 8 the schedule gives 1.5, it must be at least 0 and below 1."`,
    );
    // Of the steps that would have shared its submission none was made, and none is counted.
    expect(trainer.steps).toBeLessThanOrEqual(7);
    expect(trainer.rates.table()[0]?.updates).toBe(trainer.steps);
    limit = -1;
    await trainer.fit(data, { epochs: 3, resume: true });
    const whole = await small(device, { optimizer: sgd({ momentum: 0.9 }), momentum: () => 0.5 });
    await whole.fit(data, { epochs: 3 });
    expect(await trainer.save()).toEqual(await whole.save());
  }));
