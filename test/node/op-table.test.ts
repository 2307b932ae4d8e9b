// No op and no kernel can be half added: every op has a shape rule, a way back or the reason for none, a
// kernel, a twin, a gradient check and GPU cases; every kernel has its four files, and no file is left over.

import { describe, expect, test } from "vitest";
import { size } from "../../src/op/tensor.ts";
import { gpuCases } from "../gpu/case/list.ts";
import { buildCase } from "../gpu/case.ts";
import { formulas } from "../reference/elementwise.ts";
import { gradientCases } from "../reference/gradient-case.ts";
import { allKernels, allOps } from "../reference/ops.ts";
import { passTexts } from "../reference/passes.ts";
import { rules } from "../reference/rules.ts";
import { twins, updateTwins } from "../reference/twins.ts";

const namesOf = (files: Readonly<Record<string, unknown>>, ending: string): string[] =>
  Object.keys(files).map((path) => path.slice(path.lastIndexOf("/") + 1, -ending.length));

const shaders = namesOf(
  import.meta.glob(["../../shaders/*.wgsl", "../../shaders/rule/*.wgsl", "../../shaders/product/*.wgsl"], {
    query: "?raw",
  }),
  ".wgsl",
);
const gpuTests = namesOf(import.meta.glob("../gpu/*.test.ts"), ".test.ts");
const references = namesOf(import.meta.glob("../reference/*.ts"), ".ts");

const kernelNames = allKernels.map(({ name }) => name);

/** The text of a kernel: a convolution and the gradient of its filter share one, and so do sums over rows and over parts. */
const textOf = (name: string): string =>
  ({ "conv2d-backward-filter": "conv2d", "sum-partials": "column-sum" })[name] ?? name;

/** The update and what stands around it. */
const passes = ["update", ...Object.keys(passTexts)];
/** Update rules and passes are kernels too, though no node of the graph asks for them. */
const kernels = [...kernelNames, ...Object.keys(rules), ...passes];

describe.each([...allOps])("op %s", (name, op) => {
  const cases = Object.values(gpuCases)
    .flat()
    .filter((one) => one.op === name);

  test("has a backward rule and a gradient check, or a reason for neither", () => {
    if (op.back !== undefined) expect(gradientCases[name] ?? []).not.toHaveLength(0);
    else {
      expect(gradientCases).not.toHaveProperty(name);
    }
  });

  test("has a twin", () => expect(twins).toHaveProperty(name));

  test("has a kernel and GPU cases, or is a mere view", () => {
    if (op.kernel === undefined) {
      expect(cases).toHaveLength(0);
      return;
    }
    expect(gpuCases[op.kernel.name]?.map((one) => one.op)).toContain(name);
  });

  test("has a shape rule that gives whole sizes for each case", () => {
    for (const one of cases.filter(({ inputs }) => inputs.every(({ shape }) => size(shape) < 1e4))) {
      const { graph, results } = buildCase({ ...one, scales: [1] });
      expect(graph.nodes[0]?.inputs.length).toBeGreaterThanOrEqual(op.inputs.length);
      for (const id of results) {
        expect(graph.tensors[id]!.shape.every((length) => Number.isInteger(length) && length > 0)).toBe(true);
      }
    }
  });
});

describe.each([...allOps].filter(([, op]) => op.elementwise !== undefined))("elementwise op %s", (name, op) => {
  test("has an expression and a formula, since it can end a kernel", () => {
    for (const input of op.inputs) expect(op.elementwise?.expression).toMatch(new RegExp(`\\b${input}\\b`));
    expect(formulas).toHaveProperty(name);
  });
});

describe.each(kernels)("kernel %s", (name) => {
  test("has a shader", () => expect(shaders).toContain(textOf(name)));
  test("has a GPU test", () => expect(gpuTests).toContain(name));
  test("has a reference", () => expect(references).toContain(name));
});

test("nothing is left over of what is no longer there", () => {
  expect(shaders.sort()).toEqual([...new Set([...kernels.map(textOf), "product", "commit"])].sort());
  expect(Object.keys(twins).sort()).toEqual([...allOps.keys()].sort());
  expect(Object.keys(updateTwins).sort()).toEqual(Object.keys(rules).sort());
  expect(Object.keys(gpuCases).sort()).toEqual([...kernelNames].sort());
  expect(gpuTests.sort()).toEqual([...kernels, "commit"].sort());
  for (const name of Object.keys(gradientCases)) expect([...allOps.keys()]).toContain(name);
});
