// Checkpoints: all that decides the next step goes out and comes back, and a file of another model, another optimizer or
// nobody at all is refused with a CheckpointError that says what differs.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CheckpointError } from "../../src/index.ts";
import {
  type Arenas,
  type CheckpointState,
  decodeCheckpoint,
  type Expected,
  encodeCheckpoint,
} from "../../src/io/checkpoint.ts";
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from "../../src/io/safetensors.ts";

const expected: Expected = {
  arenas: ["parameters", "moment1"],
  tensors: [
    { name: "head.weight", shape: [2, 3] },
    { name: "head.bias", shape: [3] },
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

const row = { lr: 1e-3, multiplier: 0.75, weightDecay: 0.01, frozen: false, updates: 12 };
const state: CheckpointState = {
  seed: -7,
  optimizer: "sgd",
  progress: { step: 12, epoch: 1, position: 4, runEpoch: 1 },
  rows: { "head.weight": row, "head.bias": { ...row, weightDecay: 0, frozen: true, updates: 3 } },
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
  test("comes back as it went out", () => {
    expect(decodeCheckpoint(bytes, expected)).toEqual({ arenas: arenasOf(expected), state });
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
    const more = { name: "stem.weight", shape: [1] };
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
      `"checkpoint: its header claims 648 bytes, the file has 364. The file is damaged or incomplete; use another copy."`,
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
  ])("%s", (_, file) => {
    expect(refusal(file)).toMatch(/^checkpoint: .+ cannot be read\. Use another copy of the file\.$/);
  });

  test("whatever stands in it", () => {
    const part = fc.oneof(fc.constantFrom<unknown>(-1, 0.5, 1e308, 2 ** 53, null, "", {}, []), fc.jsonValue());
    const where = fc.constantFrom("seed", "optimizer", "progress", "rows");
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
