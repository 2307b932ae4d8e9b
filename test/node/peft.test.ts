// Adapters by files of PEFT: what they give beside a layer is what PyTorch gives, and a file that was written is read again. What is
// damaged, or asked for wrongly, is refused by a typed error that names the place.

import { describe, expect, test } from "vitest";
import { bitFit, houlsby, loadAdapters, lora, merge, saveAdapters, unmerge } from "../../src/adapter/index.ts";
import {
  CheckpointError,
  conv2d,
  DataError,
  dense,
  embedding,
  type GradusError,
  type HostTensor,
  NameError,
  OptionError,
  ShapeError,
  sequential,
} from "../../src/index.ts";
import golden from "../golden/peft.json" with { type: "json" };
import { runModel } from "../reference/run-model.ts";
import { programOf } from "./program.ts";

type Numbers = readonly number[];

/** [N, C, H, W] as [N, H, W, C]. */
const channelsLast = (data: Numbers, [n, c, h, w]: readonly [number, number, number, number]): number[] =>
  Array.from({ length: n * c * h * w }, (_, at) => {
    const [i, y, x, k] = [Math.floor(at / (h * w * c)), Math.floor(at / (w * c)) % h, Math.floor(at / c) % w, at % c];
    return data[((i * c + k) * h + y) * w + x] as number;
  });
const tensor = (shape: Numbers, data: Numbers): HostTensor => ({ shape, data: Float32Array.from(data) });
const plain = (data: Numbers): Numbers => data;

/** For each kind the layer, a sample's shape, the weight's shape, and how numbers of PyTorch stand here. */
const kinds = {
  dense: {
    layer: dense(5, { bias: false }),
    x: { shape: [4] },
    weight: (data: Numbers) =>
      tensor(
        [4, 5],
        Array.from({ length: 20 }, (_, i) => data[(i % 5) * 4 + Math.floor(i / 5)]!),
      ),
    input: plain,
    output: plain,
  },
  conv2d: {
    layer: conv2d(4, { kernel: 3, stride: 2, padding: 1, bias: false }),
    x: { shape: [6, 5, 3] },
    weight: (data: Numbers) =>
      tensor(
        [3, 3, 3, 4],
        Array.from({ length: 108 }, (_, i) => data[(i % 4) * 27 + (Math.floor(i / 4) % 3) * 9 + Math.floor(i / 12)]!),
      ),
    input: (data: Numbers) => channelsLast(data, [2, 3, 6, 5]),
    output: (data: Numbers) => channelsLast(data, [2, 4, 3, 3]),
  },
  embedding: {
    layer: embedding(7, 4),
    x: { shape: [3], classes: 7 },
    weight: (data: Numbers) => tensor([7, 4], data),
    input: plain,
    output: plain,
  },
};

describe.each(golden.cases)("adapters of PEFT beside $name", ({ kind, x, weight, names, a, b, y }) => {
  const { layer, ...own } = kinds[kind as keyof typeof kinds];
  const factors = new Map(Object.entries(names).map(([name, shape], i) => [name, tensor(shape, [a, b][i] as Numbers)]));
  const loaded = loadAdapters(factors);
  const model = sequential({ head: layer });

  test("give what PyTorch gives", () => {
    const weights = new Map([["head.weight", own.weight(weight)], ...loaded]);
    const adapted = lora(model, { layers: "head", rank: golden.rank, alpha: golden.alpha });
    const made = runModel(adapted, new Map([["", { ...own.x, data: own.input(x) }]]), weights).outputs.get("")!.data;
    const wanted = own.output(y);
    expect(made).toHaveLength(wanted.length);
    for (const [i, value] of wanted.entries()) expect(made[i]).toBeCloseTo(value, 6);
  });

  test("are written under the names and axes that they came with", () => {
    const saved = saveAdapters(loaded, { alpha: golden.alpha, ...(kind === "embedding" && { tables: "head" }) });
    const length = Number(new DataView(saved.bytes.buffer).getBigUint64(0, true));
    const { __metadata__: _, ...header } = JSON.parse(new TextDecoder().decode(saved.bytes.subarray(8, 8 + length)));
    expect(Object.fromEntries(Object.entries(header).map(([name, one]) => [name, Object(one).shape]))).toEqual(names);
    expect(loadAdapters(saved.bytes)).toEqual(loaded);
    const { r, lora_alpha, target_modules } = JSON.parse(saved.config);
    expect([r, lora_alpha, target_modules]).toEqual([2, 6, ["head"]]);
  });
});

