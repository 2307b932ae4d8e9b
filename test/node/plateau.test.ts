// reduceLROnPlateau against PyTorch's ReduceLROnPlateau (test/golden/plateau.json): rates of two groups after every metric,
// counters, and a run that is broken off and goes on after each of them; layers, and refusals.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  NameError,
  type ReduceLROnPlateauOptions,
  type ReduceLROnPlateauTarget,
  reduceLROnPlateau,
} from "../../src/index.ts";

interface Case {
  readonly metric: string;
  // biome-ignore lint/suspicious/noExplicitAny: settings under PyTorch's names; JSON has no types.
  readonly args: any;
  readonly lrs: readonly (readonly number[])[];
  readonly bad: readonly number[];
  readonly cooldown: readonly number[];
}

const golden = JSON.parse(readFileSync("test/golden/plateau.json", "utf8")) as {
  readonly metrics: readonly { readonly name: string; readonly values: readonly (number | string)[] }[];
  readonly plateaus: readonly Case[];
};
const metricsOf = (name: string): number[] => golden.metrics.find((one) => one.name === name)?.values.map(Number) ?? [];

/** A layer table of two layers, each a name and a rate. */
function twoLayers() {
  const rates: Record<string, number> = { body: 0.1, head: 0.003 };
  const target: ReduceLROnPlateauTarget = {
    scale(pattern, factor, { floor, eps }) {
      const names = Object.keys(rates).filter((name) => pattern === "**" || pattern === name);
      if (names.length === 0) throw new NameError(`scale: "${pattern}" matches no layer.`);
      for (const name of names) {
        const before = rates[name] as number;
        const after = Math.max(before * factor, floor);
        if (before - after > eps) rates[name] = after;
      }
    },
  };
  return { rates, target };
}

