// Checkpoints: all that decides the next step goes out and comes back, and a file of another model, another optimizer or
// nobody at all is refused with a CheckpointError that says what differs.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CheckpointError, type Edit } from "../../src/index.ts";
import {
  type Arenas,
  type CheckpointState,
  decodeCheckpoint,
  type Expected,
  encodeCheckpoint,
} from "../../src/io/checkpoint.ts";
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from "../../src/io/safetensors.ts";
import type { RowState } from "../../src/optim/row.ts";

const expected: Expected = {
  arenas: ["parameters", "moment1"],
  tensors: [
    { name: "head.weight", shape: [2, 3], layer: "head" },
    { name: "head.bias", shape: [3], layer: "head" },
  ],
  optimizer: "sgd",
};

const numbers = (shape: readonly number[], from: number): StoredTensor => ({
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => from + i / 3),
});

const arenasOf = ({ arenas, tensors }: Expected): Arenas =>
  new Map(
    arenas.map((arena, i) => [
      arena,
      new Map(tensors.map(({ name, shape }) => [name, numbers(shape, 10 * i)] as const)),
    ]),
  );

const row: RowState = {
  lr: 1e-3,
  multiplier: 0.75,
  weightDecay: 0.01,
  averaging: 0.5,
  frozen: false,
  layer: "head",
  updates: 12,
  trained: 7,
};
const edits: Edit[] = [
  {
    step: 0,
    kind: "set",
    pattern: "head",
    change: { lr: 1, until: { epochs: 2 }, schedule: { name: "custom", options: {} } },
  },
  { step: 3, kind: "freeze", pattern: "head.bias", change: {} },
  { step: 3, kind: "assign", pattern: "head.bias", change: { layer: "head" } },
  { step: 9, kind: "scale", pattern: "**", change: { factor: 0.5, floor: 1e-6, eps: 0 } },
];
const state: CheckpointState = {
  seed: -7,
  optimizer: "sgd",
  progress: { step: 12, epoch: 1, position: 4, runEpoch: 1 },
  rows: {
    "head.weight": {
      ...row,
      from: 3,
      until: { epochs: 2.5 },
      rest: [10, 20],
      schedule: { name: "custom", options: {} },
    },
    "head.bias": { ...row, weightDecay: 0, frozen: true, updates: 3, scheduleOf: "head.weight" },
  },
  edits,
};

const bytes = encodeCheckpoint(arenasOf(expected), state);

/** The same file with something else in its metadata. */
function withMetadata(metadata: Readonly<Record<string, string>>): Uint8Array {
  const { tensors, metadata: before } = decodeSafetensors(bytes);
  return encodeSafetensors({ tensors, metadata: { ...before, ...metadata } });
}

/** What loading says, as a text; any error but a CheckpointError is thrown on. */
function refusal(file: Uint8Array, wanted: Expected = expected): string {
  try {
    decodeCheckpoint(file, wanted);
    return "accepted";
  } catch (error) {
    if (error instanceof CheckpointError) return error.message;
    throw error;
  }
}

describe("a checkpoint", () => {
  test("keeps numbers that belong to no tensor, and misses them where they are needed", () => {
    const raw = new Map([["state", Float32Array.of(1, 2, 3)]]);
    const more = { ...expected, raw: [{ name: "state", length: 3 }] };
    expect(decodeCheckpoint(encodeCheckpoint(arenasOf(expected), state, raw), more).raw).toEqual(raw);
    expect(() => decodeCheckpoint(bytes, more)).toThrow(/lacks control\/state/);
    const longer = { ...expected, raw: [{ name: "state", length: 4 }] };
    expect(() => decodeCheckpoint(encodeCheckpoint(arenasOf(expected), state, raw), longer)).toThrow(
      /shape \[3\].* needs \[4\]/,
    );
  });

  test("comes back as it went out", () => {
    expect(decodeCheckpoint(bytes, expected)).toEqual({ raw: new Map(), arenas: arenasOf(expected), state });
  });

  test("has the same bytes after a journey", () => {
    const found = decodeCheckpoint(bytes, expected);
    expect(encodeCheckpoint(found.arenas, found.state)).toEqual(bytes);
  });

  test("names its weights as the model does, for other readers of safetensors", () => {
    const { tensors, metadata } = decodeSafetensors(bytes);
    expect([...tensors.keys()]).toEqual(["head.bias", "head.weight", "moment1/head.bias", "moment1/head.weight"]);
    expect(metadata.format).toBe("gradus-1");
  });

  test("gives nothing of the file but what a trainer knows", () => {
    const foreign = {
      ...state,
      seed: 1,
      more: true,
      progress: { ...state.progress, more: true },
      rows: { ...state.rows, more: row, "head.bias": { ...row, more: true } },
      edits: edits.map((edit) => ({ ...edit, more: true })),
    };
    const found = decodeCheckpoint(withMetadata({ gradus: JSON.stringify(foreign) }), expected);
    expect(found.state).toEqual({ ...state, seed: 1, rows: { ...state.rows, "head.bias": row } });
  });
});

