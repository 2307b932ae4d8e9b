// Every op that toPyTorch writes is what it is here: the files are kept in test/golden/python-forms, and PyTorch ran them.

import { expect, test } from "vitest";
import { summary } from "../../src/index.ts";
import { encodeCheckpoint } from "../../src/io/checkpoint.ts";
import { toPyTorch } from "../../src/pytorch/index.ts";
import { wantedTensors } from "../../src/pytorch/layout.ts";
import { pythonForms } from "../../src/pytorch/python-ops.ts";
import golden from "../golden/python-forms.json" with { type: "json" };
import { pythonCases, ruleNumbers } from "../golden/python-forms.ts";
import { relativeError } from "../reference/golden-data.ts";
import { only, runModel } from "../reference/run-model.ts";

const written: string[] = [];

test.each(Object.entries(pythonCases))("%s", async (name, { model, input }) => {
  const tensors = wantedTensors(summary(model, { input: input as number[] }).layers, "pytorch", {}).map(
    ({ name, shape }, i) => {
      const count = shape.reduce((all, one) => all * one, 1);
      return [name, { shape, data: ruleNumbers(count, 100 * i, /Variance$/.test(name)) }] as const;
    },
  );
  const isState = (name: string): boolean => /moving(Mean|Variance)$/.test(name);
  const section = (states: boolean) => new Map(tensors.filter(([name]) => isState(name) === states));
  const checkpoint = encodeCheckpoint({
    sections: new Map([
      ["parameters", section(false)],
      ["states", section(true)],
    ]),
    signature: { input, rules: {}, schedules: {} },
    training: { step: 0, place: { count: null, batch: null }, rows: {}, edits: [] } as never,
  });
  const { script, weights } = await toPyTorch(checkpoint, model);
  written.push(script);
  await expect(script).toMatchFileSnapshot(`../golden/python-forms/${name}.py`);
  await expect(`${Buffer.from(weights).toString("base64")}\n`).toMatchFileSnapshot(
    `../golden/python-forms/${name}.txt`,
  );
  const { shape, classes } = "classes" in input ? input : { shape: input, classes: undefined };
  const count = 2 * shape.reduce((all, one) => all * one, 1);
  const data =
    classes === undefined
      ? ruleNumbers(count, 7, false)
      : Float32Array.from({ length: count }, (_, i) => (i * 5) % classes);
  const { outputs } = runModel(model, only(shape, data, classes), new Map(tensors));
  const { shape: told, numbers } = golden[name as keyof typeof golden];
  expect(outputs.get("")!.shape).toEqual(told);
  expect(relativeError(outputs.get("")!.data, numbers)).toBeLessThan(1e-5);
});

test("no form is without a case", () => {
  const all = written.join("\n");
  const signs = {
    add: " + ",
    bias: " + ",
    subtract: " - ",
    multiply: " * ",
    divide: " / ",
    matmul: " @ ",
    pow: " ** 2",
  };
  const calls: Readonly<Record<string, string>> = {
    ...{
      leakyRelu: "leaky_relu",
      logSoftmax: "log_softmax",
      hardSigmoid: "hardsigmoid",
      hardSwish: "hardswish",
      concat: "torch.cat",
    },
    ...{
      tile: ".repeat(",
      slice: "1:-1:2",
      max: "amax",
      min: "amin",
      conv2dTranspose: "conv_transpose2d",
      normalize: "layer_norm",
    },
    ...{
      depthwiseConv2d: "groups=6)",
      maxPool2d: "max_pool2d",
      averagePool2d: "avg_pool2d",
      drop: "F.dropout",
      attention: "= attend(",
    },
    ...signs,
  };
  // Copies are made by optimizers of ours alone; three are joined where a model has more inputs than two.
  const spared = ["copy", "concat3"];
  const lacking = Object.keys(pythonForms).filter((op) => !spared.includes(op) && !all.includes(calls[op] ?? `${op}(`));
  expect(lacking).toEqual([]);
});
