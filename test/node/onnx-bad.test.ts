// Bad ONNX files: each kind is refused by an error that says where, and what was found in the place of what; nothing is made of it.

import { describe, expect, test } from "vitest";
import { CheckpointError, NameError, OptionError } from "../../src/index.ts";
import { modelSchema } from "../../src/onnx/file.ts";
import { fromOnnx, type OnnxOptions } from "../../src/onnx/index.ts";
import type { Message } from "../../src/onnx/wire.ts";
import { encode } from "../../src/onnx-out/encode.ts";

const floats = (dims: readonly number[], name: string): Message => ({
  ...{ dims, name, type: 1 },
  floats: Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => (i % 7) / 7 - 0.5),
});
const floatsOf = (values: readonly number[], name: string): Message => ({
  ...{ dims: [values.length], name, type: 1, floats: values },
});
const longs = (values: readonly number[], name: string): Message => ({
  dims: [values.length],
  name,
  type: 7,
  longs: values,
});
const info = (name: string, dims: readonly (number | string)[], element = 1): Message => ({
  name,
  type: {
    tensor: {
      element,
      shape: { dim: dims.map((length) => (typeof length === "number" ? { value: length } : { param: length })) },
    },
  },
});
const node = (
  op: string,
  input: readonly string[],
  output: readonly string[],
  attribute: readonly Message[] = [],
): Message => ({
  ...{ op, input, output, attribute, name: `the ${op}` },
});

interface Parts {
  readonly node?: readonly Message[];
  readonly initializer?: readonly Message[];
  readonly input?: readonly Message[];
  readonly output?: readonly Message[];
  readonly opset?: number;
  readonly sparse?: readonly Uint8Array[];
}

/** A file with one dense layer, or with what is given in the place of its parts. */
const file = (parts: Parts = {}): Uint8Array<ArrayBuffer> =>
  encode(modelSchema, {
    version: 8,
    opset: [{ domain: "", version: parts.opset ?? 13 }],
    graph: {
      node: parts.node ?? [node("MatMul", ["x", "w"], ["h"]), node("Add", ["h", "b"], ["y"])],
      initializer: parts.initializer ?? [floats([3, 2], "w"), floats([2], "b")],
      input: parts.input ?? [info("x", ["batch", 3])],
      output: parts.output ?? [info("y", ["batch", 2])],
      sparse: parts.sparse ?? [],
    },
  });

/** A node between x and y. */
const one = (
  op: string,
  attribute: readonly Message[] = [],
  initializer: readonly Message[] = [],
  x: Message = info("x", ["batch", 3]),
): Uint8Array<ArrayBuffer> =>
  file({
    node: [node(op, ["x", ...initializer.map(({ name }) => name as string)], ["y"], attribute)],
    initializer,
    input: [x],
  });

const image = info("x", ["batch", 3, 8, 8]);
const whole = file();

