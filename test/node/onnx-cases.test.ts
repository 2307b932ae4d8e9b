// The node cases of the ONNX standard: every operator that docs/onnx.md claims gives what the standard gives, on the f64 interpreter
// where values flow, and where all is constant as the reader reckons it.

import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { readModel } from "../../src/onnx/file.ts";
import { folds, keepsWeights } from "../../src/onnx/fold.ts";
import { type Host, readTensor } from "../../src/onnx/host.ts";
import { fromOnnx } from "../../src/onnx/index.ts";
import type { About, Row } from "../../src/onnx/live.ts";
import { nodeOf } from "../../src/onnx/node.ts";
import { rows } from "../../src/onnx/rows.ts";
import { toOnnx } from "../../src/onnx-out/index.ts";
import { runModel } from "../reference/run-model.ts";

interface Packed {
  readonly shape: readonly number[];
  readonly type: "float32" | "float64";
  readonly data: string;
}

interface Case {
  readonly name: string;
  readonly op: string;
  readonly nodes: number;
  readonly models: readonly { readonly keep: readonly number[]; readonly model: string }[];
  readonly inputs: readonly (Packed | null)[];
  readonly outputs: readonly Packed[];
}

const cases: readonly Case[] = JSON.parse(
  gunzipSync(readFileSync(new URL("../golden/onnx-cases.json.gz", import.meta.url))).toString(),
);

const bytesOf = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const numbersOf = ({ type, data }: Packed): ArrayLike<number> =>
  type === "float32" ? new Float32Array(bytesOf(data).buffer) : new Float64Array(bytesOf(data).buffer);

/** The largest difference from what is wanted, of numbers above 1 relative to them. */
function worst(made: ArrayLike<number> | undefined, wanted: ArrayLike<number>): number {
  if (made === undefined || made.length !== wanted.length) return Number.POSITIVE_INFINITY;
  return Array.from(wanted).reduce((most, value, i) => {
    const own = made[i] as number;
    if (Object.is(own, value) || own === value) return most;
    const error = Math.abs(own - value) / Math.max(1, Math.abs(value));
    return Number.isNaN(error) ? Number.POSITIVE_INFINITY : Math.max(most, error);
  }, 0);
}

/** Cases of what docs/onnx.md calls partly read, and what is said of them. */
const refused: readonly (readonly [RegExp, RegExp])[] = [
  [/^batchnorm_.*_training_mode$/, /running values are taken/],
  [/^convtranspose_3d$|^conv.*3d|pool_3d/, /3 or 4 axes/],
  [/^dropout_.*mask/, /its mask is taken/],
  [/^lstm_with_peepholes$/, /peepholes/],
  [/^maxpool_with_argmax/, /its indices are taken/],
  [/^maxpool_2d_dilations$/, /dilations are \[2,2\]/],
  [/^resize_tf_crop_and_resize$/, /tf_crop_and_resize/],
  [/^slice_start_out_of_bounds$/, /Nothing is left of axis 1/],
];

/** Whether a file makes anything of its inputs, without which it is read as no network. */
function reckons(file: Uint8Array): boolean {
  const { node, input } = readModel(file).graph;
  const names = new Set(input.map(({ name }) => name));
  return node.some(({ op, input: taken }) => op !== "Identity" && taken.some((name) => names.has(name)));
}

/** f16 holds three digits. */
const toleranceOf = (type: number | undefined): number => (type === 10 ? 1e-3 : 2e-5);

describe.each(cases.filter(({ models }) => (models[0]?.keep.length ?? 0) > 0))(
  "$name",
  ({ name: own, models, inputs, outputs }) => {
    test.each(models)("of inputs $keep", async ({ keep, model: bytes }) => {
      const { graph } = readModel(bytesOf(bytes));
      const refusal = refused.find(([pattern]) => pattern.test(own))?.[1];
      if (refusal !== undefined) {
        await expect(fromOnnx(bytesOf(bytes), { batch: "none" })).rejects.toThrow(refusal);
        return;
      }
      const { model, weights } = await fromOnnx(bytesOf(bytes), { batch: "none" });
      const names = graph.input.map(({ name = "" }) => name);
      const given = keep.map((at, i) => [names[i] as string, inputs[at] as Packed] as const);
      const streams = given.map(
        ([name, one]) => [given.length === 1 ? "x" : name, { shape: one.shape, data: numbersOf(one) }] as const,
      );
      const ran = runModel(model, new Map(streams), weights, 1);
      const written = await toOnnx(weights, model);
      if (reckons(written)) {
        const back = await fromOnnx(written, { batch: "none" });
        const samples = streams.map(([name, one]) => [name, { ...one, shape: [1, ...one.shape] }] as const);
        const again = runModel(back.model, new Map(samples), back.weights, 1);
        for (const [name, { data }] of ran.outputs)
          expect(worst(again.outputs.get(name)?.data, data)).toBeLessThan(1e-5);
      }
      for (const [i, { data }] of [...ran.outputs.values()].entries())
        expect(worst(data, numbersOf(outputs[i] as Packed))).toBeLessThan(
          toleranceOf(graph.output[i]?.type?.tensor?.element),
        );
    });
  },
);

/** Operators that constants alone go through: those that are reckoned, and those that call numbers by another shape or order. */
const ofConstants = new Map<string, Row>([
  ...[...keepsWeights].flatMap((op): [string, Row][] => (rows[op] === undefined ? [] : [[op, rows[op]]])),
  ...Object.entries(folds).map(([op, fold]): [string, Row] => [op, (node, ins) => fold(node, ins as Host[])]),
]);

const constant = cases.filter(({ op, nodes }) => nodes === 1 && ofConstants.has(op));
test.each(constant)("$op of constants: $name", ({ op, models, inputs, outputs }) => {
  const { graph, opset } = readModel(bytesOf(models[0]?.model as string));
  const proto = graph.node[0]!;
  const node = nodeOf(proto, 0, opset, undefined);
  const known = new Map<string, Host>(graph.initializer.map((one) => [one.name ?? "", readTensor(one, "", undefined)]));
  for (const [i, at] of (models[0]?.keep ?? []).entries()) {
    const { name = "", type } = graph.input[i]!;
    const one = inputs[at] as Packed;
    known.set(name, { kind: "host", dims: one.shape, data: numbersOf(one), type: type?.tensor?.element ?? 1 });
  }
  const made = [
    ofConstants.get(op)!(
      node,
      proto.input.map((name) => known.get(name)),
      {} as About,
    ),
  ].flat() as Host[];
  for (const [i, wanted] of outputs.entries()) {
    expect(made[i]?.dims).toEqual(wanted.shape);
    expect(worst(made[i]?.data, numbersOf(wanted))).toBeLessThan(toleranceOf(made[i]?.type));
  }
});
