// Whole recordings as a person reads them, the counts of dispatches that we promise, and what freezing takes out of a
// step. A snapshot that changes is a change of what runs on the device: look at each line before accepting it.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  conv2d,
  dense,
  flatten,
  functional,
  gelu,
  maxPool2d,
  meanSquaredError,
  print,
  relu,
  residual,
  sequential,
  sgd,
  tanh,
} from "../../src/index.ts";
import { kernelsOf } from "../../src/step/command.ts";
import type { Program } from "../../src/step/program.ts";
import { plainUpdate } from "../../src/step/update.ts";
import { programOf, referencePrograms } from "./program.ts";
import { modelOf, steps } from "./random-model.ts";

const printed = (program: Program): string => `\n${print(program.recording)}\n`;

describe("a step in print", () => {
  test("of a chain of dense layers", () => {
    const model = sequential({ body: [dense(8), relu()], head: dense(3) });
    expect(printed(programOf(model))).toMatchInlineSnapshot(`
      "
      train: 7 commands, 4 activation arenas (0.00 MB planned, 0.00 MB at least, 0.00 MB naive), 1 submit
        0  gather                                  [32x6]                                 grid 3x1x1  data.x data.order data.y -> activations1 activations3
        1  matmul                          body.0  [32x6] x [6x8] +bias +relu             grid 1x1x1  activations1 parameters parameters@1024 -> activations2
        2  matmul + softmax-cross-entropy  head    [32x8] x [8x3] +bias + [32x3]          grid 1x1x1  parameters@2048 activations2 activations3 -> activations0 activations1@1280 activations1@768
        3  metrics + matmul                head    [32x2] + [32x8]^T x [32x3] +columnSum  grid 2x1x1  activations1@1280 activations2 activations1@768 -> metrics gradients@2048 gradients@3072
        4  matmul                          head    [32x3] x [8x3]^T +reluBackward         grid 1x1x1  activations1@768 parameters@2048 activations2 -> activations0
        5  matmul                          body.0  [32x6]^T x [32x8] +columnSum           grid 1x1x1  activations1 activations0 -> gradients gradients@1024 metrics
        6  adam                                    adam: 4 rows, 4 blocks                 grid 4x1x1  blocks gradients metrics -> parameters moment1 moment2
      "
    `);
  });

  test("of a convolutional network", () => {
    const model = sequential({
      stem: [conv2d(8, { padding: "same" }), relu(), maxPool2d(2)],
      body: [conv2d(6, { stride: 2, bias: false }), tanh(), flatten()],
      head: dense(10),
    });
    expect(printed(programOf(model, { input: [12, 12, 3] }))).toMatchInlineSnapshot(`
      "
      train: 12 commands, 4 activation arenas (0.27 MB planned, 0.26 MB at least, 0.48 MB naive), 1 submit
         0  gather                                  [32x12x12x3]                                                                 grid 54x1x1   data.x data.order data.y -> activations3 activations1@73728
         1  conv2d                          stem.0  [32x12x12x3] * [3x3x3x8] 3x3 +bias                                           grid 1x144x1  activations3 parameters parameters@1024 -> activations0
         2  max-pool2d                      stem.2  [32x12x12x8] 2x2 stride 2x2 of relu                                          grid 36x1x1   activations0 -> activations1 activations1@36864
         3  conv2d                          body.0  [32x6x6x8] * [3x3x8x6] 3x3 stride 2x2 +tanh                                  grid 1x8x1    activations1 parameters@2048 -> activations3@55296
         4  matmul + softmax-cross-entropy  head    [32x24] x [24x10] +bias + [32x10]                                            grid 1x2x1    parameters@4096 activations3@55296 activations1@73728 -> activations0 activations2@1280 activations2
         5  metrics + matmul                head    [32x2] + [32x24]^T x [32x10] +columnSum + [32x10] x [24x10]^T +tanhBackward  grid 6x1x1    activations2@1280 activations3@55296 activations2 parameters@4096 -> metrics gradients@4096 gradients@5120 activations0
         6  conv2d-backward-filter          body.0  [32x6x6x8] * [32x2x2x6] 3x3 stride 2x2                                       grid 1x5x1    activations1 activations0 -> gradients@2048 metrics
         7  conv2d-backward-input           body.0  [32x2x2x6] * [3x3x8x6] 3x3 stride 2x2                                        grid 1x36x1   activations0 parameters@2048 -> activations1
         8  max-pool2d-backward             stem.2  [32x6x6x8] 2x2 stride 2x2                                                    grid 36x1x1   activations1 activations1@36864 -> activations0
         9  conv2d-backward-filter          stem.0  [32x12x12x3] * [32x12x12x8] 3x3 in 32 parts +columnSum                       grid 1x7x16   activations3 activations0 -> activations1 activations1@27648
        10  sum-rows                                2 sums of rows                                                               grid 5x1x1    activations1 -> gradients metrics
        11  adam                                    adam: 5 rows, 6 blocks                                                       grid 6x1x1    blocks gradients metrics -> parameters moment1 moment2
      "
    `);
  });

  test("of a residual network with plain SGD on numbers", () => {
    const model = sequential({ first: dense(16), block: residual([dense(16), gelu()]), last: dense(2) });
    const options = { loss: meanSquaredError(), update: plainUpdate(sgd().rule) };
    expect(printed(programOf(model, options))).toMatchInlineSnapshot(`
      "
      train: 10 commands, 3 activation arenas (0.01 MB planned, 0.01 MB at least, 0.01 MB naive), 1 submit
        0  gather                       [32x6]                                                     grid 3x1x1  data.x data.order data.y -> activations2@2048 activations1@2048
        1  matmul              first    [32x6] x [6x16] +bias                                      grid 1x1x1  activations2@2048 parameters parameters@1024 -> activations1
        2  matmul              block.0  [32x16] x [16x16] +bias kept +gelu +add                    grid 1x2x1  activations1 parameters@2048 parameters@3072 activations1 -> activations0 activations2
        3  matmul              last     [32x16] x [16x2] +bias                                     grid 1x1x1  activations0 parameters@4096 parameters@5120 -> activations1@2304
        4  mean-squared-error           [32x2]                                                     grid 1x1x1  activations1@2304 activations1@2048 -> activations0@2048 activations2@2816
        5  metrics + matmul    last     [32x2] + [32x16]^T x [32x2] +columnSum                     grid 2x1x1  activations0@2048 activations0 activations2@2816 -> metrics gradients@4096 gradients@5120
        6  matmul              last     [32x2] x [16x2]^T kept +geluBackward                       grid 1x1x1  activations2@2816 parameters@4096 activations2 -> activations1@2048 activations0
        7  matmul              block.0  [32x16]^T x [32x16] +columnSum + [32x16] x [16x16]^T +add  grid 3x1x1  activations1 activations1@2048 activations0 parameters@2048 -> metrics gradients@2048 gradients@3072 activations2
        8  matmul              first    [32x6]^T x [32x16] +columnSum                              grid 1x1x1  activations2@2048 activations2 -> gradients gradients@1024 metrics
        9  sgd                          sgd: 6 rows, 6 blocks                                      grid 6x1x1  blocks gradients metrics -> parameters
      "
    `);
  });

  test("of a graph with branches and shared weights", () => {
    const shared = dense(6);
    const model = functional((x, { use, add }) => {
      const once = use("left", tanh(), use("shared", shared, x));
      const twice = use("shared", shared, once);
      return use("head", dense(4), add(once, use("right", relu(), twice)));
    });
    expect(printed(programOf(model))).toMatchInlineSnapshot(`
      "
      train: 11 commands, 4 activation arenas (0.00 MB planned, 0.00 MB at least, 0.01 MB naive), 1 submit
         0  gather                                  [32x6]                                                              grid 3x1x1  data.x data.order data.y -> activations2 activations0@768
         1  matmul                          shared  [32x6] x [6x6] +bias +tanh                                          grid 1x1x1  activations2 parameters parameters@1024 -> activations1
         2  matmul                          shared  [32x6] x [6x6] +bias +relu                                          grid 1x1x1  activations1 parameters parameters@1024 -> activations2@768
         3  elementwise                             [32x6] +add                                                         grid 1x1x1  activations1 activations2@768 -> activations0
         4  matmul + softmax-cross-entropy  head    [32x6] x [6x4] +bias + [32x4]                                       grid 1x1x1  parameters@2048 activations0 activations0@768 -> activations3 activations1@768 activations2@1536
         5  metrics + matmul                head    [32x2] + [32x6]^T x [32x4] +columnSum + [32x4] x [6x4]^T            grid 3x1x1  activations1@768 activations0 activations2@1536 parameters@2048 -> metrics gradients@2048 gradients@3072 activations3
         6  elementwise                     right   [32x6] +reluBackward                                                grid 1x1x1  activations3 activations2@768 -> activations0
         7  matmul                          shared  [32x6]^T x [32x6] +columnSum + [32x6] x [6x6]^T +add +tanhBackward  grid 2x1x1  activations1 activations0 activations3 parameters -> activations2@1792 activations2@1536 activations2@768
         8  matmul                          shared  [32x6]^T x [32x6] +columnSum +add                                   grid 1x1x1  activations2 activations2@768 activations2@1792 -> gradients activations0 metrics
         9  elementwise                             [6] +add                                                            grid 1x1x1  activations2@1536 activations0 -> gradients@1024 metrics
        10  adam                                    adam: 4 rows, 4 blocks                                              grid 4x1x1  blocks gradients metrics -> parameters moment1 moment2
      "
    `);
  });

  test("of evaluation and of prediction", () => {
    const model = sequential({ body: [dense(8), relu()], head: dense(3) });
    expect(printed(programOf(model, { mode: "evaluate" }))).toMatchInlineSnapshot(`
      "
      evaluate: 4 commands, 3 activation arenas (0.00 MB planned, 0.00 MB at least, 0.00 MB naive), 1 submit
        0  gather                                  [32x6]                         grid 3x1x1  data.x data.order data.y -> activations0 activations1@1024
        1  matmul                          body.0  [32x6] x [6x8] +bias +relu     grid 1x1x1  activations0 parameters parameters@1024 -> activations1
        2  matmul + softmax-cross-entropy  head    [32x8] x [8x3] +bias + [32x3]  grid 1x1x1  parameters@2048 activations1 activations1@1024 -> activations0 activations2
        3  metrics                                 [32x2]                         grid 1x1x1  activations2 -> metrics
      "
    `);
    expect(printed(programOf(model, { mode: "predict" }))).toMatchInlineSnapshot(`
      "
      predict: 3 commands, 2 activation arenas (0.00 MB planned, 0.00 MB at least, 0.00 MB naive), 1 submit
        0  gather          [32x6]                      grid 3x1x1  data.x data.order -> activations0
        1  matmul  body.0  [32x6] x [6x8] +bias +relu  grid 1x1x1  activations0 parameters parameters@1024 -> activations1
        2  matmul  head    [32x8] x [8x3] +bias        grid 1x1x1  activations1 parameters@2048 parameters@3072 -> activations0
      "
    `);
  });
});