const factors = new Map([
  ["head.loraA", tensor([2, 1], [1, 2])],
  ["head.loraB", tensor([1, 3], [1, 2, 3])],
]);
const whole = new Map([...factors, ["head.weight", tensor([2, 3], [0, 0, 0, 0, 0, 0])]]);

test("paths are renamed both ways", () => {
  const { bytes, config } = saveAdapters(factors, { rename: (path) => `model.${path}` });
  expect(JSON.parse(config).target_modules).toEqual(["model.head"]);
  expect(loadAdapters(bytes, { rename: (path) => path.replace("model.", "") })).toEqual(factors);
});

test("ranks that differ are said one by one", () => {
  const more = new Map([
    ...factors,
    ["body.loraA", tensor([2, 2], [1, 2, 3, 4])],
    ["body.loraB", tensor([2, 1], [1, 2])],
  ]);
  const config = JSON.parse(saveAdapters(more).config);
  expect([config.r, config.rank_pattern]).toEqual([1, { body: 2 }]);
});

const { bytes: file } = saveAdapters(factors);
const headed = (header: string, more = 0): Uint8Array => {
  const bytes = new Uint8Array(8 + header.length + more);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(new TextEncoder().encode(header), 8);
  return bytes;
};
const entry = (change: object): Uint8Array =>
  headed(JSON.stringify({ "x.lora_A.weight": { dtype: "F32", shape: [1, 2], data_offsets: [0, 8], ...change } }), 8);
const model = sequential({ body: dense(4), head: dense(3) });
const run = (adapted: typeof model) => programOf(adapted, { input: [2] });
const grouped = sequential({ wide: conv2d(4, { groups: 2 }), head: dense(2) });

