// A thousand random changes over a thousand steps: the table of the engine against the naive one, in every row, frozen set
// and count; and the log of the run replayed on a fresh table.

import { describe, expect, test } from "vitest";
import { adamw, type Edit, type Schedule, sgd } from "../../src/index.ts";
import { settled } from "../../src/optim/counts.ts";
import { type CountedTable, createCountedTable } from "../reference/counted-table.ts";
import { randomEdit, randomness } from "../reference/random-edit.ts";
import { NaiveTable, NaiveTensor } from "../reference/rate-table.ts";

const STEPS = 1000;
const stepsPerEpoch = 40;
const LR = 1e-3;

const shapes: Readonly<Record<string, readonly [layer: string, ...shape: number[]]>> = {
  "stem.conv.weight": ["stem.conv", 3, 3, 1, 8],
  "stem.conv.bias": ["stem.conv", 8],
  "blocks.0.fc.weight": ["blocks.0.fc", 8, 8],
  "blocks.0.fc.bias": ["blocks.0.fc", 8],
  "blocks.0.norm.scale": ["blocks.0.norm", 8],
  "blocks.10.fc.weight": ["blocks.10.fc", 8, 8],
  "blocks.10.fc.bias": ["blocks.10.fc", 8],
  "head.weight": ["head", 8, 3],
  "head.bias": ["head", 3],
};
const layers = [...new Set(Object.values(shapes).map(([layer]) => layer))];
const head = sgd({ lr: 0.1, weightDecay: 0.02 });

const freshTable = (): CountedTable =>
  createCountedTable(
    Object.entries(shapes).map(([name, [layer, ...shape]]) => ({ name, layer, shape, offset: 0, length: 1 })),
    new Map(layers.map((layer, i) => [layer, i + 1])),
    adamw({ lr: LR }),
    { rates: { head: { optimizer: head } } },
  );

const freshNaive = (): NaiveTable =>
  new NaiveTable(
    Object.entries(shapes).map(([name, [layer, ...shape]]) =>
      layer === "head"
        ? new NaiveTensor(name, layer, "sgd", 0.1, 0.02)
        : new NaiveTensor(name, layer, "adamw", LR, shape.length > 1 ? 0.01 : 0),
    ),
    stepsPerEpoch,
  );

const patterns = [
  ...[...layers, ...layers, ...Object.keys(shapes)],
  ...[
    "**",
    "stem",
    "blocks",
    "blocks.*.fc",
    "blocks.1*",
    "**.bias",
    "*.bias",
    "head.**",
    "**.weight",
    "**.head.bias",
    "blocks.**.fc",
  ],
  ...["head.blocks", "stem.conv.head", "head.stem.conv.bias", "decoder", "head.weigh"],
];

const clockAt = (step: number) => ({ step, stepsPerEpoch });

function written(table: CountedTable, step: number): Float32Array {
  const floats = new Float32Array(4 * table.rows.length).fill(Number.NaN);
  table.write(floats, clockAt(step), () => true);
  return floats;
}

/** Trains and changes; everything is compared at every step. */
function run(seed: number) {
  const random = randomness(seed);
  const scope = { layers, patterns, factors: [0.1, 0.5, 0.9, 1.5, 3, -1], epochs: true };
  const table = freshTable();
  const naive = freshNaive();
  const rows: Float32Array[] = [];
  const frozen: string[][] = [];
  const customs: Schedule[] = [];
  const kinds = new Map<string, number>();
  let refused = 0;
  for (let step = 0; step < STEPS; step++) {
    table.advance(clockAt(step));
    for (let done = 0; done < 1; ) {
      const { taken, expected, schedule } = randomEdit(random, scope, table, naive, step);
      expect(taken, `step ${step}: ${JSON.stringify(table.edits().at(-1))}`).toBe(expected);
      if (!taken) {
        refused++;
        continue;
      }
      const last = table.edits().at(-1) as Edit;
      kinds.set(last.kind, (kinds.get(last.kind) ?? 0) + 1);
      if ((last.change.schedule as { name?: string } | undefined)?.name === "custom")
        customs.push(schedule as Schedule);
      done++;
    }
    const names = naive.tensors.filter((tensor) => naive.frozen(tensor, step)).map(({ name }) => name);
    expect(table.frozenAt(clockAt(step))).toEqual(names);
    expect(table.nextChange(clockAt(step))).toBe(nextTurn(naive, step));
    const floats = written(table, step);
    expect([...floats]).toEqual(naive.write(step));
    expect(
      table.rows.map((_, row) => [settled(table.counts).updates[row], settled(table.counts).trained[row]]),
    ).toEqual(naive.tensors.map(({ updates, trained }) => [updates, trained]));
    expect(table.rows.map(({ averaging }) => averaging)).toEqual(naive.tensors.map(({ averaging }) => averaging));
    rows.push(floats);
    frozen.push(names);
  }
  return { table, rows, frozen, customs, kinds, refused };
}

/** The next step at which what is frozen is not what was frozen before it, found by looking at each. */
function nextTurn(naive: NaiveTable, now: number): number {
  for (let step = now + 1; step <= now + 150; step++) {
    if (naive.tensors.some((tensor) => naive.frozen(tensor, step) !== naive.frozen(tensor, step - 1))) return step;
  }
  return Number.POSITIVE_INFINITY;
}

describe.each([1, 2, 3])("random changes, seed %i", (seed) => {
  const { table, rows, frozen, customs, kinds, refused } = run(seed);

  test("are as the reference has them, and of every kind", () => {
    expect(rows).toHaveLength(STEPS);
    expect(table.edits()).toHaveLength(STEPS);
    for (const kind of ["set", "freeze", "unfreeze", "assign", "scale"]) {
      expect(kinds.get(kind), kind).toBeGreaterThan(50);
    }
    expect(refused).toBeGreaterThan(100);
    expect(new Set(frozen.map(String)).size).toBeGreaterThan(50);
  });

  test("replayed from the log give the same bits, and the same log", () => {
    const log = JSON.parse(JSON.stringify(table.edits())) as Edit[];
    const other = freshTable();
    other.replay(log, { schedules: customs });
    for (let step = 0; step < STEPS; step++) {
      other.advance(clockAt(step));
      expect(other.frozenAt(clockAt(step))).toEqual(frozen[step]);
      expect(written(other, step)).toEqual(rows[step]);
    }
    expect(other.edits()).toEqual(log);
    expect(other.table(clockAt(STEPS))).toEqual(table.table(clockAt(STEPS)));
  });
});
