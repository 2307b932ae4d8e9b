// How many dispatches an update needs with what is asked for, and which of them each step runs.

import { describe, expect, test } from "vitest";
import { autoRgn } from "../../src/optim/controller/auto-rgn.ts";
import { guard } from "../../src/optim/controller/guard.ts";
import { hypergradient } from "../../src/optim/controller/hypergradient.ts";
import { lossPlateau } from "../../src/optim/controller/loss-plateau.ts";
import { updateRatio } from "../../src/optim/controller/update-ratio.ts";
import { adamw, lamb } from "../../src/optim/rule/adam.ts";
import { lars, sgd } from "../../src/optim/rule/sgd.ts";
import { when } from "../../src/step/command.ts";
import { plainUpdate, type UpdateSettings, updateCommands } from "../../src/step/update.ts";

const { apply, sampled, unsampled } = when;
const clip = { most: 1, byLayer: false };
const adamWith = (more: Partial<UpdateSettings>): UpdateSettings => ({ ...plainUpdate(adamw().rule), ...more });

/** Kernels that run in a step with these bits, where some steps may leave statistics or none. */
function run(
  settings: UpdateSettings,
  bits: number,
  options = { sampled: false, mostBlocks: 1000, software: false },
): string[] {
  const commands = updateCommands({ ...settings, layers: 2, blocks: 10, rows: 3, ...options });
  return commands.filter((command) => (command.when & bits) === command.when).map(({ kernel }) => kernel);
}

const controlled = ["norm", "row-sum", "control", "adam"];

describe.each<[string, UpdateSettings, readonly string[]]>([
  ["nothing else", adamWith({}), ["adam"]],
  ["several rules", plainUpdate(adamw().rule, sgd().rule, adamw().rule), ["adam+sgd+adam"]],
  ["clipping by value", adamWith({ clamp: 1 }), ["adam"]],
  ["momentum of the step", adamWith({ momentum: true }), ["adam"]],
  ["a running mean", adamWith({ average: true }), ["adam", "average"]],
  ["clipping by norm", adamWith({ clip }), controlled],
  ...[guard(), updateRatio(), autoRgn(), hypergradient(), lossPlateau()].map(
    (one) => [one.name, adamWith({ controllers: [one] }), controlled] as [string, UpdateSettings, readonly string[]],
  ),
  [
    "all controllers and clipping",
    adamWith({ clip, controllers: [guard(), updateRatio(), lossPlateau()] }),
    controlled,
  ],
  ["lars", plainUpdate(lars().rule), ["norm", "row-sum", "control", "trust", "sgd"]],
  ["lamb", plainUpdate(lamb().rule), ["norm", "row-sum", "control", "trust", "adam"]],
  ...[lars(), lamb()].map(
    ({ rule }) =>
      [
        `${rule.name} and clipping`,
        { ...plainUpdate(rule), clip },
        ["norm", "row-sum", "control", "norm", "row-sum", "trust", rule.kernel],
      ] as [string, UpdateSettings, readonly string[]],
  ),
])("an update with %s", (_, settings, kernels) => {
  test("has these dispatches", () => {
    expect(run(settings, apply | unsampled)).toEqual(kernels);
  });

  test("leaves statistics with two more at most, in the steps that are asked to", () => {
    const options = { sampled: true, mostBlocks: 1000, software: false };
    expect(run(settings, apply | unsampled, options)).toEqual(kernels);
    const first = kernels.includes("norm") ? [] : ["norm"];
    expect(run(settings, apply | sampled, options)).toEqual([...first, ...kernels, "row-sum"]);
  });

  test("does nothing at a micro-batch but to add it up", () => {
    const several = { ...settings, accumulate: 4 };
    for (const sampling of [false, true]) {
      const options = { sampled: sampling, mostBlocks: 1000, software: false };
      for (const bits of [sampled, unsampled]) expect(run(several, bits, options)).toEqual(["accumulate"]);
      expect(run(several, apply | unsampled, options)).toEqual(["accumulate", ...kernels]);
    }
  });

  test("has each pass over the blocks once for each part", () => {
    const parts = run(settings, apply | unsampled, { sampled: false, mostBlocks: 4, software: false });
    const isWhole = (kernel: string): boolean => ["row-sum", "control", "trust"].includes(kernel);
    expect(parts).toEqual(kernels.flatMap((kernel) => (isWhole(kernel) ? [kernel] : [kernel, kernel, kernel])));
  });
});

test("parts of an update cover all blocks once, at the bytes of their first block", () => {
  const settings = { ...adamWith({ clip, controllers: [updateRatio()], average: true, accumulate: 2 }), layers: 2 };
  const commands = updateCommands({
    ...settings,
    blocks: 150,
    rows: 3,
    sampled: true,
    mostBlocks: 64,
    software: false,
  });
  for (const kernel of ["accumulate", "norm", "adam", "average"]) {
    const own = commands.filter((command) => command.kernel === kernel);
    const lengths = own.map(({ constants, holes }) => constants.BLOCKS ?? Number(holes.BLOCKS));
    expect(lengths).toEqual([64, 64, 22]);
    for (const [part, { bindings, grid }] of own.entries()) {
      const length = lengths[part] as number;
      expect(grid).toEqual([length, 1, 1]);
      for (const { arena, offset, bytes } of bindings) {
        const stride = { blocks: 4, moved: 4, partials: 20 }[arena] ?? (bytes === 0 ? 0 : 1024);
        expect([arena, offset, bytes]).toEqual([arena, 64 * part * stride, length * stride]);
        expect(offset % 256).toBe(0);
      }
    }
  }
});

test("statistics of measured updates need no second update", () => {
  const settings = { ...adamWith({ controllers: [updateRatio()] }), layers: 2 };
  const commands = updateCommands({
    ...settings,
    blocks: 10,
    rows: 3,
    sampled: true,
    mostBlocks: 1000,
    software: false,
  });
  expect(commands.filter(({ kernel }) => kernel === "adam").map((command) => command.when)).toEqual([apply]);
  const other = updateCommands({
    ...adamWith({}),
    blocks: 10,
    rows: 3,
    sampled: true,
    mostBlocks: 1000,
    software: false,
  });
  const updates = other.filter(({ kernel }) => kernel === "adam");
  expect(updates.map(({ holes, when: bits }) => [holes.MEASURED, bits])).toEqual([
    [false, apply | unsampled],
    [true, apply | sampled],
  ]);
});