describe("a checkpoint of something else says what differs", () => {
  const [weight, bias] = expected.tensors as [Expected["tensors"][0], Expected["tensors"][0]];

  test("another optimizer", () => {
    expect(
      refusal(bytes, { ...expected, optimizer: "adamw", arenas: [...expected.arenas, "moment2"] }),
    ).toMatchInlineSnapshot(
      `"checkpoint: it was made with sgd, this trainer uses adamw. Compile with the same optimizer."`,
    );
    expect(refusal(bytes, { ...expected, optimizer: "sgd", arenas: ["parameters"] })).toMatchInlineSnapshot(
      `"checkpoint: this model has no moment1/head.bias, moment1/head.weight. Load it into the model that saved it."`,
    );
  });

  test("a tensor more", () => {
    const more = { name: "stem.weight", shape: [1], layer: "stem" };
    expect(refusal(bytes, { ...expected, tensors: [...expected.tensors, more] })).toMatchInlineSnapshot(
      `"checkpoint: it lacks stem.weight, moment1/stem.weight. It holds head.bias, head.weight, moment1/head.bias, moment1/head.weight. Load it into the model that saved it."`,
    );
  });

  test("a tensor less", () => {
    expect(refusal(bytes, { ...expected, tensors: [weight] })).toMatchInlineSnapshot(
      `"checkpoint: this model has no head.bias, moment1/head.bias. Load it into the model that saved it."`,
    );
  });

  test("another shape", () => {
    expect(refusal(bytes, { ...expected, tensors: [{ ...weight, shape: [3, 2] }, bias] })).toMatchInlineSnapshot(
      `"checkpoint: "head.weight" has shape [2,3], this model needs [3,2]. Load it into the model that saved it."`,
    );
  });

  test("a safetensors file of somebody else", () => {
    const { tensors } = decodeSafetensors(bytes);
    expect(refusal(encodeSafetensors({ tensors, metadata: { format: "pt" } }))).toMatchInlineSnapshot(
      `"checkpoint: its format is "pt", this version reads "gradus-1". Use a file that trainer.save() wrote."`,
    );
    expect(refusal(encodeSafetensors({ tensors, metadata: {} }))).toMatchInlineSnapshot(
      `"checkpoint: its format is "unknown", this version reads "gradus-1". Use a file that trainer.save() wrote."`,
    );
  });

  test("a half of a file", () => {
    expect(refusal(bytes.subarray(0, bytes.length / 2))).toMatchInlineSnapshot(
      `"checkpoint: its header claims 1312 bytes, the file has 696. The file is damaged or incomplete; use another copy."`,
    );
  });
});

