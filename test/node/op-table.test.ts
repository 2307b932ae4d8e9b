// No op and no kernel can be half added: every op has a shape rule, a way back or the reason for none, a
// kernel, a twin, a gradient check and GPU cases, all found in their files; and no file is left over.

import { describe, expect, test } from "vitest";
import { size } from "../../src/op/tensor.ts";
import { buildCase } from "../gpu/case.ts";
import { gpuCases, gradientCases } from "../gpu/cases.ts";
import { VIEW } from "../ops/table.ts";
import { added } from "../reference/add-formulas.ts";
import { formulas } from "../reference/elementwise.ts";
import { allKernels, allOps } from "../reference/ops.ts";
import { passTexts } from "../reference/passes.ts";
import { rules } from "../reference/rules.ts";
import { twins, updateTwins } from "../reference/twins.ts";

const namesOf = (files: Readonly<Record<string, unknown>>, ending: string): string[] =>
  Object.keys(files).map((path) => path.slice(path.lastIndexOf("/") + 1, -ending.length));

const shaders: Readonly<Record<string, string>> = import.meta.glob("../../shaders/{,rule/,product/}*.wgsl", {
  query: "?raw",
  import: "default",
  eager: true,
});
const gpuTests = namesOf(import.meta.glob("../gpu/*.test.ts"), ".test.ts");
const references = namesOf(import.meta.glob("../reference/*.ts"), ".ts");

describe.each([...allOps])("op %s", (name, op) => {
  const cases = gpuCases.filter((one) => one.op === name);

  test("has a backward rule and a gradient check, or a reason for neither", () => {
    if (op.back !== undefined) expect(gradientCases[name] ?? []).not.toHaveLength(0);
    else {
      expect(gradientCases).not.toHaveProperty(name);
    }
  });

  test("has a twin", () => expect(twins).toHaveProperty(name));

  test("has a kernel and GPU cases, or is a mere view", ({ task }) => {
    task.meta.told = { op: name, kernel: op.kernel?.name ?? VIEW, back: op.back !== undefined };
    if (op.kernel === undefined) expect(cases).toHaveLength(0);
    else expect(cases).not.toHaveLength(0);
  });

  test("has a shape rule that gives whole sizes for each case", ({ task }) => {
    const small = cases.filter(({ inputs }) => inputs.every(({ shape }) => size(shape) < 1e4));
    task.meta.told = {
      op: name,
      shapes: new Set(small.map(({ inputs }) => inputs.map(({ shape }) => `${shape}`).join())).size,
    };
    for (const one of small) {
      const { graph, results } = buildCase({ ...one, scales: [1] });
      expect(graph.nodes[0]?.inputs.length).toBeGreaterThanOrEqual(op.inputs.length - (op.optional?.length ?? 0));
      for (const id of results) {
        expect(graph.tensors[id]!.shape.every((length) => Number.isInteger(length) && length > 0)).toBe(true);
      }
    }
  });
});

describe.each([...allOps].filter(([, op]) => op.elementwise !== undefined))("elementwise op %s", (name, op) => {
  test("has an expression and a formula, since it can end a kernel", () => {
    for (const { attributes = {} } of gpuCases.filter((one) => one.op === name)) {
      for (const input of op.inputs)
        expect(op.elementwise?.expression(attributes)).toMatch(new RegExp(`\\b${input}\\b`));
    }
    expect(formulas).toHaveProperty(name);
  });
});

/** What no node of the graph asks for: update rules, and the passes around the update. */
const passes = ["update", ...Object.keys(passTexts)];
describe.each([...Object.keys(rules), ...passes])("%s", (name) => {
  test("has a GPU test and a reference", () => {
    expect(gpuTests).toContain(name);
    expect(references).toContain(name);
  });
});

test("nothing is left over of what is no longer there", () => {
  const texts = [
    ...allKernels.flatMap(({ source, others = [] }) => [source, ...others]),
    ...Object.values(passTexts),
    ...["update", "commit", "sum-rows"].map((name) => shaders[`../../shaders/${name}.wgsl`]),
  ];
  const used = [...texts, ...Object.values(rules).flat()].join("\n");
  expect(Object.entries(shaders).flatMap(([path, text]) => (used.includes(text) ? [] : [path]))).toEqual([]);
  const ownTwins = Object.keys(twins).filter((name) => !added.has(name));
  expect(ownTwins.sort()).toEqual([...allOps.keys()].sort());
  expect(Object.keys(updateTwins).sort()).toEqual(Object.keys(rules).sort());
  expect(gpuTests.sort()).toEqual(
    ["beside", "commit", "metrics", "op", "sum-rows", ...Object.keys(rules), ...passes].sort(),
  );
  for (const name of [...Object.keys(gradientCases), ...gpuCases.map(({ op }) => op)]) {
    expect([...allOps.keys()]).toContain(name);
  }
});
