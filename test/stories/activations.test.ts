// Activations on the GPU against PyTorch in f64, number by number where its numbers are right: far from 0 and near it too. Layers
// that learn a slope or a gate, with all their gradients.

import { expect, test } from "vitest";
import {
  compile,
  elu,
  functional,
  gelu,
  hardSigmoid,
  hardSwish,
  type Layer,
  leakyRelu,
  mish,
  ops,
  prelu,
  relu6,
  selu,
  silu,
  softplus,
  swiglu,
  type Value,
} from "../../src/index.ts";
import golden from "../golden/activations.json";
import { guarded } from "./guarded.ts";

const layers: Readonly<Record<string, (options: never) => Layer>> = {
  elu,
  gelu,
  leakyRelu,
  ...{ hardSigmoid: () => hardSigmoid(), hardSwish: () => hardSwish(), mish: () => mish(), relu6: () => relu6() },
  ...{ selu: () => selu(), silu: () => silu(), softplus: () => softplus() },
  ...Object.fromEntries(
    (["clip", "pow", "sin"] as const).map((name) => [
      name,
      (options): Layer => ({ kind: name, apply: (scope, x) => scope.op(ops[name], { x }, options).z }),
    ]),
  ),
};

/** The mean of what comes out times the target. */
const loss = (output: Value, target: Value, scope: Parameters<Layer["apply"]>[0]) => ({
  values: scope.op(ops.multiply, { x: output, y: target }).z,
});

/** The layer on x plus a weight `x`, which gets the gradient of x. */
const behind = (layer: Layer, shape: readonly number[]): Layer =>
  functional((x, { use, add, scope }) => use("own", layer, add(x, scope.parameter("x", shape, "zeros"))));

test.each(golden.ops.map((one) => [`${one.op} ${JSON.stringify(one.attributes)}`, one] as const))(
  "%s is PyTorch's, each number by itself",
  (_, { op, attributes, x, t, z, dx }) =>
    guarded(async (device) => {
      const shape = [x.length];
      const model = behind(layers[op]!(attributes as never), shape);
      const trainer = await compile(model, { device, input: shape, batch: 1, loss });
      trainer.setWeights({ x });
      const zeros = new Float32Array(x.length);
      const { data } = await trainer.predict(zeros);
      const found = await trainer.gradients({ x: zeros, y: t });
      expect(await trainer.gradients({ x: zeros, y: t })).toEqual(found);
      trainer.dispose();
      // PyTorch takes 1 from 1 in gelu's tail and in elu near 0. What has an exponential below the normal numbers of f32 may be 0.
      const absolute = /elu/.test(op) ? 1e-14 : 1e-36;
      for (const [ours, theirs] of [
        [data, z],
        [found.gradients.get("x")!.data, dx],
      ] as const) {
        for (const [i, value] of theirs.entries()) {
          if (Math.abs(value) > 3.4e38) expect(ours[i]).toBe(Math.sign(value) * Number.POSITIVE_INFINITY);
          else
            expect(Math.abs(ours[i]! - value), `f(${x[i]}) is ${ours[i]}, PyTorch ${value}`).toBeLessThanOrEqual(
              1e-5 * Math.abs(value) + absolute,
            );
        }
      }
    }),
);

const learned: Readonly<Record<string, () => Layer>> = { prelu, swiglu: () => swiglu(5) };

test.each(golden.layers.map((one) => [one.layer, one] as const))("%s is PyTorch's, with all gradients", (name, one) =>
  guarded(async (device) => {
    const trainer = await compile(behind(learned[name]!(), [2, 4]), { device, input: [2, 4], batch: 3, loss });
    if (name === "prelu")
      expect([...(await trainer.weights()).get("own.slope")!.data]).toEqual([0.25, 0.25, 0.25, 0.25]);
    trainer.setWeights(
      Object.fromEntries(Object.entries(one.weights).map(([weight, values]) => [`own.${weight}`, values])),
    );
    const { data } = await trainer.predict(one.x);
    const { gradients } = await trainer.gradients({ x: one.x, y: one.t });
    trainer.dispose();
    const pairs = Object.entries(one.gradients).map(([weight, values]) => [
      gradients.get(weight === "x" ? "x" : `own.${weight}`)!.data,
      values as number[],
    ]);
    for (const [ours, theirs] of [[data, one.z], ...pairs] as [Float32Array, number[]][]) {
      const largest = Math.max(...theirs.map(Math.abs));
      expect(ours).toHaveLength(theirs.length);
      for (const [i, value] of theirs.entries()) expect(Math.abs(ours[i]! - value) / largest).toBeLessThan(1e-6);
    }
  }),
);
