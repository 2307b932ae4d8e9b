// Max pooling takes in the relu before it, where nobody else reads that one. That the numbers are the same is shown by the
// gradients of random models, by golden runs and by the cases of the op.

import { expect, test } from "vitest";
import { averagePool2d, conv2d, dense, flatten, functional, maxPool2d, relu, sequential } from "../../src/index.ts";
import { programOf } from "./program.ts";

const input = [8, 8, 2];
const names = (model: Parameters<typeof programOf>[0]): string[] =>
  programOf(model, { input }).recording.commands.map(({ kernel, note }) => `${kernel} ${note}`);
const head = { flatten: flatten(), head: dense(10) };

test("the way back reads neither what went into relu nor what came out", () => {
  const { recording } = programOf(sequential({ conv: conv2d(4), relu: relu(), pool: maxPool2d(2), ...head }), {
    input,
  });
  const back = recording.commands.find(({ kernel }) => kernel === "max-pool2d-backward")!;
  expect(back.note).not.toContain("relu");
  expect(back.bindings.map(({ name }) => name)).toEqual(["dy", "tap", "dx"]);
  expect(recording.commands.find(({ kernel }) => kernel === "max-pool2d")!.note).toContain("of relu");
});

test("relu stays where somebody else reads it", () => {
  const two = functional((x, { use, add }) => {
    const z = use("relu", relu(), use("conv", conv2d(4), x));
    return use("end", sequential(head), add(use("most", maxPool2d(2), z), use("mean", averagePool2d(2), z)));
  });
  expect(names(two).filter((name) => name.includes("of relu"))).toEqual([]);

  const given = functional((x, { use }) => {
    const z = use("relu", relu(), use("conv", conv2d(4), x));
    return { z, y: use("end", sequential(head), use("pool", maxPool2d(2), z)) };
  });
  const { commands } = programOf(given, { input, mode: "predict" }).recording;
  expect(commands.filter(({ note }) => note.includes("of relu"))).toEqual([]);
});
