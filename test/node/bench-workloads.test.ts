// The benchmark's workloads and kernels as plain data: each list of weights is that of its model, and each kernel's row runs what it says.

import { describe, expect, test } from "vitest";
import { kernelCases } from "../../demo/bench/kernels/cases.ts";
import { graphOf, recordingOf } from "../../demo/bench/kernels/graph.ts";
import { kernelNames } from "../../demo/bench/kernels/names.ts";
import { models } from "../../demo/bench/model.ts";
import { worksOf } from "../../demo/bench/roofline/work.ts";
import { batchOf, isFrozen, labelsOf, startingWeights, workloads } from "../../demo/bench/workload.ts";
import { programOf } from "./program.ts";

describe.each(Object.values(workloads))("$name", (workload) => {
  const { name, batch, input, tokens, classes, tensors } = workload;

  test("has the weights of its model", () => {
    const inputs = [{ name: "", shape: input, ...(tokens !== undefined && { classes: tokens }) }];
    const { parameters, outputs } = programOf(models[name](), { inputs, batch, mode: "predict" });
    const shapes = (list: readonly { readonly name: string; readonly shape: readonly number[] }[]) =>
      Object.fromEntries(list.map((tensor) => [tensor.name, tensor.shape]));
    expect(shapes(tensors)).toEqual(shapes(parameters));
    expect(outputs[0]?.shape).toEqual([batch, ...(tokens === undefined ? [] : input), classes]);
  });

  test("gives each sample or token a label among its classes, and trains something", () => {
    const { x, y } = batchOf(workload, 1);
    expect(y.length).toBe(labelsOf(workload));
    expect(Math.max(...y)).toBeLessThan(classes);
    expect(x.length).toBe(batch * input.reduce((a, b) => a * b, 1));
    expect(Math.max(...x)).toBeLessThan(tokens ?? 1);
    expect(tensors.some((tensor) => !isFrozen(workload, tensor.name))).toBe(true);
  });
});

test("gammas start about 1, all else about 0", () => {
  const means = workloads.resnet.tensors.map(({ name }, i) => {
    const values = startingWeights(workloads.resnet, i);
    return { name, mean: values.reduce((a, b) => a + b, 0) / values.length };
  });
  for (const { name, mean } of means) expect(Math.abs(mean - (name.endsWith(".gamma") ? 1 : 0))).toBeLessThan(0.2);
});

describe("a kernel by itself", () => {
  const worked = kernelCases.map((one) => ({
    ...one,
    works: worksOf(recordingOf(graphOf(one), { software: true, quads: true }).recording),
  }));
  const operations = (kernel: string, form: RegExp): number[] =>
    worked
      .filter((one) => one.kernel === kernel && form.test(one.form))
      .map(({ works }) => works.reduce((sum, work) => sum + work.operations, 0) / 2);

  test("is a dispatch or a few that move bytes, under a form of its own", () => {
    expect([...new Set(worked.map(({ kernel }) => kernel))]).toEqual(kernelNames);
    expect(new Set(worked.map(({ form }) => form)).size).toBe(worked.length);
    for (const { form, works } of worked) {
      expect([form, works.length >= 1 && works.length <= 3]).toEqual([form, true]);
      for (const { bytes } of works) expect([form, bytes > 0]).toEqual([form, true]);
    }
  });

  test("multiplies as much in each of the three forms of a product or a convolution", () => {
    expect(operations("matmul", /64x784x256/)).toEqual(Array(3).fill(64 * 784 * 256));
    expect(operations("matmul", /25088x72x16/)).toEqual(Array(3).fill(25_088 * 72 * 16));
    expect(operations("conv", /stride 2/)).toEqual(Array(3).fill(16 * 16 * 16 * 9 * 32 * 64));
    expect(operations("conv", /depthwise/)).toEqual(Array(3).fill(16 * 32 * 32 * 9 * 64));
  });

  test("looks at what a causal score may see", () => {
    const pairs = (4 * (1024 * 1025)) / 2;
    expect(operations("attention", /1024/)).toEqual([2 * pairs * 16, 7 * pairs * 16]);
  });
});
