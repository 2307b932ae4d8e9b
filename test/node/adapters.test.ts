// Adapters: what they add to a model and to its memory, that nothing changes before they have learned, and that merged weights give what
// adapters beside the weights give.

import { describe, expect, test } from "vitest";
import { charGpt } from "../../demo/models/char-gpt.ts";
import { llama } from "../../demo/models/llama.ts";
import { bitFit, houlsby, lora, merge, unmerge } from "../../src/adapter/index.ts";
import {
  conv1d,
  conv2d,
  crossEntropy,
  dense,
  flatten,
  type HostTensor,
  type Layer,
  loraPlus,
  lstm,
  type Model,
  relu,
  sequential,
  sgd,
  swiglu,
} from "../../src/index.ts";
import { arenaBytes } from "../../src/plan/layout.ts";
import { createCountedTable } from "../reference/counted-table.ts";
import { gradientErrors } from "../reference/gradient.ts";
import { type Given, runModel } from "../reference/run-model.ts";
import { tracedModel } from "../reference/traced-model.ts";
import { programOf } from "./program.ts";

interface Case {
  readonly model: Layer;
  readonly x: { readonly shape: readonly number[]; readonly data: ArrayLike<number>; readonly classes?: number };
  readonly layers: string | readonly string[];
}

const numbers = (length: number, from = 0): Float32Array =>
  Float32Array.from({ length }, (_, i) => (((i + from) * 7919) % 1009) / 1009 - 0.5);
const tokens = { shape: [6], data: Uint32Array.of(1, 4, 2, 2, 0, 6, 3, 3, 5, 1, 0, 2), classes: 7 };

const cases: Readonly<Record<string, Case>> = {
  dense: {
    model: sequential({ one: [dense(8), relu()], head: dense(3) }),
    x: { shape: [6], data: numbers(12) },
    layers: "one",
  },
  gates: {
    model: sequential({ gate: swiglu(5), head: dense(3, { bias: false }) }),
    x: { shape: [4, 6], data: numbers(48) },
    layers: "**",
  },
  convolutions: {
    model: sequential({
      wide: conv2d(4, { kernel: 3, stride: 2, padding: "same" }),
      act: relu(),
      flat: flatten(),
      head: dense(3),
    }),
    x: { shape: [5, 6, 2], data: numbers(120) },
    layers: ["wide", "head"],
  },
  "convolutions along one axis": {
    model: sequential({ long: conv1d(4, { kernel: 3, dilation: 2 }), flat: flatten(), head: dense(3) }),
    x: { shape: [8, 2], data: numbers(32) },
    layers: "long",
  },
  recurrences: {
    model: sequential({ read: lstm(3), head: dense(3) }),
    x: { shape: [4, 2], data: numbers(16) },
    layers: "read",
  },
  "a table that is the head too": {
    model: charGpt({ vocabulary: 7, length: 6, units: 8, heads: 2, blocks: 1 }),
    x: tokens,
    layers: ["tokens", "**.attention.query", "**.attention.value"],
  },
  "heads that share keys": {
    model: llama({ vocabulary: 7, units: 8, hidden: 12, blocks: 1, heads: 4, keyHeads: 2 }),
    x: tokens,
    layers: "**",
  },
};

const base = { except: "**.lora*" };

/** Weights of a model by its own start, or by rule where `drawn`: so the factors are not 0. */
function weightsOf(model: Model, x: Case["x"], drawn: boolean): Map<string, HostTensor> {
  const inputs = [{ name: "", shape: x.shape, ...(x.classes !== undefined && { classes: x.classes }) }];
  const { parameters } = programOf(model, { inputs, batch: 2, mode: "predict" });
  return new Map(
    parameters.map(({ name, shape }, i) => {
      const length = shape.reduce((a, b) => a * b, 1);
      const data = drawn ? numbers(length, 31 * i) : new Float32Array(length);
      return [name, { shape, data: data as Float32Array<ArrayBuffer> }];
    }),
  );
}

const far = (a: Float64Array, b: Float64Array): number =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] as number))), 0);

const made = (model: Model, weights: ReturnType<typeof weightsOf>, x: Given, seed?: number): Float64Array =>
  runModel(model, new Map([["", x]]), weights, undefined, undefined, seed).outputs.get("")!.data;

