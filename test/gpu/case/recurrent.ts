// Cases of the recurrent cells and their gradients: one step and many, one unit and more than a workgroup, in both directions, with and
// without something to begin with, and with every set of gradients that may arrive.

import { between, holed } from "../../reference/numbers.ts";
import type { Case, GradientCase, Input } from "../case.ts";

interface Layer {
  readonly batch: number;
  readonly steps: number;
  readonly units: number;
}

const gates = { lstmSteps: 4, gruSteps: 3, gruResetBeforeSteps: 3 } as const;
type Name = keyof typeof gates;
const names = Object.keys(gates) as Name[];

const layers: readonly Layer[] = [
  { batch: 1, steps: 1, units: 1 },
  { batch: 3, steps: 5, units: 7 },
  { batch: 2, steps: 4, units: 8 },
  { batch: 9, steps: 2, units: 33 },
  { batch: 2, steps: 33, units: 5 },
];
const [, small, even] = layers as [Layer, Layer, Layer];

/** Weights so small that not every gate is shut or open. */
const fill = between(-0.6, 0.6);

/** x, u and, where a cell has it, b; then what it begins with. */
function inputsOf(name: Name, { batch, steps, units }: Layer, start: boolean): Input[] {
  const width = gates[name] * units;
  const state = { shape: [batch, units] };
  const own = [{ shape: [batch, steps, width] }, { shape: [units, width], fill, scaled: false }];
  const beside = { lstmSteps: [], gruSteps: [{ shape: [width] }], gruResetBeforeSteps: [] }[name];
  return [...own, ...beside, ...(start ? [state, ...(name === "lstmSteps" ? [state] : [])] : [])];
}

const forward = (name: Name, layer: Layer, attributes: Case["attributes"] = {}, start = false): Case => ({
  op: name,
  inputs: inputsOf(name, layer, start),
  attributes,
});

/** What is kept of gates lies between 0 and 1. */
function backward(name: Name, layer: Layer, from: string, { reverse = false, start = false } = {}): Case {
  const { batch, steps, units } = layer;
  const width = gates[name] * units;
  return {
    op: `${name}Backward`,
    inputs: [
      { shape: [batch, steps, 5 * units], fill: between(0.05, 0.95), scaled: false },
      { shape: [units, width], fill: between(-1 / units, 1 / units), scaled: false },
      ...from.split(" ").map((output) => ({ shape: output === "y" ? [batch, steps, units] : [batch, units] })),
    ],
    attributes: { from, start, reverse },
  };
}

const moved = ({ batch, steps, units }: Layer, reverse: boolean, start: boolean): Case => ({
  op: "previous",
  inputs: [{ shape: [batch, steps, units] }, ...(start ? [{ shape: [batch, units] }] : [])],
  attributes: { reverse },
});

export const cases: readonly Case[] = [
  ...names.flatMap((name) => [
    ...layers.map((layer) => forward(name, layer)),
    ...[false, true].flatMap((reverse) => [
      forward(name, small, { reverse }, true),
      forward(name, even, { reverse }, !reverse),
      backward(name, small, "y", { reverse, start: true }),
      backward(name, even, "y h", { reverse }),
      backward(name, small, "h", { reverse, start: reverse }),
    ]),
    ...layers.map((layer) => backward(name, layer, "y")),
    {
      ...forward(name, small, {}, true),
      inputs: inputsOf(name, small, true).with(0, { shape: [3, 5, gates[name] * 7], fill: holed() }),
      note: "with NaN",
    },
  ]),
  backward("lstmSteps", small, "y h c", { start: true }),
  backward("lstmSteps", small, "c", { reverse: true }),
  ...layers.flatMap((layer) => [false, true].map((reverse) => moved(layer, reverse, reverse || layer.steps === 1))),
  moved(small, false, true),
];

const gradient = (name: Name, layer: Layer, start: boolean, attributes: GradientCase["attributes"] = {}) => ({
  inputs: inputsOf(name, layer, start).map(({ shape }) => ({ shape, fill: between(-1.2, 1.2) })),
  attributes,
});

/** Of the first output, y. */
export const gradients = Object.fromEntries(
  names.map((name) => [
    name,
    [
      gradient(name, { batch: 2, steps: 1, units: 2 }, false),
      gradient(name, { batch: 3, steps: 4, units: 2 }, false),
      gradient(name, { batch: 2, steps: 3, units: 3 }, true),
      gradient(name, { batch: 2, steps: 3, units: 2 }, true, { reverse: true }),
    ],
  ]),
);
