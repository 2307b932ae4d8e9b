// Running means of the weights on the GPU, with a share for each row, against f64; those of rows that do not move go on towards their weights.

import { describe, expect, test } from "vitest";
import { guard } from "../../src/optim/controller/guard.ts";
import { adamw } from "../../src/optim/rule/adam.ts";
import { sgd } from "../../src/optim/rule/sgd.ts";
import type { UpdateSettings } from "../../src/step/update.ts";
import { checkSequence, type Left, type Sequence } from "./sequence.ts";

const layers = [[1, 3], [255, 256, 257], [511], [1000]];
const isBad = (step: number): boolean => step === 4;
const isFrozen = (step: number, row: number): boolean => row === 3 && (step === 2 || step === 3);
/** Row 5 goes wrong at step 5, where somebody watches. */
const spoilt = (usual: Float64Array, step: number, row: number): Float64Array =>
  row === 5 && step === 5 ? usual.map(() => Number.NaN) : usual;

const meanOf = (left: Left, row: number): Float32Array => left.arenas.get("average")![row]!;

describe.each<[string, Partial<UpdateSettings>]>([
  ["by itself", {}],
  ["with controllers", { controllers: [guard({ rest: 2 })] }],
])("%s", (_, more) => {
  const guarded = more.controllers !== undefined;
  const settings = { ...more, average: true };
  const base: Sequence = {
    layers,
    optimizers: [adamw({ lr: 0.05 })],
    settings,
    isBad,
    isFrozen,
    ...(guarded && { gradient: spoilt }),
  };

  test("has a share for each row", async () => {
    for (const scale of [1, 1e-4, 1e4])
      await checkSequence({ ...base, scale, shareOf: (row) => [0.5, 0.001, 1, 0.9999][row % 4]! });
  });

  test("goes on where a row is frozen or rests, and stays where it has no share, and everywhere in a step that is bad", async () => {
    const left = await checkSequence({ ...base, shareOf: (row) => (row === 4 ? 0 : 0.25) });
    for (const [i, one] of left.entries()) {
      const step = i + 1;
      for (const row of layers.flat().keys()) {
        const stays = isBad(step) || row === 4;
        const before = i === 0 ? new Float32Array(layers.flat()[row]!) : meanOf(left[i - 1]!, row);
        if (stays) expect(meanOf(one, row)).toEqual(before);
        else expect(meanOf(one, row)).not.toEqual(before);
      }
    }
  });

  test("is the weights themselves where the share is 1", async () => {
    const left = await checkSequence({ ...base, shareOf: () => 1, optimizers: [sgd()] });
    expect(left[0]!.arenas.get("average")).toEqual(left[0]!.arenas.get("parameters"));
  });
});