const bad: readonly (readonly [what: string, run: () => unknown, kind: typeof GradusError, says: string])[] = [
  ["no model", () => lora(dense as never, { layers: "head" }), OptionError, "lora: its model is"],
  ["no options", () => lora(model, undefined as never), OptionError, "lora: its options are undefined"],
  [
    "an option that there is not",
    () => lora(model, { layers: "head", r: 4 } as never),
    OptionError,
    'lora: it has no "r"',
  ],
  ["no pattern", () => lora(model, { layers: "a b" }), OptionError, 'lora: layers: "a b" is no pattern'],
  ["no patterns", () => lora(model, { layers: [] }), OptionError, "lora: layers is an empty list"],
  [
    "a pattern that names nothing",
    () => run(lora(model, { layers: "haed" })),
    NameError,
    'lora: "haed" names no weight that goes into a product, a convolution or a table. There are body, head.',
  ],
  [
    "a rank of 0",
    () => lora(model, { layers: "head", rank: 0 }),
    OptionError,
    "rank is 0, it must be a whole number of at least 1",
  ],
  ["a rank that is not whole", () => lora(model, { layers: "head", rank: 1.5 }), OptionError, "rank is 1.5"],
  [
    "an alpha of 0",
    () => lora(model, { layers: "head", alpha: 0 }),
    OptionError,
    "alpha is 0, it must be a finite number above 0",
  ],
  [
    "a dropout of all",
    () => lora(model, { layers: "head", dropout: 1 }),
    OptionError,
    "rate is 1, it must be at least 0 and below 1",
  ],
  [
    "groups",
    () => programOf(lora(grouped, { layers: "wide" }), { input: [4, 4, 2] }),
    OptionError,
    '"wide" is a convolution in 2 groups',
  ],
  ["a bottleneck of no units", () => houlsby(model, { layers: "head", units: 0 }), OptionError, "units is 0"],
  [
    "an activation that was not called",
    () => houlsby(model, { layers: "head", activation: dense as never }),
    OptionError,
    "houlsby: activation is",
  ],
  ["a bottleneck nowhere", () => run(houlsby(model, { layers: "x" })), NameError, 'houlsby: "x" names no weight'],
  [
    "a preset's option",
    () => bitFit({ head: "head" } as never),
    OptionError,
    'bitFit: it has no "head". It may have also.',
  ],
  ["a preset's pattern", () => bitFit({ also: "" }), OptionError, 'bitFit: layers: "" is no pattern'],
  ["weights that are no Map", () => merge({} as never), DataError, "merge: its weights are no Map"],
  [
    "weights without adapters",
    () => merge(new Map([["head.weight", tensor([1], [1])]])),
    CheckpointError,
    "merge: there are no adapters among head.weight",
  ],
  [
    "a factor without the other",
    () => merge(new Map([["loraA", tensor([1, 1], [1])]])),
    CheckpointError,
    'merge: "loraA" has no "loraB" beside it',
  ],
  [
    "factors without a weight",
    () => merge(factors),
    CheckpointError,
    'merge: there is no "head.weight" for the adapter "head"',
  ],
  [
    "factors of two ranks",
    () => merge(new Map([...factors, ["head.loraB", tensor([2, 3], [1, 2, 3, 4, 5, 6])]])),
    ShapeError,
    '"head.loraA" is [2,1], of rank 1, loraB is [2,3], of rank 2',
  ],
  [
    "factors of another weight",
    () => merge(new Map([...whole, ["head.weight", tensor([3, 2], [0, 0, 0, 0, 0, 0])]])),
    ShapeError,
    '"head.weight" is [3,2], its adapters are [2,1] and [1,3]',
  ],
  ["an alpha that is none", () => merge(whole, { alpha: Number.NaN }), OptionError, "merge: alpha is null"],
  ["merged weights that are no Map", () => unmerge({} as never, factors), DataError, "unmerge: its weights are no Map"],
  ["nothing to take apart", () => unmerge(whole, new Map()), CheckpointError, "unmerge: there are no adapters"],
  ["what is no file", () => loadAdapters("adapter" as never), CheckpointError, "a file is given as its bytes"],
  ["an empty file", () => loadAdapters(new Uint8Array(3)), CheckpointError, "it has 3 bytes, a header alone needs 8"],
  [
    "a hostile header",
    () => loadAdapters(new Uint8Array(8).fill(255)),
    CheckpointError,
    "its header claims 18446744073709552000 bytes, at most 100000000 are allowed",
  ],
  ["a header that is no JSON", () => loadAdapters(headed("{")), CheckpointError, "its header is no JSON"],
  ["a header that is a list", () => loadAdapters(headed("[]")), CheckpointError, "its header is no object"],
  [
    "a file that is cut",
    () => loadAdapters(file.subarray(0, file.length - 4)),
    CheckpointError,
    '"base_model.model.head.lora_B.weight" has bytes 8 to 20, the file has 16',
  ],
  [
    "a type that is not its bytes'",
    () => loadAdapters(entry({ dtype: "F16" })),
    CheckpointError,
    '"x.lora_A.weight" of shape [1,2] needs 4 bytes, its range has 8',
  ],
  ["a hostile shape", () => loadAdapters(entry({ shape: [2 ** 40, 2] })), CheckpointError, "its range has 8"],
  [
    "a window without end around nothing",
    () =>
      loadAdapters(
        headed(JSON.stringify({ "x.lora_A.weight": { dtype: "F32", shape: [0, 1, 2 ** 50], data_offsets: [0, 0] } })),
      ),
    CheckpointError,
    '"x.loraA" has no "x.loraB" beside it',
  ],
  [
    "a range that is none",
    () => loadAdapters(entry({ data_offsets: [0] })),
    CheckpointError,
    '"x.lora_A.weight" has no valid range',
  ],
  [
    "one axis",
    () => loadAdapters(entry({ shape: [2] })),
    CheckpointError,
    '"x.lora_A.weight" is [2], it must have 2 axes at least',
  ],
  ["one factor alone", () => loadAdapters(entry({})), CheckpointError, '"x.loraA" has no "x.loraB" beside it'],
  [
    "other tensors",
    () => loadAdapters(new Map([["head.weight", tensor([1, 1], [1])]])),
    CheckpointError,
    '"head.weight" is no factor of LoRA',
  ],
  [
    "two names that become one",
    () =>
      loadAdapters(
        saveAdapters(
          new Map([...factors, ["b.loraA", factors.get("head.loraA")!], ["b.loraB", factors.get("head.loraB")!]]),
        ).bytes,
        { rename: () => "a" },
      ),
    NameError,
    'becomes "a.loraA", which another is',
  ],
];

test.each(bad)("%s", (_, act, kind, says) => {
  let caught: unknown;
  try {
    act();
  } catch (error) {
    caught = error;
  }
  expect(caught).toBeInstanceOf(kind);
  expect((caught as Error).message).toContain(says);
});