describe("the number of dispatches", () => {
  const count = (program: Program): number => program.recording.commands.length;

  test("stays at 12 for the reference mlp and 25 for the cnn", () => {
    expect(count(referencePrograms.mlp())).toBeLessThanOrEqual(12);
    expect(count(referencePrograms.cnn())).toBeLessThanOrEqual(25);
  });

  test("has one update for any number of layers", () => {
    const deep = sequential(Array.from({ length: 50 }, () => dense(6)));
    const updates = programOf(deep).recording.commands.filter(({ kernel }) => kernel === "adam");
    expect(updates).toHaveLength(1);
  });
});

describe("freezing", () => {
  const model = sequential({ one: [dense(8), relu()], two: [dense(8), relu()], three: dense(3) });
  const tensors = ["one.0.weight", "one.0.bias", "two.0.weight", "two.0.bias", "three.weight", "three.bias"];
  const frozen = (...layers: string[]) =>
    programOf(model, { frozen: new Set(tensors.filter((name) => layers.some((layer) => name.startsWith(layer)))) });
  /** Kernels of the backward pass with the layer that they serve: what stands between the metrics and the update. */
  const backward = ({ recording: { commands } }: Program): string[] => {
    const kernels = commands.slice(0, -1).flatMap(kernelsOf);
    const from = kernels.findIndex(({ kernel }) => kernel === "metrics") + 1;
    return kernels.slice(from).map(({ layer, note }) => `${layer}: ${note}`);
  };

  test("nothing leaves three layers with a gradient each, and two that pass theirs on", () => {
    expect(backward(frozen())).toEqual([
      "three: [32x8]^T x [32x3] +columnSum",
      "three: [32x3] x [8x3]^T +reluBackward",
      "two.0: [32x8]^T x [32x8] +columnSum",
      "two.0: [32x8] x [8x8]^T +reluBackward",
      "one.0: [32x6]^T x [32x8] +columnSum",
    ]);
  });

  test("the layer at the input takes its backward pass and the way to it out of the step", () => {
    expect(backward(frozen("one"))).toEqual([
      "three: [32x8]^T x [32x3] +columnSum",
      "three: [32x3] x [8x3]^T +reluBackward",
      "two.0: [32x8]^T x [32x8] +columnSum",
    ]);
  });

  test("a layer in the middle keeps passing its gradient on", () => {
    expect(backward(frozen("two"))).toEqual([
      "three: [32x8]^T x [32x3] +columnSum",
      "three: [32x3] x [8x3]^T +reluBackward",
      "two.0: [32x8] x [8x8]^T +reluBackward",
      "one.0: [32x6]^T x [32x8] +columnSum",
    ]);
  });

  test("one tensor of a layer leaves the other its gradient", () => {
    const program = programOf(model, { frozen: new Set(["one.0.weight"]) });
    expect(backward(program).at(-1)).toBe(": 1 sums of rows");
    expect(program.recording.commands.at(-2)?.kernel).toBe("sum-rows");
    expect(tensors.map((_, row) => program.takesPart(row))).toEqual([false, true, true, true, true, true]);
  });

  test("everything leaves neither a backward pass nor an update", () => {
    const program = frozen("one", "two", "three");
    expect(program.recording.commands.at(-1)?.kernel).toBe("metrics");
    expect(tensors.some((_, row) => program.takesPart(row))).toBe(false);
  });

  test("moves no weight in memory", () => {
    const places = (program: Program) => program.layout.tensors.map(({ name, offset }) => [name, offset]);
    expect(places(frozen("two"))).toEqual(places(frozen()));
  });

  test("a layer whose output nobody uses has no part in the step", () => {
    const unused = functional((x, { use }) => {
      use("aside", dense(4), x);
      return use("head", dense(3), x);
    });
    const { parameters, takesPart } = programOf(unused);
    expect(parameters.map(({ name }, row) => [name, takesPart(row)])).toEqual([
      ["aside.weight", false],
      ["aside.bias", false],
      ["head.weight", true],
      ["head.bias", true],
    ]);
  });
});