describe.each(Object.entries(cases))("low-rank adapters of %s", (_, { model, x, layers }) => {
  const options = { layers, rank: 2, alpha: 6 };
  const adapted = lora(model, options);
  const weights = weightsOf(adapted, x, true);
  const factors = new Map([...weights].filter(([name]) => /lora[AB]$/.test(name)));
  const plain = new Map([...weights].filter(([name]) => !factors.has(name)));
  const own = (some: Model, given: typeof weights, seed?: number) => made(some, given, x, seed);

  test("change nothing at first", () => {
    expect(far(own(adapted, plain, 3), own(model, plain))).toBe(0);
  });

  test("give what merged weights give, to 1e-5, and are had back", () => {
    const beside = own(adapted, weights);
    expect(far(beside, own(model, plain))).toBeGreaterThan(1e-3);
    const merged = merge(weights, { alpha: 6 });
    expect([...merged.keys()]).toEqual([...plain.keys()]);
    expect(far(beside, own(model, merged))).toBeLessThan(1e-5);
    const again = unmerge(merged, factors, { alpha: 6 });
    expect(new Set(again.keys())).toEqual(new Set(weights.keys()));
    expect(far(own(adapted, again), beside)).toBeLessThan(1e-5);
  });

  test("leave to the base the bytes of the weights and nothing else", () => {
    const inputs = [{ name: "", shape: x.shape, ...(x.classes !== undefined && { classes: x.classes }) }];
    const [before, after] = [programOf(model, { inputs, batch: 2 }), programOf(adapted, { inputs, batch: 2, base })];
    expect(after.parameters.map(({ name }) => name).sort()).toEqual([...factors.keys()].sort());
    expect(after.base.parameters.map(({ name }) => name)).toEqual(before.parameters.map(({ name }) => name));
    expect(arenaBytes(after.base.layout)).toBe(arenaBytes(before.layout));
    const written = after.recording.commands
      .flatMap(({ bindings }) => bindings)
      .filter(({ arena }) => arena === "base");
    expect(written.length).toBeGreaterThan(0);
    expect(new Set(written.map(({ access }) => access))).toEqual(new Set(["read"]));
  });

  test("are rows of the rate table, of which loraPlus lets the second learn faster", () => {
    const inputs = [{ name: "", shape: x.shape, ...(x.classes !== undefined && { classes: x.classes }) }];
    const { layout, depths, base: still } = programOf(adapted, { inputs, batch: 2, base });
    const names = still.parameters.map(({ name }) => name);
    const { rows } = createCountedTable(layout.tensors, depths, sgd({ lr: 1 }), { rates: loraPlus(4), base: names });
    for (const { name, multiplier } of rows) expect([name, multiplier]).toEqual([name, name.endsWith("B") ? 4 : 1]);
  });
});

test.each(["dense", "convolutions", "recurrences"])("gradients of adapters of %s are slopes of the loss", (name) => {
  const { model, x, layers } = cases[name] as Case;
  const traced = tracedModel({
    model: lora(model, { layers, rank: 2, alpha: 6 }),
    input: x.shape,
    batch: 2,
    loss: crossEntropy(),
  });
  const errors = gradientErrors(traced, { step: 1, start: 0, count: 2 } as never);
  expect(errors.filter(({ parameter }) => /lora[AB]$/.test(parameter)).length).toBeGreaterThan(1);
  for (const { parameter, error } of errors) expect(error, parameter).toBeLessThan(1e-6);
});

describe("bottlenecks", () => {
  const { model, x } = cases["heads that share keys"] as Case;
  const adapted = houlsby(model, { layers: ["**.attention.output", "**.think.output"], units: 3 });

  test("change nothing at first, and are all that trains", () => {
    const weights = weightsOf(model, x, true);
    expect(far(made(adapted, weights, x, 3), made(model, weights, x))).toBe(0);
    const inputs = [{ name: "", shape: x.shape, classes: 7 }];
    const { parameters } = programOf(adapted, { inputs, batch: 2, base: { except: "**.adapter" } });
    const of = (path: string) =>
      ["down.weight", "down.bias", "up.weight", "up.bias"].map((name) => `${path}.adapter.${name}`);
    expect(parameters.map(({ name }) => name)).toEqual([
      ...of("block0.look.attention.output"),
      ...of("block0.think.output"),
    ]);
  });

  test("have gradients that are slopes of the loss", () => {
    const small = sequential({ one: [dense(6), relu()], head: dense(3) });
    const traced = tracedModel({
      model: houlsby(small, { layers: "one", units: 2 }),
      input: [4],
      batch: 2,
      loss: crossEntropy(),
    });
    for (const { parameter, error } of gradientErrors(traced, { step: 1, start: 0, count: 2 } as never))
      expect(error, parameter).toBeLessThan(1e-6);
  });
});

test("of bitFit only biases train, and what is named beside them", () => {
  const { model, x } = cases.convolutions as Case;
  const { layout, depths } = programOf(model, { input: x.shape, batch: 2 });
  const frozen = (rates: ReturnType<typeof bitFit>): string[] =>
    createCountedTable(layout.tensors, depths, sgd(), { rates })
      .rows.filter((row) => row.frozen)
      .map(({ name }) => name);
  expect(frozen(bitFit())).toEqual(["wide.weight", "head.weight"]);
  expect(frozen(bitFit({ also: "head" }))).toEqual(["wide.weight"]);
});
