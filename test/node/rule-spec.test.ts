// What a rule is made of: two optimizers of equal spec write equal rows and are one rule in the table; whatever else differs
// between two of one name shows in the spec.

import { describe, expect, test } from "vitest";
import * as gradus from "../../src/index.ts";
import { dense, type Optimizer, type Rates, sequential, sgd } from "../../src/index.ts";
import { createRateTable } from "../../src/optim/rates.ts";
import { programOf } from "./program.ts";

type Options = Readonly<Record<string, unknown>>;
const shared = { lr: 0.5, weightDecay: 0.25 };
const betas = { betas: [0.8, 0.9], eps: 0.125 };

/** Another value of each option of each factory. */
const variants: Readonly<Record<string, Options>> = {
  sgd: { momentum: 0.5, dampening: 0.5, decoupled: true, lrInMomentum: true },
  lars: { momentum: 0.5, dampening: 0.5, decoupled: true, lrInMomentum: true, trustCoefficient: 0.5, eps: 0.5 },
  adam: { ...betas, amsgrad: true, epsInside: true, epsFirst: true },
  adamw: { ...betas, amsgrad: true, epsInside: true, epsFirst: true },
  lamb: { ...betas, epsInside: true, epsFirst: true },
  adagrad: { eps: 0.125, lrDecay: 0.5, initialAccumulator: 0.5, epsInside: true, decoupled: true },
  adadelta: { eps: 0.125, rho: 0.5, decoupled: true },
  rmsprop: { eps: 0.125, alpha: 0.5, momentum: 0.5, centered: true, epsInside: true, decoupled: true },
  adamax: { ...betas, decoupled: true },
  radam: { ...betas, decoupled: true },
  nadam: { ...betas, momentumDecay: 0.5, decoupled: true },
  lion: { betas: [0.8, 0.9] },
};

const make = (name: string, options?: Options): Optimizer =>
  (gradus as unknown as Record<string, (options?: Options) => Optimizer>)[name]?.(options) as Optimizer;

/** All that the GPU sees of a rule: its shader, and the rows of some steps at one rate and decay. */
function seen({ rule, writeRow }: Optimizer): string {
  const rows = [1, 2, 3, 50].map((t) => {
    const table = new Float32Array(4);
    writeRow(table, 0, 0.5, 0.25, t);
    return [...table];
  });
  return JSON.stringify([rule, rows]);
}

describe.each(Object.entries(variants))("%s", (name, options) => {
  test("rate and decay are not part of its spec, nor of what the GPU sees", () => {
    const [one, other] = [make(name), make(name, shared)];
    expect(other).toMatchObject(shared);
    expect(other.spec).toEqual(one.spec);
    expect(seen(other)).toBe(seen(one));
    expect(one.spec.name).toBe(name);
    expect(JSON.parse(JSON.stringify(one.spec))).toEqual(one.spec);
  });

  test("every other option is, and the GPU sees it", () => {
    const plain = make(name);
    expect(Object.keys(plain.spec.options).sort()).toEqual(
      [...Object.keys(options), ...(["sgd", "lars"].includes(name) ? ["nesterov"] : [])].sort(),
    );
    // Momentum first: without it dampening has nothing to dampen.
    const { momentum } = options;
    const base = momentum === undefined || name === "rmsprop" ? {} : { momentum };
    for (const [key, value] of Object.entries(options)) {
      const changed = make(name, key === "momentum" ? { momentum } : { ...base, [key]: value });
      const from = make(name, key === "momentum" ? {} : base);
      expect(changed.spec, key).not.toEqual(from.spec);
      // Only a sum that starts elsewhere is seen by no row and by no shader, but by the memory.
      expect(seen(changed), key).not.toBe(seen(from));
    }
  });

  test("a list that changes later changes nothing", () => {
    if (options.betas === undefined) return;
    const given = [0.8, 0.9];
    const made = make(name, { betas: given });
    const before = [JSON.stringify(made.spec), seen(made)];
    given[0] = 0.1;
    expect([JSON.stringify(made.spec), seen(made)]).toEqual(before);
  });
});

describe("in the table", () => {
  const layers = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`l${i}`, dense(2)]));
  const { layout, depths } = programOf(sequential(layers));
  const tableOf = (rates: Rates, optimizer = sgd()) => createRateTable(layout.tensors, depths, optimizer, { rates });

  test("20 layers with 20 equal rules have one", () => {
    const table = tableOf(() => ({ optimizer: sgd({ lr: 0.1, momentum: 0.9 }) }));
    expect(table.optimizers).toHaveLength(1);
    expect(new Set(table.rows.map((_, i) => table.ruleOf(i)))).toEqual(new Set([0]));
  });

  test("rules that differ in rate and decay are one, and each layer keeps its own", () => {
    const table = tableOf(({ depth }) => ({ optimizer: sgd({ lr: depth, weightDecay: depth / 8, momentum: 0.9 }) }));
    expect(table.optimizers).toHaveLength(1);
    expect(table.rows.find(({ name }) => name === "l4.weight")).toMatchObject({ lr: 5, weightDecay: 5 / 8 });
  });

  test("the default rule is one of them, and stays the first", () => {
    const table = tableOf({ l3: { optimizer: sgd({ lr: 9 }) }, l4: { optimizer: sgd({ momentum: 0.5 }) } });
    expect(table.optimizers.map(({ spec }) => spec.options.momentum)).toEqual([0, 0.5]);
    expect(table.rows.filter((_, i) => table.ruleOf(i) === 1).map(({ layer }) => layer)).toEqual(["l4", "l4"]);
  });
});