const bad: readonly (readonly [kind: string, bytes: () => Uint8Array, message: RegExp, options?: OnnxOptions])[] = [
  ["no bytes", () => new Uint8Array(0), /the file of 0 bytes has no graph/],
  ["something else", () => new TextEncoder().encode("<!doctype html><html></html>"), /at byte \d+: /],
  ["truncated", () => whole.slice(0, whole.length - 9), /says it has \d+ bytes, \d+ are left/],
  [
    "a length beyond all",
    () => Uint8Array.of(0x3a, 0xff, 0xff, 0xff, 0xff, 0x7f),
    /"graph" says it has 34359738367 bytes, 0 are left/,
  ],
  [
    "a number without end",
    () => Uint8Array.of(0x08, ...new Array(12).fill(0xff)),
    /more than 10 bytes, 10 are the most/,
  ],
  ["a number that goes on behind the end", () => Uint8Array.of(0x08, 0xff), /goes on behind the end, 1 bytes are left/],
  ["a wire type that there is not", () => Uint8Array.of(0x0b), /wire type 3, 0, 1, 2 and 5 are known/],
  ["the wrong wire type", () => Uint8Array.of(0x38, 1), /"graph" has the wire type 0, which it cannot have/],
  ["an opset to come", () => file({ opset: 99 }), /opset 99, 7 to 17 are read/],
  ["an opset of long ago", () => file({ opset: 3 }), /opset 3, 7 to 17 are read/],
  ["no nodes", () => file({ node: [] }), /the output "y" is made by none of 0 nodes/],
  ["no inputs", () => file({ input: [] }), /the file has 0 inputs, at least 1/],
  ["no outputs", () => file({ output: [] }), /the file has 0 outputs, at least 1/],
  [
    "an unknown operator",
    () => one("Shazam"),
    /Shazam "the Shazam": there is no operator Shazam of opset 13 here. Known are Abs, Add/,
  ],
  [
    "an operator of others",
    () => file({ node: [{ ...node("Relu", ["x"], ["y"]), domain: "com.acme" }] }),
    /Relu "the Relu": it is an operator of "com.acme"/,
  ],
  [
    "a cycle",
    () => file({ node: [node("Add", ["x", "b"], ["y"]), node("Add", ["y", "x"], ["b"])], initializer: [] }),
    /Add "the Add": it takes, by way of Add "the Add", what it makes itself/,
  ],
  [
    "a name that nobody makes",
    () => file({ node: [node("Relu", ["nothing"], ["y"])] }),
    /it takes "nothing", which no node, input or constant is called/,
  ],
  [
    "a name that two make",
    () => file({ node: [node("Relu", ["x"], ["y"]), node("Tanh", ["x"], ["y"])] }),
    /Tanh "the Tanh": it makes "y", which Relu "the Relu" makes too/,
  ],
  [
    "too few inputs",
    () => file({ node: [node("MatMul", ["x"], ["y"])] }),
    /it has no second matrix, which is its input 1; it has 1/,
  ],
  [
    "matrices that do not fit",
    () => file({ initializer: [floats([4, 2], "w"), floats([2], "b")] }),
    /its weight is \[4,2\], which takes 4 channels; it is given \[2,3\] with 3/,
  ],
  [
    "operands that do not go together",
    () => one("Mul", [], [floats([5], "b")]),
    /operands are \[2,3\] and \[5\]: 3 and 5 differ/,
  ],
  [
    "a bias of another length",
    () => one("Conv", [], [floats([4, 3, 3, 3], "w"), floats([5], "b")], image),
    /its bias has the shape \[5\], it must be \[4\]/,
  ],
  [
    "other channels",
    () => one("Conv", [], [floats([4, 2, 3, 3], "w")], image),
    /takes 2 channels; it is given \[2,3,8,8\] with 3/,
  ],
  [
    "a window larger than the image",
    () => one("Conv", [], [floats([4, 3, 9, 9], "w")], image),
    /Conv "the Conv": .*input is 8 x 8, .*the window 9 x 9/,
  ],
  [
    "pads for other axes",
    () => one("Conv", [{ name: "pads", ints: [1, 1] }], [floats([4, 3, 3, 3], "w")], image),
    /its pads are \[1,1\], 2 where 4 are needed/,
  ],
  [
    "a power of three",
    () => one("Pow", [], [floats([1], "w"), floats([1], "v")]),
    /Pow "the Pow": its inputs are \[x,w,v\], 3 where 2 are needed/,
  ],
  ["a slope for nothing", () => one("PRelu", [], []), /its inputs are \[x\], 1 where 2 are needed/],
  [
    "an image of 3 dimensions",
    () => one("Conv", [], [floats([4, 3, 1, 1, 1], "w")], info("x", ["batch", 3, 4, 4, 4])),
    /3 or 4 axes/,
  ],
  [
    "a weight with too few numbers",
    () => file({ initializer: [{ ...floats([3, 2], "w"), floats: [1, 2] }, floats([2], "b")] }),
    /"w" has the shape \[3,2\], which is 6 numbers, 2 are there/,
  ],
  [
    "a weight with too few bytes",
    () => file({ initializer: [{ dims: [3, 2], name: "w", type: 1, raw: new Uint8Array(20) }, floats([2], "b")] }),
    /"w" has the shape \[3,2\] of float, which is 24 bytes, 20 are there/,
  ],
  [
    "a weight of texts",
    () => file({ initializer: [{ dims: [1], name: "w", type: 8 }, floats([2], "b")] }),
    /is of type 8, which is not read/,
  ],
  [
    "a weight of no size",
    () => file({ initializer: [{ dims: [-3, 2], name: "w", type: 1 }, floats([2], "b")] }),
    /has the shape \[-3,2\], which no tensor can have/,
  ],
  [
    "a weight in another file",
    () =>
      file({
        initializer: [
          { dims: [3, 2], name: "w", type: 1, location: 1, external: [{ key: "location", value: "w.bin" }] },
          floats([2], "b"),
        ],
      }),
    /lies in the file "w.bin", which was not given/,
  ],
  [
    "a weight beyond the other file",
    () =>
      file({
        initializer: [
          {
            dims: [3, 2],
            name: "w",
            type: 1,
            location: 1,
            external: [
              { key: "location", value: "w.bin" },
              { key: "offset", value: "8" },
              { key: "length", value: "24" },
            ],
          },
          floats([2], "b"),
        ],
      }),
    /bytes 8 to 32 of "w.bin", which has 16/,
    { external: () => new Uint8Array(16) },
  ],
  [
    "a constant beyond all memory",
    () =>
      file({
        node: [node("ConstantOfShape", ["s"], ["c"]), node("Add", ["x", "c"], ["y"])],
        initializer: [longs([1e6, 1e6, 3], "s")],
      }),
    /ConstantOfShape "the ConstantOfShape": a constant of shape \[1000000,1000000,3\] has 3000000000000 numbers/,
  ],
  [
    "an expansion beyond all memory",
    () =>
      file({
        node: [node("Expand", ["b", "s"], ["c"]), node("Add", ["x", "c"], ["y"])],
        initializer: [{ ...longs([1], "b") }, longs([1e5, 1e5], "s")],
      }),
    /a constant of shape \[100000,100000\] has /,
  ],
  [
    "a reshape that does not hold all",
    () => one("Reshape", [], [longs([5, 7], "s")]),
    /reshapes \[\d,3\], which is \d numbers, to \[5,7\]/,
  ],
  [
    "an axis that there is not",
    () => one("Softmax", [{ name: "axis", i: 4 }]),
    /Softmax "the Softmax": its axis is 4, what it is given has 2 axes/,
  ],
  [
    "a transpose that leaves one out",
    () => one("Transpose", [{ name: "perm", ints: [0, 0] }]),
    /its perm is \[0,0\], which does not name each of 2 axes once/,
  ],
  [
    "parts that do not add up",
    () =>
      file({
        node: [node("Split", ["x", "s"], ["y", "z"], [{ name: "axis", i: 1 }])],
        initializer: [longs([1, 1], "s")],
      }),
    /it splits 3 into \[1,1\] for 2 outputs/,
  ],
  [
    "a part of nothing",
    () =>
      file({ node: [node("Slice", ["x", "a", "b"], ["y"])], initializer: [longs([0, 3], "a"), longs([9, 9], "b")] }),
    /Slice "the Slice": .*given \[2,3\]\. Nothing is left of axis 1/,
  ],
  [
    "a number beyond the axis",
    () => one("Gather", [{ name: "axis", i: 1 }], [longs([7], "i")]),
    /it takes number 7 of axis 1, which has 3/,
  ],
  [
    "joined with another length",
    () => one("Concat", [{ name: "axis", i: 1 }], [floats([5, 3, 1], "b")]),
    /Concat "the Concat": .*given \[1,2,3\] and \[5,3,1\]\. All axes but axis 1/,
  ],
  [
    "joined with another rank",
    () => one("Concat", [{ name: "axis", i: 2 }], [floats([1, 3], "b")], info("x", ["batch", 3, 2])),
    /Concat "the Concat": /,
  ],
  [
    "an axis beyond all memory that is cut",
    () => one("Pad", [], [longs([0, -1, 0, 0], "pads")], info("x", ["batch", 2 ** 40])),
    /a constant of shape \[1099511627775\] has /,
  ],
  [
    "weights that are NaN",
    () => file({ initializer: [floats([3, 2], "w"), { dims: [2], name: "b", type: 1, floats: [1, Number.NaN] }] }),
    /"b" is NaN somewhere/,
  ],
  ["an input twice", () => file({ input: [info("x", ["batch", 3]), info("x", ["batch", 3])] }), /"x" stands twice/],
  ["an output twice", () => file({ output: [info("y", ["batch", 2]), info("y", ["batch", 2])] }), /"y" stands twice/],
  [
    "a weight twice",
    () => file({ initializer: [floats([3, 2], "w"), floats([2], "b"), floats([2], "b")] }),
    /"b" stands twice/,
  ],
  [
    "an image beyond all memory",
    () =>
      file({
        node: [node("Resize", ["x", "", "s"], ["y"])],
        initializer: [floatsOf([1, 3], "s")],
        input: [info("x", ["batch", 65536])],
      }),
    /a constant of shape \[65536,196608\] has /,
  ],
  [
    "a constant that doubles",
    () =>
      file({
        node: [
          ...Array.from({ length: 30 }, (_, i) =>
            node("Concat", [`c${i}`, `c${i}`], [`c${i + 1}`], [{ name: "axis", i: 0 }]),
          ),
          node("Gather", ["c30", "x"], ["y"]),
        ],
        initializer: [floats([1, 2], "c0")],
        input: [info("x", ["batch", 3], 7)],
      }),
    /a constant of shape \[1073741824\] has 1073741824 numbers, 1048576 are the most/,
  ],
  [
    "a length that is open",
    () => file({ input: [info("x", ["batch", "features"])] }),
    /the input "x" has an axis 1 of any length/,
  ],
  ["sparse weights", () => file({ sparse: [new Uint8Array(1)] }), /1 sparse tensors, none is read/],
  [
    "a shape that is reckoned",
    () => file({ node: [node("Reshape", ["x", "x"], ["y"])] }),
    /its shape is reckoned by the network, it must be a constant/,
  ],
];