describe("a training state that no trainer wrote is refused", () => {
  const changed = (part: object): Uint8Array => withMetadata({ gradus: JSON.stringify({ ...state, ...part }) });
  const rowOf = (part: object): Uint8Array => changed({ rows: { ...state.rows, "head.bias": { ...row, ...part } } });

  test.each<[what: string, file: Uint8Array]>([
    ["no JSON", withMetadata({ gradus: "{" })],
    ["null", withMetadata({ gradus: "null" })],
    ["no progress", changed({ progress: undefined })],
    ["a step below 0", changed({ progress: { ...state.progress, step: -1 } })],
    ["half a position", changed({ progress: { ...state.progress, position: 0.5 } })],
    ["a seed that is a text", changed({ seed: "7" })],
    ["no rows", changed({ rows: undefined })],
    ["a row too few", changed({ rows: { "head.weight": row } })],
    ["a rate below 0", rowOf({ lr: -1 })],
    ["a rate that is a text", rowOf({ lr: "1e-3" })],
    ["half an update", rowOf({ updates: 0.5 })],
    ["a state that is no word", rowOf({ frozen: 0 })],
    ["no averaging", rowOf({ averaging: undefined })],
    ["an averaging above 1", rowOf({ averaging: 1.5 })],
    ["a layer of another model", rowOf({ layer: "stem" })],
    ["half an update since it began", rowOf({ trained: 0.5 })],
    ["a beginning that is a text", rowOf({ from: "3" })],
    ["half a beginning", rowOf({ from: 0.5 })],
    ["an end in minutes", rowOf({ until: { minutes: 1 } })],
    ["a rest without an end", rowOf({ rest: [3] })],
    ["a rest that is a number", rowOf({ rest: 3 })],
    ["a schedule that is a number", rowOf({ schedule: 3 })],
    ["a schedule that nobody knows", rowOf({ schedule: { name: "nobody" } })],
    ["a schedule of a tensor that is not there", rowOf({ scheduleOf: "stem.weight" })],
    ["no changes", changed({ edits: undefined })],
    ["a change that is none", changed({ edits: [3] })],
    ["a change before the one before it", changed({ edits: edits.slice().reverse() })],
    ["a change of no kind", changed({ edits: [{ ...edits[1], kind: "thaw" }] })],
    ["a change of a method of objects", changed({ edits: [{ ...edits[1], kind: "toString" }] })],
    ["a change without a pattern", changed({ edits: [{ ...edits[1], pattern: 3 }] })],
    ["a change at half a step", changed({ edits: [{ ...edits[1], step: 0.5 }] })],
    ["a change to a rate below 0", changed({ edits: [{ ...edits[0], change: { lr: -1 } }] })],
    ["a change of what is no part of a rule", changed({ edits: [{ ...edits[0], change: { more: 1 } }] })],
    ["a change to a schedule without a name", changed({ edits: [{ ...edits[0], change: { schedule: {} } }] })],
    ["a change to a layer that is a number", changed({ edits: [{ ...edits[2], change: { layer: 3 } }] })],
    ["a scale without a factor", changed({ edits: [{ ...edits[3], change: { floor: 0, eps: 0 } }] })],
    ["a freeze that says more", changed({ edits: [{ ...edits[1], change: { layer: "head" } }] })],
  ])("%s", (_, file) => {
    expect(refusal(file)).toMatch(/^checkpoint: .+ cannot be read\. Use another copy of the file\.$/);
  });

  test("whatever stands in it", () => {
    const part = fc.oneof(fc.constantFrom<unknown>(-1, 0.5, 1e308, 2 ** 53, null, "", {}, []), fc.jsonValue());
    const where = fc.constantFrom("seed", "optimizer", "progress", "rows", "edits");
    const inner = fc.constantFrom("step", "position", "head.weight", "__proto__");
    fc.assert(
      fc.property(where, inner, part, fc.boolean(), (key, below, value, deep) => {
        const old = state[key as keyof CheckpointState];
        const changedPart = deep && typeof old === "object" ? { ...old, [below]: value } : value;
        const file = changed({ [key]: changedPart });
        if (refusal(file) !== "accepted") return;
        const { progress, seed, rows } = decodeCheckpoint(file, expected).state;
        for (const count of Object.values(progress)) expect(count >= 0 && Number.isSafeInteger(count)).toBe(true);
        expect(Number.isSafeInteger(seed)).toBe(true);
        expect(Object.keys(rows).sort()).toEqual(["head.bias", "head.weight"]);
      }),
      { numRuns: 500 },
    );
  });

  test("and a file with any byte changed is refused or read, never anything else", () => {
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, to) => {
        const file = bytes.slice();
        file[at] = to;
        expect(refusal(file)).toMatch(/^(accepted|checkpoint: .*)$/s);
      }),
      { numRuns: 500 },
    );
  });
});