describe("every command", () => {
  test("of any graph reads from no arena that it writes to", () => {
    const layers = [dense(6), relu(), tanh(), gelu()];
    const property = fc.property(steps, fc.boolean(), (drawn, software) => {
      const { recording } = programOf(modelOf(drawn, layers, [dense(2)]), { batch: 3, software });
      for (const { bindings } of recording.commands) {
        const written = bindings.filter(({ access }) => access === "readWrite").map(({ arena }) => arena);
        expect(bindings.filter(({ access, arena }) => access === "read" && written.includes(arena))).toEqual([]);
      }
    });
    fc.assert(property, { numRuns: 40 });
  });

  test.each(["mlp", "cnn"] as const)("of %s binds each number once, to a slice inside its arena", (name) => {
    const { arenas, commands } = referencePrograms[name]().recording;
    for (const { kernel, bindings, grid } of commands) {
      expect(new Set(bindings.map(({ number }) => number)).size, kernel).toBe(bindings.length);
      for (const { arena, offset, bytes } of bindings) {
        expect(offset % 256).toBe(0);
        const room = arenas.get(arena);
        if (room !== undefined) expect(offset + bytes).toBeLessThanOrEqual(room);
      }
      expect(Math.min(...grid)).toBeGreaterThanOrEqual(1);
    }
  });

  test("survives a journey through JSON: a recording is plain data", () => {
    const { commands } = referencePrograms.cnn().recording;
    expect(JSON.parse(JSON.stringify(commands))).toEqual(commands);
  });
});
