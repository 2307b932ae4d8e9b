// Networks of torchvision as PyTorch exports them, and some made up of what these do not have: their outputs in evaluation and in training,
// and the gradients of all weights, are PyTorch's. The files come without weights, which a rule makes again.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { LossFunction, Value } from "../../src/index.ts";
import { ops } from "../../src/index.ts";
import { readModel } from "../../src/onnx/file.ts";
import { fromOnnx } from "../../src/onnx/index.ts";
import { toOnnx } from "../../src/onnx-out/index.ts";
import { relativeError } from "../reference/golden-data.ts";
import { runModel } from "../reference/run-model.ts";

interface Rule {
  readonly k: number;
  readonly scale: number;
  readonly offset: number;
}

interface Network {
  readonly name: string;
  readonly shape: readonly number[];
  readonly rules: Readonly<Record<string, Rule>>;
  readonly evaluated: readonly number[];
  readonly trained: readonly number[];
  /** Of each parameter: the sum of its gradient, and the sum of the sizes of its numbers. */
  readonly gradients: Readonly<Record<string, readonly [number, number]>>;
  readonly model: string;
}

const networks: readonly Network[] = JSON.parse(
  gunzipSync(readFileSync(new URL("../golden/onnx-networks.json.gz", import.meta.url))).toString(),
);

/** Groups of nodes that must be seen for what they are. */
const recognised: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  convnext: { layerNorm: 7, dense: 6, gelu: 3 },
  swin: { layerNorm: 9, dense: 12, gelu: 3 },
  vit: { layerNorm: 5, dense: 6, gelu: 2, attention: 2 },
};

const BATCH = 2;
const TOLERANCE = 1e-4;

const numbers = (count: number, { k, scale, offset }: Rule): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => offset + scale * ((((i + 97 * k) * 7919) % 1009) / 1009 - 0.5));

const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** The mean of all squared outputs. */
const squares: LossFunction = (output: Value, _: unknown, scope) => ({ values: scope.op(ops.square, { x: output }).z });

/** How many numbers each initializer of a file has. */
const sizesOf = (bytes: Uint8Array): Map<string, number> =>
  new Map(readModel(bytes).graph.initializer.map(({ name = "", dims }) => [name, size(dims)]));

function expectNear(made: ArrayLike<number>, wanted: readonly number[]): void {
  expect(made.length).toBe(wanted.length);
  const most = Math.max(...wanted.map(Math.abs));
  for (const [i, value] of wanted.entries())
    expect(Math.abs((made[i] as number) - value) / most).toBeLessThan(TOLERANCE);
}

describe.each(networks)("$name", ({ name: own, shape, rules, evaluated, trained, gradients, model: file }) => {
  test("outputs and gradients are PyTorch's", async () => {
    const bytes = Uint8Array.from(atob(file), (letter) => letter.charCodeAt(0));
    const sizes = sizesOf(bytes);
    const external = (path: string): Uint8Array | undefined => {
      const rule = rules[path];
      return rule && new Uint8Array(numbers(sizes.get(path) as number, rule).buffer);
    };
    const { model, input, weights, report } = await fromOnnx(bytes, { external });
    expect(report.batch).toBe("any");
    if (recognised[own] !== undefined) expect(report.recognised).toEqual(recognised[own]);
    const { classes } = input as { readonly classes?: number };
    const data =
      classes === undefined
        ? numbers(BATCH * size(shape), { k: 0, scale: 2, offset: 0 })
        : Float64Array.from({ length: BATCH * size(shape) }, (_, i) => ((i * 7919) % 1009) % 10);
    const inputs = new Map([["x", { shape, classes, data }]]);
    const output = runModel(model, inputs, weights, BATCH).outputs.get("")?.data as Float64Array;
    expectNear(output, evaluated);
    const back = await fromOnnx(await toOnnx(weights, model));
    const again = runModel(back.model, inputs, back.weights, BATCH).outputs.get("")?.data as Float64Array;
    expect(relativeError(again, output)).toBeLessThan(1e-5);

    const ran = runModel(model, inputs, weights, BATCH, squares);
    expectNear(ran.outputs.get("")?.data as Float64Array, trained);
    const made = new Map<string, [number, number]>();
    for (const { source, name } of report.tensors) {
      const gradient = ran.gradients.get(name);
      if (gradient === undefined) continue;
      const [sum, sizes] = made.get(source) ?? [0, 0];
      made.set(source, [
        sum + gradient.reduce((a, b) => a + b, 0),
        sizes + gradient.reduce((a, b) => a + Math.abs(b), 0),
      ]);
    }
    const most = Math.max(...Object.values(gradients).map(([, all]) => all));
    for (const [name, [sum, all]] of Object.entries(gradients)) {
      const own = made.get(name);
      expect(own, name).toBeDefined();
      // A weight before a normalization has a gradient of rounding alone.
      const scale = Math.max(all, 1e-9 * most);
      expect(Math.abs((own?.[0] as number) - sum) / scale, name).toBeLessThan(TOLERANCE);
      expect(Math.abs((own?.[1] as number) - all) / scale, name).toBeLessThan(TOLERANCE);
    }
  });
});