test("an axis that a Pad leaves as it is costs nothing, however long it is", async () => {
  const pads = longs([0, 0, 1, 0, 0, 0], "pads");
  const { inputShape } = await fromOnnx(one("Pad", [], [pads], info("x", ["batch", 2 ** 40, 3]))).then(({ input }) => ({
    inputShape: input,
  }));
  expect(JSON.stringify(inputShape)).toContain(String(2 ** 40));
});

describe("a bad file is refused", () => {
  test.each(bad.map(([kind, bytes, message, options = {}]) => ({ kind, bytes, message, options })))(
    "$kind",
    async ({ bytes, message, options }) => {
      const reading = fromOnnx(bytes(), options);
      await expect(reading).rejects.toThrow(message);
      await expect(reading).rejects.toThrow(CheckpointError);
    },
  );

  test("the file that they are made of is sound", async () => {
    const { report, input } = await fromOnnx(whole);
    expect(report.tensors.map(({ name }) => name)).toEqual(["the_MatMul.weight", "the_MatMul.bias"]);
    expect(input).toEqual([3]);
  });
});

describe("options that are wrong are refused", () => {
  const wrong: readonly (readonly [string, unknown, RegExp, unknown])[] = [
    ["no bytes", ["x"], /it must be a Uint8Array or an ArrayBuffer/, undefined],
    ["one that there is not", whole, /it has no "layout"/, { layout: "NHWC" }],
    ["a batch that is a number", whole, /batch is 4, it must be "free" or "none"/, { batch: 4 }],
    ["channelsLast that is a text", whole, /channelsLast is "yes"/, { channelsLast: "yes" }],
    [
      "a shape that does not fit",
      whole,
      /the shape of input "x" is \[4,4\], in the file it is \[any,3\]/,
      { input: { x: [4, 4] } },
    ],
    ["a shape of texts", whole, /Give whole numbers like that/, { input: { x: ["a"] } }],
    ["an input that there is not", whole, /there is no input "z". There are x/, { input: { z: [1] } }],
    ["an output that there is not", whole, /there is no output "z". There are y/, { outputs: ["z"] }],
    ["no function for other files", whole, /external is "w.bin", it must be a function/, { external: "w.bin" }],
  ];
  test.each(wrong)("%s", async (_, bytes, message, options) => {
    const reading = fromOnnx(bytes as Uint8Array, options as OnnxOptions);
    await expect(reading).rejects.toThrow(message);
    await expect(reading).rejects.toSatisfy((error) => error instanceof OptionError || error instanceof NameError);
  });
});
