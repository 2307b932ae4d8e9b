// Checkpoints: all that decides the next step goes out and comes back, and a file of another model, another training or
// nobody at all is refused with a CheckpointError that says what differs.

import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  CheckpointError,
  cosineAnnealingLR,
  type Edit,
  OptionError,
  oneCycleMomentum,
  sgd as sgdOf,
} from "../../src/index.ts";
import {
  type Checkpoint,
  encodeCheckpoint,
  encodeWeights,
  openCheckpoint,
  type Sections,
  weightsOf,
} from "../../src/io/checkpoint.ts";
import { decodeCheckpoint, type Expected, type Wanted } from "../../src/io/load.ts";
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from "../../src/io/safetensors.ts";
import { type RuleSpec, type Signature, type SignatureParts, signatureOf } from "../../src/io/signature.ts";
import type { Training } from "../../src/io/training.ts";
import type { RowState } from "../../src/optim/row.ts";

const [weight, bias] = ["head.weight", "head.bias"] as const;
const shapes = { [weight]: [2, 3], [bias]: [3] };
const wanted = (role: string, tensors: Readonly<Record<string, readonly number[]>> = shapes): Wanted[] =>
  Object.entries(tensors).map(([name, shape]) => ({ role, name, shape }));

const sgd: RuleSpec = { name: "sgd", options: { momentum: 0.9 } };
const adamw: RuleSpec = { name: "adamw", options: { betas: [0.9, 0.999] } };
const parts: SignatureParts = {
  input: [2],
  batch: 16,
  accumulate: 1,
  loss: { op: "softmaxCrossEntropy" },
  seed: 7,
  clip: undefined,
  control: [],
  averaging: false,
  base: [],
  momentum: undefined,
  rules: { [weight]: sgd, [bias]: sgd },
  schedules: { [weight]: cosineAnnealingLR({ steps: 100 }), [bias]: () => 1 },
};
const signature = signatureOf(parts);

const expected: Expected = {
  tensors: [...wanted("parameters"), ...wanted("moment1")],
  rows: [
    { name: weight, layer: "head", lr: 0.5, multiplier: 1, weightDecay: 0 },
    { name: bias, layer: "head", lr: 0.5, multiplier: 1, weightDecay: 0 },
  ],
  signature,
};

const numbers = (shape: readonly number[], from: number): StoredTensor => ({
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => from + i / 3),
});

