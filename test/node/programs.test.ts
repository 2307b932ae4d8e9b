// Which programs are kept: found again by what was asked for, one for each list of commands, and no more than a bound.

import { describe, expect, test } from "vitest";
import { adamw, crossEntropy, dense, relu, sequential } from "../../src/index.ts";
import { buildProgram, type Program } from "../../src/step/program.ts";
import { type Asked, createPrograms } from "../../src/step/programs.ts";
import { plainUpdate } from "../../src/step/update.ts";

const first: Asked = {
  ...{
    mode: "train",
    loss: "",
    format: { inputs: [{ bytes: false, period: 0 }], targets: [], weights: [] },
    frozen: [],
  },
  ...{ sampled: false, cached: false, perSample: false, batch: 4 },
};

/** Programs of a model of three layers, and how many were built. */
function setUp(most?: number) {
  const model = sequential({ stem: [dense(4), relu()], head: dense(2) });
  const fixed = {
    model,
    inputs: [{ name: "", shape: [3] }],
    loss: crossEntropy(),
    update: plainUpdate(adamw().rule),
    software: false,
  };
  let built = 0;
  const programs = createPrograms((asked) => {
    built++;
    return buildProgram({ ...fixed, ...asked, loss: crossEntropy(), frozen: new Set(asked.frozen) });
  }, most);
  return { programs, built: () => built };
}

describe("a program", () => {
  test("is found again by the content of what is asked for", () => {
    const { programs, built } = setUp();
    const frozen = ["stem.0.weight", "stem.0.bias"];
    const found = programs({ ...first, frozen });
    expect(programs({ ...first, format: { ...first.format }, frozen: [...frozen] })).toBe(found);
    expect(built()).toBe(1);
  });

  test.each([
    ["mode", { mode: "evaluate" }],
    ["type of its data", { format: { inputs: [{ bytes: true, period: 0 }], targets: [], weights: [] } }],
    ["period of its data", { format: { inputs: [{ bytes: false, period: 4 }], targets: [], weights: [] } }],
    ["bytes of its targets", { format: { ...first.format, targets: [{ name: "", factor: 1 }] } }],
    ["weights of its data", { format: { ...first.format, weights: [{ name: "", shape: [] }] } }],
    ["frozen set", { frozen: ["head.bias"] }],
    ["statistics", { sampled: true }],
    ["batch", { perSample: false, batch: 8 }],
  ] as [string, Partial<Asked>][])("of another %s is another one", (_, change) => {
    const { programs } = setUp();
    const found = programs(first);
    expect(programs({ ...first, ...change })).not.toBe(found);
    expect(programs(first)).toBe(found);
  });

  test("that comes to the same commands is the same", () => {
    const { programs, built } = setUp();
    const found = programs({ ...first, frozen: ["stem.0.weight", "head.bias"] });
    expect(programs({ ...first, frozen: ["head.bias", "stem.0.weight"] })).toBe(found);
    // Nothing is frozen at the input, so that nothing is cut off.
    expect(programs({ ...first, cached: true })).toBe(programs(first));
    expect(built()).toBe(4);
  });
});

describe("the least used leave", () => {
  /** Batch sizes of a long life: asks for each, and tells which had to be built. */
  function lifeOf(most: number | undefined) {
    const { programs, built } = setUp(most);
    return (batch: number, mode: Asked["mode"] = "predict"): boolean => {
      const before = built();
      programs({ ...first, mode, batch });
      return built() > before;
    };
  }

  test("and what is used stays", () => {
    const isNew = lifeOf(3);
    expect([1, 2, 3, 1, 4, 1, 3, 2].map((batch) => isNew(batch))).toEqual([
      ...[true, true, true, false, true, false, false, true],
    ]);
  });

  test("of many batch sizes and frozen sets, 64 are kept", () => {
    const isNew = lifeOf(undefined);
    const sizes = Array.from({ length: 200 }, (_, i) => i + 1);
    for (const batch of sizes) {
      isNew(batch);
      expect(isNew(4, "train")).toBe(batch === 1);
    }
    expect(sizes.toReversed().filter((batch) => !isNew(batch)).length).toBe(63);
  });
});

test("a program in use costs neither a string nor a copy of what was asked for", () => {
  const names = Array.from({ length: 100 }, (_, i) => `layer ${i}`);
  const programs = createPrograms(
    () => ({ recording: { name: "", commands: [], arenas: new Map(), results: {} } }) as unknown as Program,
  );
  const asked = { ...first, frozen: names };
  const found = programs(asked);
  const stringify = JSON.stringify;
  JSON.stringify = () => {
    throw new Error("printed");
  };
  try {
    for (let i = 0; i < 10; i++) expect(programs(asked)).toBe(found);
  } finally {
    JSON.stringify = stringify;
  }
});