function optionsOf({ args: a }: Case): ReduceLROnPlateauOptions {
  const options = {
    mode: a.mode,
    factor: a.factor,
    patience: a.patience,
    threshold: a.threshold,
    thresholdMode: a.threshold_mode,
    cooldown: a.cooldown,
    eps: a.eps,
    minLr: Array.isArray(a.min_lr) ? { body: a.min_lr[0], head: a.min_lr[1] } : a.min_lr,
  };
  // Only what is given, so that the defaults are held against PyTorch's as well.
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

const cases = golden.plateaus.map((one) => ({ ...one, title: `${one.metric}: ${JSON.stringify(one.args)}` }));

describe("golden rates", () => {
  test("are there, of every kind of metric", () => {
    expect(golden.metrics.length).toBe(9);
    expect(cases.length).toBe(90);
    expect(metricsOf("nan").filter(Number.isNaN).length).toBe(14);
    expect(metricsOf("infinite")).toContain(Number.NEGATIVE_INFINITY);
    // In enough of them something happens, and in enough of them more than once.
    const drops = cases.map(({ lrs }) => new Set(lrs[0]).size);
    expect(drops.filter((count) => count >= 2).length).toBeGreaterThan(50);
    expect(drops.filter((count) => count >= 4).length).toBeGreaterThan(20);
  });

  test.each(cases)("$title", (one) => {
    const { rates, target } = twoLayers();
    const plateau = reduceLROnPlateau(target, optionsOf(one));
    for (const [i, metric] of metricsOf(one.metric).entries()) {
      const before = { ...rates };
      const reduced = plateau.step(metric);
      for (const [group, name] of ["body", "head"].entries()) {
        const off = Math.abs((rates[name] as number) - (one.lrs[group]?.[i] as number));
        expect(off, `${name} after metric ${i}`).toBeLessThanOrEqual(1e-12);
      }
      expect(plateau.state()).toMatchObject({ bad: one.bad[i], cooldown: one.cooldown[i] });
      if (!reduced) expect(rates).toEqual(before);
    }
  });

  test.each(cases)("broken off after each metric: $title", (one) => {
    const { rates, target } = twoLayers();
    let kept = JSON.stringify(reduceLROnPlateau(target, optionsOf(one)).state());
    for (const [i, metric] of metricsOf(one.metric).entries()) {
      const plateau = reduceLROnPlateau(target, optionsOf(one));
      plateau.restore(JSON.parse(kept));
      plateau.step(metric);
      kept = JSON.stringify(plateau.state());
      expect(Math.abs((rates.body as number) - (one.lrs[0]?.[i] as number))).toBeLessThanOrEqual(1e-12);
    }
  });
});

describe("layers", () => {
  test("one pattern is reduced, the others are left alone", () => {
    const { rates, target } = twoLayers();
    const plateau = reduceLROnPlateau(target, { layers: "head", patience: 0, factor: 0.5, minLr: 1e-3 });
    expect([1, 1, 1, 1].map(plateau.step)).toEqual([false, true, true, true]);
    expect(rates).toEqual({ body: 0.1, head: 1e-3 });
  });

  test("those that minLr names are the ones, each with its floor", () => {
    const { rates, target } = twoLayers();
    const plateau = reduceLROnPlateau(target, { patience: 0, factor: 0.5, minLr: { body: 0.04 } });
    for (const metric of [1, 1, 1]) plateau.step(metric);
    expect(rates).toEqual({ body: 0.04, head: 0.003 });
  });

  test("a name that is none is refused before any metric, and nothing has moved", () => {
    const { rates, target } = twoLayers();
    expect(() => reduceLROnPlateau(target, { minLr: { body: 0.01, haed: 1e-3 } })).toThrow(NameError);
    expect(() => reduceLROnPlateau(target, { layers: "haed" })).toThrow(NameError);
    reduceLROnPlateau(target, { factor: 0, eps: 0, minLr: 1 });
    expect(rates).toEqual({ body: 0.1, head: 0.003 });
  });
});

test("what cannot be is refused, in words", () => {
  const wrong = (value: unknown) => value as never;
  const { target } = twoLayers();
  const make = (options: ReduceLROnPlateauOptions) => () => reduceLROnPlateau(target, options);
  const texts = [
    () => reduceLROnPlateau(wrong(undefined)),
    () => reduceLROnPlateau(wrong({ set() {} })),
    make({ mode: wrong("minimum") }),
    make({ thresholdMode: wrong("absolute") }),
    make({ factor: 1 }),
    make({ patience: 1.5 }),
    make({ cooldown: -1 }),
    make({ threshold: Number.NaN }),
    make({ eps: -1 }),
    make({ minLr: -1 }),
    make({ minLr: wrong(null) }),
    make({ minLr: {} }),
    make({ minLr: wrong([0.01, 0.001]) }),
    make({ minLr: { body: 0.1, head: wrong("0.1") } }),
    make({ layers: "head", minLr: { body: 0.1 } }),
    () => make({})().step(wrong(undefined)),
    () => make({})().step(wrong("0.5")),
    () => make({})().restore(wrong({})),
    () => make({})().restore({ best: wrong(null), bad: 0, cooldown: 0 }),
    () => make({})().restore({ best: "low", bad: 0, cooldown: 0 }),
    () => make({})().restore({ best: 1, bad: 0.5, cooldown: 0 }),
  ].map((act) => {
    try {
      return act();
    } catch (error) {
      return String(error);
    }
  });
  expect(texts).toMatchInlineSnapshot(`
    [
      "OptionError: reduceLROnPlateau: scale of the first argument is undefined, it must be a function.",
      "OptionError: reduceLROnPlateau: scale of the first argument is undefined, it must be a function.",
      "OptionError: reduceLROnPlateau: mode is "minimum", it must be "min" or "max".",
      "OptionError: reduceLROnPlateau: thresholdMode is "absolute", it must be "rel" or "abs".",
      "OptionError: reduceLROnPlateau: factor is 1, it must be at least 0 and below 1.",
      "OptionError: reduceLROnPlateau: patience is 1.5, it must be a whole number of at least 0.",
      "OptionError: reduceLROnPlateau: cooldown is -1, it must be a whole number of at least 0.",
      "OptionError: reduceLROnPlateau: threshold is NaN, it must be at least 0.",
      "OptionError: reduceLROnPlateau: eps is -1, it must be at least 0.",
      "OptionError: reduceLROnPlateau: minLr is -1, it must be at least 0.",
      "OptionError: reduceLROnPlateau: minLr is null, it must be at least 0.",
      "OptionError: reduceLROnPlateau: minLr is empty. Name at least one layer in it.",
      "OptionError: reduceLROnPlateau: minLr has 0.01 among its pairs. Write each as ["head", value].",
      "OptionError: reduceLROnPlateau: minLr["head"] is "0.1", it must be at least 0.",
      "OptionError: reduceLROnPlateau: layers is "head", and minLr names layers as well. Leave out layers, or give minLr as a number.",
      "OptionError: reduceLROnPlateau: the metric is undefined, it must be a number, such as the loss of an evaluation.",
      "OptionError: reduceLROnPlateau: the metric is "0.5", it must be a number, such as the loss of an evaluation.",
      "OptionError: reduceLROnPlateau.restore: bad is undefined, it must be a whole number of at least 0.",
      "OptionError: reduceLROnPlateau.restore: best is null, it must be a number.",
      "OptionError: reduceLROnPlateau.restore: best is "low", it must be a number.",
      "OptionError: reduceLROnPlateau.restore: bad is 0.5, it must be a whole number of at least 0.",
    ]
  `);
});