/** Numbers for all tensors, others in each. */
function sectionsOf(tensors: readonly Wanted[]): Sections {
  const sections = new Map<string, Map<string, StoredTensor>>();
  for (const [i, { role, name, shape }] of tensors.entries()) {
    sections.set(role, (sections.get(role) ?? new Map()).set(name, numbers(shape, 10 * i)));
  }
  return sections;
}

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
const training: Training = {
  step: 12,
  place: { epoch: 1, position: 4, runEpoch: 1, batch: 16, accumulate: 1, count: 200, shuffle: true },
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

const checkpoint: Checkpoint = { sections: sectionsOf(expected.tensors), signature, training };
const bytes = encodeCheckpoint(checkpoint);

/** What loading says, as a text; any error but a CheckpointError is thrown on. */
function refusal(file: Uint8Array, held: Expected = expected, allow: readonly string[] = []): string {
  try {
    decodeCheckpoint(file, held, allow);
    return "accepted";
  } catch (error) {
    if (error instanceof CheckpointError) return error.message;
    throw error;
  }
}

describe("a checkpoint", () => {
  test("comes back as it went out", () => {
    const found = decodeCheckpoint(bytes, expected);
    expect(found).toEqual({ form: 2, ...checkpoint });
  });

  test("has the same bytes after a journey, and whatever the order of its parts", () => {
    expect(encodeCheckpoint(decodeCheckpoint(bytes, expected))).toEqual(bytes);
    const turned = <T extends object>(record: T): T => Object.fromEntries(Object.entries(record).reverse()) as T;
    const other = {
      sections: new Map(
        [...checkpoint.sections].map(([role, byName]) => [role, new Map([...byName].reverse())] as const),
      ),
      signature: turned(signature),
      training: turned({ ...training, rows: turned(training.rows), place: turned(training.place) }),
    };
    expect(encodeCheckpoint(other)).toEqual(bytes);
  });

  test("names its weights as the model does, and its other roles in front of the name", () => {
    const { tensors, metadata } = decodeSafetensors(bytes);
    expect([...tensors.keys()]).toEqual(["head.bias", "head.weight", "moment1/head.bias", "moment1/head.weight"]);
    const { format, gradus, checksum } = metadata;
    expect([format, checksum]).toEqual(["gradus-2", expect.stringMatching(/^[0-9a-f]{8}$/)]);
    expect(JSON.parse(gradus as string)).toEqual({
      sections: [
        { role: "moment1", dtype: "F32" },
        { role: "parameters", dtype: "F32" },
      ],
      signature,
      training,
    });
  });

  test("keeps tensors that belong to no weight, and misses them where they are needed", () => {
    const state = { role: "control", name: "state", shape: [3] };
    const held = { ...expected, tensors: [...expected.tensors, state] };
    const file = encodeCheckpoint({ ...checkpoint, sections: sectionsOf(held.tensors) });
    expect(decodeCheckpoint(file, held).sections.get("control")).toEqual(new Map([["state", numbers([3], 40)]]));
    expect(refusal(bytes, held)).toContain("lacks control/state");
    expect(refusal(file)).toContain("this model has no control/state");
    const longer = { ...expected, tensors: [...expected.tensors, { ...state, shape: [4] }] };
    expect(refusal(file, longer)).toContain('"control/state" has shape [3], this model needs [4]');
  });

  test("says without a model what it holds", () => {
    const { form, sections, signature: found } = openCheckpoint(bytes);
    expect([form, found.input, [...sections.keys()]]).toEqual([2, [2], ["parameters", "moment1"]]);
    expect(weightsOf(bytes).get(weight)?.data).toEqual(checkpoint.sections.get("parameters")?.get(weight)?.data);
    expect([...weightsOf(bytes).keys()].sort()).toEqual([bias, weight]);
  });

  test("may hold weights alone, which others read and `load` refuses", () => {
    const weights = checkpoint.sections.get("parameters") as ReadonlyMap<string, StoredTensor>;
    const file = encodeWeights(weights, [2]);
    expect([...decodeSafetensors(file).tensors.keys()]).toEqual([bias, weight]);
    expect(openCheckpoint(file)).toMatchObject({ form: 2, signature: { input: [2] }, training: undefined });
    expect(new Map([...weightsOf(file)].map(([name, { data }]) => [name, data]))).toEqual(
      new Map([...weights].map(([name, { data }]) => [name, data])),
    );
    expect(refusal(file)).toBe(
      "checkpoint: it holds weights alone. Use transfer() for its weights, or a file that trainer.save() wrote.",
    );
  });

  test("of somebody else is weights, whatever they are called", () => {
    const tensors = new Map([["block1/conv/kernel", numbers([2], 1)]]);
    for (const metadata of [{}, { format: "pt" }]) {
      expect([...weightsOf(encodeSafetensors({ tensors, metadata })).keys()]).toEqual(["block1/conv/kernel"]);
    }
  });

  test("of any state comes back, to the same bytes", () => {
    const name = fc.constantFrom("a", "b.0.weight", "10", "constructor", "toString");
    const tensor = fc
      .array(fc.float(), { maxLength: 4 })
      .map((data) => ({ shape: [data.length], data: Float32Array.from(data) }));
    const byName = fc
      .dictionary(name, tensor, { noNullPrototype: true })
      .map((found) => new Map(Object.entries(found)));
    const some = fc.record({
      weights: byName,
      more: byName,
      step: fc.nat(),
      position: fc.nat(),
      count: fc.option(fc.nat()),
      options: fc.dictionary(name, fc.jsonValue({ maxDepth: 2 }), { noNullPrototype: true }),
    });
    fc.assert(
      fc.property(some, ({ weights, more, step, position, count, options }) => {
        const sections: Sections = new Map([
          ["parameters", weights],
          ...(more.size > 0 ? [["base", more] as const] : []),
        ]);
        const mine = {
          sections,
          signature: { ...signature, options },
          training: {
            ...{ step, edits },
            place: { ...training.place, position, count },
            rows: Object.fromEntries([...weights.keys()].map((one) => [one, row])),
          },
        };
        const held = {
          tensors: [...sections].flatMap(([role, found]) =>
            [...found].map(([one, { shape }]) => ({ role, name: one, shape })),
          ),
          rows: [...weights.keys()].map((one) => ({ name: one, layer: "head", lr: 1, multiplier: 1, weightDecay: 0 })),
          signature: mine.signature,
        };
        const file = encodeCheckpoint(mine);
        const found = decodeCheckpoint(file, held);
        expect(found.training).toEqual(mine.training);
        expect(Buffer.compare(encodeCheckpoint(found), file)).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  test("with any byte changed is refused, or holds what it held", { timeout: 60_000 }, () => {
    let refused = 0;
    for (let at = 0; at < bytes.length; at++) {
      for (const flip of [1, 0x20, 0x80]) {
        const file = bytes.slice();
        (file[at] as number) ^= flip;
        const said = refusal(file);
        if (said === "accepted")
          expect(decodeCheckpoint(file, expected), `byte ${at}`).toEqual(decodeCheckpoint(bytes, expected));
        else refused++;
      }
    }
    expect(refused).toBeGreaterThan(3 * bytes.length - 30);
  });

  test("that was cut anywhere is refused", () => {
    for (let length = 0; length < bytes.length; length++)
      expect(refusal(bytes.subarray(0, length))).toMatch(/^checkpoint: /);
  });
});

describe("a checkpoint of another training says every difference", () => {
  const held = (change: Partial<SignatureParts>, more: Signature = {}): Expected => ({
    ...expected,
    signature: { ...signatureOf({ ...parts, ...change }), ...more },
  });

  test.each<[key: string, change: Partial<SignatureParts>, says: string]>([
    ["batch", { batch: 8 }, "batch is 16, here 8"],
    ["accumulate", { accumulate: 2 }, "accumulate is nothing, here 2"],
    ["clip", { clip: { norm: 1 } }, 'clip is nothing, here {"norm":1}'],
    ["loss", { loss: { op: "meanSquaredError" } }, 'loss op is "softmaxCrossEntropy", here "meanSquaredError"'],
    ["seed", { seed: 8 }, "seed is 7, here 8"],
    ["input", { input: [2, 1] }, "input is [2], here [2,1]"],
    ["control", { control: [{ name: "guard" }] }, 'control is nothing, here [{"name":"guard"}]'],
    ["averaging", { averaging: true }, "averaging is nothing, here true"],
    [
      "momentum",
      { momentum: oneCycleMomentum({ steps: 9 }) },
      'momentum is nothing, here {"name":"oneCycleMomentum","options":',
    ],
    [
      "rules",
      { rules: { [weight]: sgd, [bias]: { ...sgd, options: { momentum: 0.8 } } } },
      "rules head.bias options momentum is 0.9, here 0.8",
    ],
    [
      "rules",
      { rules: { [weight]: { ...sgd, options: {} }, [bias]: { ...sgd, options: {} } } },
      "rules head.bias, head.weight options momentum is 0.9, here nothing",
    ],
    [
      "schedules",
      { schedules: { ...parts.schedules, [weight]: cosineAnnealingLR({ steps: 200 }) } },
      "schedules head.weight options steps is 100, here 200",
    ],
    [
      "schedules",
      { schedules: { ...parts.schedules, [bias]: cosineAnnealingLR({ steps: 200 }) } },
      'schedules head.bias is {"name":"custom","options":{}}, here {"name":"cosineAnnealingLR"',
    ],
  ])("%s", (key, change, says) => {
    expect(refusal(bytes, held(change))).toContain(`checkpoint: it was made otherwise: ${says}`);
    expect(refusal(bytes, held(change))).toContain(`load(bytes, { allow: ["${key}"] }).`);
    expect(refusal(bytes, held(change), [key])).not.toContain("otherwise");
  });

  test("all of them at once, but for those that may differ", () => {
    const change = held({ batch: 8, seed: 1, clip: { norm: 2 } });
    expect(refusal(bytes, change, ["seed"])).toMatchInlineSnapshot(
      `"checkpoint: it was made otherwise: batch is 16, here 8; clip is nothing, here {"norm":2}. Compile as it was made, or say what may differ: load(bytes, { allow: ["batch","clip"] })."`,
    );
    expect(refusal(bytes, change, ["clip", "seed", "batch"])).toBe("accepted");
  });

  test("rules of two layers that were swapped", () => {
    const file = encodeCheckpoint({
      ...checkpoint,
      signature: signatureOf({ ...parts, rules: { [weight]: sgd, [bias]: adamw } }),
    });
    expect(refusal(file, held({ rules: { [weight]: adamw, [bias]: sgd } }))).toMatchInlineSnapshot(
      `"checkpoint: it was made otherwise: rules head.bias is {"name":"adamw","options":{"betas":[0.9,0.999]}}, here {"name":"sgd","options":{"momentum":0.9}}; rules head.weight is {"name":"sgd","options":{"momentum":0.9}}, here {"name":"adamw","options":{"betas":[0.9,0.999]}}. Compile as it was made, or say what may differ: load(bytes, { allow: ["rules"] })."`,
    );
  });

  test("but no rate and no decay of a rule, which the rows have", () => {
    const rules = (lr: number) => ({ [weight]: sgdOf({ lr, momentum: 0.9, weightDecay: lr }).spec, [bias]: sgd });
    const file = encodeCheckpoint({ ...checkpoint, signature: signatureOf({ ...parts, rules: rules(1) }) });
    expect(refusal(file, held({ rules: rules(3) }))).toBe("accepted");
  });

  test("a key of a newer version, on either side", () => {
    const file = encodeCheckpoint({ ...checkpoint, signature: { ...signature, precision: "f16" } });
    expect(refusal(file)).toContain('precision is "f16", here nothing');
    expect(refusal(file, expected, ["precision"])).toBe("accepted");
    expect(refusal(bytes, held({}, { precision: "f16" }))).toContain('precision is nothing, here "f16"');
    expect(refusal(bytes, held({}, { precision: undefined }))).toBe("accepted");
  });

  test("a key of the training or the place of a newer version is passed over by nobody", () => {
    const newer = (change: object) =>
      encodeCheckpoint({ ...checkpoint, training: { ...training, ...change } as Training });
    expect(refusal(newer({ draw: 3 }))).toMatchInlineSnapshot(
      `"checkpoint: its training state has draw, which this version does not know. Use the version that wrote it, or transfer() for the weights alone."`,
    );
    expect(refusal(newer({ place: { ...training.place, shard: 1 } }))).toContain("its place in the data has shard");
    expect(refusal(newer({ rows: { ...training.rows, [bias]: { ...row, more: 1 } } }))).toContain(
      '"head.bias" has more',
    );
  });

  test("and what may differ is a key", () => {
    const allowing = (allow: unknown) => () => decodeCheckpoint(bytes, expected, allow as string[]);
    expect(allowing(["batchs"])).toThrow(OptionError);
    expect(allowing(["batchs"])).toThrow(/allow has "batchs".* Did you mean "batch"\? It may have input, batch, /);
    for (const odd of ["batch", null, { batch: true }, [null], [["batch"]]]) expect(allowing(odd)).toThrow(OptionError);
    expect(allowing(["clip", "momentum"])).not.toThrow();
  });
});

describe("another base is refused, whatever is allowed", () => {
  const based = signatureOf({ ...parts, base: [bias, weight] });
  const ofBase: Expected = {
    tensors: [...wanted("parameters", { other: [1] }), ...wanted("base")],
    rows: [{ name: "other", layer: "", lr: 0.5, multiplier: 1, weightDecay: 0 }],
    signature: based,
  };
  const said = (found: string, here: string) =>
    `checkpoint: it was made otherwise: base is ${found}, here ${here}. Compile with the same base, or use transfer() for its weights.`;

  test("where the trainer has one, before the tensors that it therefore lacks", () => {
    expect(refusal(bytes, ofBase)).toBe(said("nothing", "head.bias, head.weight"));
    expect(refusal(bytes, ofBase, ["rules", "schedules"])).toBe(said("nothing", "head.bias, head.weight"));
  });

  test("where the file has one, also of other tensors", () => {
    const file = encodeCheckpoint({ ...checkpoint, signature: based });
    expect(refusal(file, expected)).toBe(said("head.bias, head.weight", "nothing"));
    const other = { ...expected, signature: signatureOf({ ...parts, base: [bias] }) };
    expect(refusal(file, other, ["base"])).toBe(said("head.bias, head.weight", "head.bias"));
    expect(refusal(file, { ...expected, signature: based })).toBe("accepted");
  });

  test("and its weights are a section, which comes with the others where weights are asked for", () => {
    const sections = new Map([...checkpoint.sections, ["base", new Map([["stem.weight", numbers([2], 9)]])]]);
    const file = encodeCheckpoint({ ...checkpoint, sections, signature: based });
    const { data } = weightsOf(file).get("stem.weight") as StoredTensor;
    expect([...data]).toEqual([...numbers([2], 9).data]);
    expect([...decodeSafetensors(file).tensors.keys()]).toContain("base/stem.weight");
  });
});

describe("differences that are allowed", () => {
  const held = (change: Partial<SignatureParts>, tensors: readonly Wanted[]): Expected => ({
    ...expected,
    tensors,
    signature: signatureOf({ ...parts, ...change }),
  });

  test("another rule begins anew, on its own tensors alone", () => {
    const rules = { [weight]: sgd, [bias]: adamw };
    const start = () => Float32Array.of(5, 5, 5);
    const moments = [
      ...wanted("moment1"),
      ...wanted("moment2").map((one) => (one.name === bias ? { ...one, start } : one)),
    ];
    const all = held({ rules }, [...wanted("parameters"), ...moments]);
    expect(refusal(bytes, all)).toContain("rules head.bias is {");
    const { sections, training: found } = decodeCheckpoint(bytes, all, ["rules"]);
    expect(sections.get("parameters")).toEqual(checkpoint.sections.get("parameters"));
    expect(sections.get("moment1")?.get(weight)).toEqual(checkpoint.sections.get("moment1")?.get(weight));
    expect(sections.get("moment1")?.get(bias)?.data).toEqual(new Float32Array(3));
    expect(sections.get("moment2")?.get(weight)?.data).toEqual(new Float32Array(6));
    expect(sections.get("moment2")?.get(bias)?.data).toEqual(Float32Array.of(5, 5, 5));
    expect(found.rows).toEqual({
      ...training.rows,
      [bias]: { ...training.rows[bias], lr: 0.5, multiplier: 1, weightDecay: 0, updates: 0 },
    });
  });

  test("moments that no rule here keeps are left", () => {
    const plain = { name: "sgd", options: { momentum: 0 } };
    const all = held({ rules: { [weight]: plain, [bias]: plain } }, wanted("parameters"));
    expect([...decodeCheckpoint(bytes, all, ["rules"]).sections.keys()]).toEqual(["parameters"]);
  });

  test("means that the file lacks begin at its weights", () => {
    const all = held({ averaging: true }, [...wanted("average"), ...expected.tensors]);
    const { sections } = decodeCheckpoint(bytes, all, ["averaging"]);
    expect(sections.get("average")).toEqual(checkpoint.sections.get("parameters"));
  });

  test("what controllers know begins where it is told", () => {
    const state = { role: "control", name: "state", shape: [1], start: () => Float32Array.of(3) };
    const all = held({ control: [{ name: "guard" }] }, [...expected.tensors, state]);
    const { sections } = decodeCheckpoint(bytes, all, ["control"]);
    expect(sections.get("control")?.get("state")?.data).toEqual(Float32Array.of(3));
  });

  test("another shape of a weight is no such difference", () => {
    const all = held({ input: [3] }, [...wanted("parameters", { ...shapes, [weight]: [3, 3] }), ...wanted("moment1")]);
    expect(refusal(bytes, all, ["input"])).toContain('"head.weight" has shape [2,3], this model needs [3,3]');
  });
});

describe("a checkpoint of another model says what differs", () => {
  const without = (name: string): Expected => ({
    ...expected,
    tensors: expected.tensors.filter((one) => one.name !== name),
  });

  test("a tensor more", () => {
    const more = { role: "parameters", name: "stem.weight", shape: [1] };
    expect(refusal(bytes, { ...expected, tensors: [...expected.tensors, more] })).toMatchInlineSnapshot(
      `"checkpoint: it lacks stem.weight. It holds head.bias, head.weight. Load it into the model that saved it, or use transfer()."`,
    );
  });

  test("a tensor less", () => {
    expect(refusal(bytes, without(bias))).toMatchInlineSnapshot(
      `"checkpoint: this model has no head.bias. Load it into the model that saved it, or use transfer()."`,
    );
  });

  test("another role", () => {
    expect(refusal(bytes, { ...expected, tensors: wanted("parameters") })).toMatchInlineSnapshot(
      `"checkpoint: this model has no moment1/head.bias, moment1/head.weight. Load it into the model that saved it, or use transfer()."`,
    );
    const second = { ...expected, tensors: [...expected.tensors, ...wanted("moment2")] };
    expect(refusal(bytes, second)).toContain("it lacks moment2/head.weight, moment2/head.bias.");
  });

  test("another shape", () => {
    const turned = {
      ...expected,
      tensors: [...wanted("parameters", { ...shapes, [weight]: [3, 2] }), ...wanted("moment1")],
    };
    expect(refusal(bytes, turned)).toMatchInlineSnapshot(
      `"checkpoint: "head.weight" has shape [2,3], this model needs [3,2]. Load it into the model that saved it, or use transfer()."`,
    );
  });

  test("a safetensors file of somebody else", () => {
    const { tensors } = decodeSafetensors(bytes);
    for (const metadata of [{ format: "pt" }, {}]) {
      expect(refusal(encodeSafetensors({ tensors, metadata }))).toBe(
        "checkpoint: it is a safetensors file of another program. Use transfer() for its weights, or a file that trainer.save() wrote.",
      );
    }
  });

  test("a half of a file", () => {
    expect(refusal(bytes.subarray(0, bytes.length / 2))).toMatch(
      /^checkpoint: its header claims \d+ bytes, the file has \d+\. The file is damaged or incomplete; use another copy\.$/,
    );
  });

  test("numbers that somebody changed", () => {
    const { tensors, metadata } = decodeSafetensors(bytes);
    const changed = new Map<string, StoredTensor>([...tensors, [bias, numbers([3], 9)]]);
    const file = encodeSafetensors({ tensors: changed, metadata });
    expect(refusal(file)).toMatch(
      /^checkpoint: its checksum is [0-9a-f]{8}, its content gives [0-9a-f]{8}\. The file is damaged/,
    );
    expect(() => weightsOf(file)).toThrow(/^transfer: its checksum is/);
  });

  test("a list of sections that is not what the file has", () => {
    const { metadata } = decodeSafetensors(bytes);
    const record = JSON.parse(metadata.gradus as string);
    for (const sections of [undefined, {}, [], [{ role: "parameters", dtype: "F32" }]]) {
      expect(refusal(forged({ ...record, sections }))).toContain("its list of sections cannot be read");
    }
  });
});

describe("a checkpoint of version 0.1", () => {
  const [epoch, midst] = ["epoch", "midst"].map((name) => readFileSync(`test/golden/gradus-1-${name}.safetensors`)) as [
    Buffer,
    Buffer,
  ];
  const weights = [...weightsOf(epoch)].map(([name, { shape }]) => ({ name, shape }));
  const roles = ["parameters", "moment1", "moment2", "average"];
  const held: Expected = {
    tensors: [
      ...roles.flatMap((role) => weights.map((one) => ({ role, ...one }))),
      { role: "control", name: "state", shape: [48] },
    ],
    rows: weights.map(({ name }) => ({
      ...{ name, layer: name.slice(0, name.lastIndexOf(".")) },
      ...{ lr: 1, multiplier: 1, weightDecay: 0 },
    })),
    signature: signatureOf({
      ...parts,
      seed: 5,
      rules: Object.fromEntries(weights.map(({ name }) => [name, name.startsWith("head") ? sgd : adamw])),
    }),
  };

  test("gives tensors, counters, rates and changes, to the bit", () => {
    const { tensors, metadata } = decodeSafetensors(midst);
    const { form, sections, training: found } = decodeCheckpoint(midst, held);
    const state = JSON.parse(metadata.gradus as string);
    expect(form).toBe(1);
    expect(found).toMatchObject({ step: 29, rows: state.rows, edits: state.edits });
    expect(found.rows["stem.0.weight"]).toMatchObject({ rest: [27, 33], updates: 27 });
    expect(found.edits).toHaveLength(4);
    const all = [...sections].flatMap(([role, byName]) =>
      [...byName].map(([name, { data }]) => [role === "parameters" ? name : `${role}/${name}`, data] as const),
    );
    expect(new Map(all.sort())).toEqual(new Map([...tensors].sort().map(([key, { data }]) => [key, data])));
    expect(sections.get("average")?.get("head.bias")?.data).not.toEqual(
      sections.get("parameters")?.get("head.bias")?.data,
    );
  });

  test("does not know what its place means, and says so when it was saved again", () => {
    const unknown = { epoch: 2, runEpoch: 2, batch: null, accumulate: null, count: null, shuffle: null };
    expect(decodeCheckpoint(epoch, held).training.place).toEqual({ ...unknown, position: 0 });
    const found = decodeCheckpoint(midst, held);
    expect(found.training.place).toEqual({ ...unknown, position: 5 });
    const again = decodeCheckpoint(encodeCheckpoint({ ...found, signature: held.signature }), held);
    expect([again.form, again.training.place]).toEqual([2, found.training.place]);
  });

  test("is held against the names of rules, and the seed, which may be allowed to differ", () => {
    const bare = Object.fromEntries(weights.map(({ name }) => [name, sgd]));
    const other = { ...held, signature: { ...held.signature, rules: bare } };
    expect(refusal(midst, other)).toContain('rules is "adamw, sgd", here "sgd"');
    expect(refusal(midst, { ...held, signature: { ...held.signature, seed: 1 } })).toContain("seed is 5, here 1");
    expect(refusal(midst, { ...held, signature: { ...held.signature, seed: 1 } }, ["seed"])).toBe("accepted");
    // Nobody can tell whose moments these were.
    const { sections, training: found } = decodeCheckpoint(midst, other, ["rules"]);
    expect(
      [...(sections.get("moment1") as ReadonlyMap<string, StoredTensor>).values()].every(({ data }) =>
        data.every((x) => x === 0),
      ),
    ).toBe(true);
    expect(Object.values(found.rows).map(({ updates }) => updates)).toEqual(weights.map(() => 0));
  });

  test("with any byte changed is refused or read, never anything else", () => {
    fc.assert(
      fc.property(fc.nat(midst.length - 1), fc.nat(255), (at, to) => {
        const file = new Uint8Array(midst);
        file[at] = to;
        expect(refusal(file, held)).toMatch(/^(accepted|checkpoint: .*)$/s);
      }),
      { numRuns: 1000 },
    );
  });

  test.each<[what: string, change: object]>([
    ["no progress", { progress: undefined }],
    ["a step below 0", { progress: { step: -1, epoch: 0, position: 0, runEpoch: 0 } }],
    ["a seed that is a text", { seed: "7" }],
    ["rules that are none", { optimizer: 3 }],
    ["no rows", { rows: undefined }],
    ["no changes", { edits: undefined }],
  ])("is refused with %s", (_, change) => {
    const { tensors, metadata } = decodeSafetensors(epoch);
    const gradus = JSON.stringify({ ...JSON.parse(metadata.gradus as string), ...change });
    expect(refusal(encodeSafetensors({ tensors, metadata: { ...metadata, gradus } }), held)).toMatch(
      /^checkpoint: .+ cannot be read\. Use another copy of the file\.$/,
    );
  });
});

/** The file with another record in its metadata, checksum and all, as only a program that knows the format can make it. */
function forged(record: unknown): Uint8Array {
  const text = typeof record === "string" ? record : JSON.stringify(record);
  const { tensors, metadata } = decodeSafetensors(bytes);
  const made = (checksum: string) => encodeSafetensors({ tensors, metadata: { ...metadata, gradus: text, checksum } });
  try {
    openCheckpoint(made("none"));
    return made("none");
  } catch (error) {
    return made(/content gives (\w+)/.exec(String(error))?.[1] ?? "none");
  }
}

describe("a training state that no trainer wrote is refused", () => {
  const recordText = decodeSafetensors(bytes).metadata.gradus as string;
  const changed = (part: object): Uint8Array =>
    forged({ ...JSON.parse(recordText), training: { ...training, ...part } });
  const rowOf = (part: object): Uint8Array => changed({ rows: { ...training.rows, "head.bias": { ...row, ...part } } });

  test.each<[what: string, file: Uint8Array]>([
    ["no JSON", forged("{")],
    ["null", forged("null")],
    ["a key that stands twice", forged(recordText.replace('"step":12', '"step":12,"step":13'))],
    ["depth", forged(`${"[".repeat(1e5)}${"]".repeat(1e5)}`)],
    ["no signature", forged({ ...JSON.parse(recordText), signature: undefined })],
    ["a signature that is a list", forged({ ...JSON.parse(recordText), signature: [] })],
    ["no place", changed({ place: undefined })],
    ["a place that is a list", changed({ place: [] })],
    ["a step below 0", changed({ step: -1 })],
    ["half a position", changed({ place: { ...training.place, position: 0.5 } })],
    ["no batch", changed({ place: { ...training.place, batch: undefined } })],
    ["a count that is a text", changed({ place: { ...training.place, count: "200" } })],
    ["an order that is a number", changed({ place: { ...training.place, shuffle: 1 } })],
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

  test("and one whose schedule is not here, such as a bundle leaves out, by its name", () => {
    const schedule = { name: "local", options: { schedule: { name: "nobody" } } };
    const change = { ...edits[0], kind: "set", change: { schedule } };
    for (const file of [rowOf({ schedule }), changed({ edits: [change] })]) {
      expect(refusal(file)).toMatch(/^checkpoint: .+ has a schedule that is not here: there is no "nobody"\./);
    }
  });

  test("whatever stands in it", () => {
    const part = fc.oneof(fc.constantFrom<unknown>(-1, 0.5, 1e308, 2 ** 53, null, "", {}, []), fc.jsonValue());
    const where = fc.constantFrom("step", "place", "rows", "edits");
    const inner = fc.constantFrom("epoch", "position", "batch", "shuffle", "head.weight", "__proto__");
    fc.assert(
      fc.property(where, inner, part, fc.boolean(), (key, below, value, deep) => {
        const old = training[key as keyof Training];
        const text = deep && typeof old === "object" ? `{${JSON.stringify(below)}:${JSON.stringify(value)},` : "";
        const whole = JSON.stringify(old);
        const changedPart = text === "" || Array.isArray(old) ? JSON.stringify(value) : text + whole.slice(1);
        const rest = JSON.stringify({ ...training, [key]: undefined }).slice(0, -1);
        const { sections } = JSON.parse(recordText);
        const file = forged(
          `{"sections":${JSON.stringify(sections)},"signature":${JSON.stringify(signature)},"training":${rest},"${key}":${changedPart}}}`,
        );
        if (refusal(file) !== "accepted") return;
        const { place, rows, step } = decodeCheckpoint(file, expected).training;
        for (const count of [step, place.epoch, place.position, place.runEpoch]) {
          expect(count >= 0 && Number.isSafeInteger(count)).toBe(true);
        }
        expect(Object.getPrototypeOf(place)).toBe(Object.prototype);
        expect(Object.keys(rows).sort()).toEqual(["head.bias", "head.weight"]);
      }),
      { numRuns: 500 },
    );
  });

  test("and a signature of whatever is refused with a text, however deep", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true }), (found) => {
        const file = forged({ ...JSON.parse(recordText), signature: found });
        expect(refusal(file)).toMatch(/^checkpoint: it was made otherwise: /);
      }),
      { numRuns: 300 },
    );
    const proto = recordText.replace('"batch":16', '"__proto__":{"batch":16}');
    expect(refusal(forged(proto))).toContain("__proto__ is");
    expect(refusal(forged(proto))).toContain("batch is nothing, here 16");
  });
});
