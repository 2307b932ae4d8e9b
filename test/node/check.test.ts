// Which programs ask their gradients as they are stored: a training step all of them, whatever kernel stores them, unless a guard
// wants to know whose they are; no other program has anything to do with the status.

import { describe, expect, test } from "vitest";
import { meanSquaredError } from "../../src/index.ts";
import { initializer } from "../../src/initializer.ts";
import type { Layer } from "../../src/op/layer.ts";
import type { Attributes } from "../../src/op/op.ts";
import { guard } from "../../src/optim/controller/guard.ts";
import { lossPlateau } from "../../src/optim/controller/loss-plateau.ts";
import { adam } from "../../src/optim/rule/adam.ts";
import { type Command, kernelsOf } from "../../src/step/command.ts";
import type { Program } from "../../src/step/program.ts";
import { plainUpdate } from "../../src/step/update.ts";
import { modelCases } from "../reference/model-case.ts";
import { apply } from "../reference/ops.ts";
import type { ModelCase } from "../reference/traced-model.ts";
import { programOf } from "./program.ts";

const zeros = initializer("test", "zeros");
/** A layer that trains the image which it puts into an op. */
const into = (op: string, attributes: Attributes = {}, filter?: readonly number[]): Layer => ({
  kind: "test",
  apply(scope, x) {
    const given = [scope.parameter("image", x.shape, zeros)];
    if (filter !== undefined) given.push(scope.parameter("filter", filter, zeros));
    return apply(scope, op, given, attributes);
  },
});

const window = { stride: [1, 1], padding: "valid" };
const image = { input: [6, 5, 2], batch: 3, loss: meanSquaredError() };
const cases: Readonly<Record<string, ModelCase>> = {
  ...modelCases,
  "a trained image under a filter": { ...image, model: into("conv2d", window, [1, 1, 2, 3]) },
  "a trained image under a pool": {
    ...image,
    model: into("maxPool2d", { ...window, kernel: [1, 1] }),
  },
  "a trained image under relu": { ...image, model: into("relu") },
  "a trained prediction": {
    ...image,
    model: { kind: "test", apply: (scope, x) => scope.parameter("image", x.shape, zeros) },
  },
};

const storing = ({ recording }: Program) =>
  recording.commands
    .flatMap(kernelsOf)
    .filter(({ bindings }) => bindings.some(({ arena, access }) => arena === "gradients" && access === "readWrite"));
const asks = ({ bindings }: Command): boolean =>
  bindings.some(({ arena, access }) => arena === "metrics" && access === "readWrite");

/** Of sums of rows: where each stands, from where the shader sees the arena, and 1 + its row. */
const sumsOf = ({ holes: { SUMS = "" } }: Command) =>
  [...String(SUMS).matchAll(/, (\d+)u, (\d+)u\)/g)].map((found) => [Number(found[1]), Number(found[2])] as const);

/** Rows that a command asks for, and where it stores gradients. */
const rowsOf = (command: Command): number[] => [
  ...sumsOf(command).map(([, row]) => row - 1),
  ...command.bindings.flatMap(({ arena, offset }) => (arena === "rowNumbers" && offset > 0 ? [offset / 256 - 1] : [])),
];
const placesOf = (command: Command): number[] => {
  const offsets = command.bindings.flatMap(({ arena, offset }) => (arena === "gradients" ? [offset / 4] : []));
  const sums = sumsOf(command).map(([place]) => (offsets[0] as number) + place);
  return sums.length > 0 ? sums : offsets;
};

describe.each(Object.entries(cases))("%s", (_, { model, ...options }) => {
  const update = plainUpdate(adam().rule);

  test("a training step asks every gradient, by its own row", () => {
    const program = programOf(model, options);
    const found = storing(program);
    expect(found.length).toBeGreaterThan(0);
    expect(found.every(asks)).toBe(true);
    const rows = found.flatMap(rowsOf);
    expect(rows.toSorted((a, b) => a - b)).toEqual([...program.parameters.keys()]);
    expect(rows.map((row) => program.layout.tensors[row]?.offset)).toEqual(found.flatMap(placesOf));
  });

  test("nothing is asked under a guard, nor for gradients alone; a loss halts where something is trained", () => {
    const programs = [
      programOf(model, { ...options, update: { ...update, layers: 1, controllers: [lossPlateau(), guard()] } }),
      programOf(model, { ...options, mode: "gradients" }),
      programOf(model, { ...options, mode: "evaluate" }),
    ];
    for (const program of programs) expect(storing(program).some(asks)).toBe(false);
    const halts = programs.map(
      ({ recording }) =>
        recording.commands.flatMap(kernelsOf).find(({ kernel }) => kernel === "metrics")?.holes.HALTING,
    );
    expect(halts).toEqual([true, false, false]);
  });
});
