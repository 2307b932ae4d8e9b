// Ops of one's own, through the door alone: a shape rule, a kernel in WGSL, a way back that is checked, and elementwise ops that
// are fused.

import { expect, test } from "vitest";
import {
  adam,
  checkGradients,
  compile,
  defineElementwise,
  defineOp,
  dense,
  type Layer,
  meanSquaredError,
  type Op,
  type Recording,
  sequential,
} from "../../src/index.ts";

const sourceOf = (way: number): string => `
override ROWS: u32;
override COLUMNS: u32;
override REVERSE: u32;
@group(0) @binding(0) var<storage, read> x: array<f32>;        // [ROWS, COLUMNS]
@group(0) @binding(1) var<storage, read_write> y: array<f32>;  // [ROWS, COLUMNS]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= ROWS) { return; }
  var sum = 0f;
  for (var i = 0u; i < COLUMNS; i++) {
    let at = id.x * COLUMNS + select(i, COLUMNS - 1 - i, REVERSE == ${way});
    sum += x[at];
    y[at] = sum;
  }
}`;

/** y[t] = the sum of x up to t; its way back sums from the other end, or from the wrong one. */
const runningSum = (isRight = true) => {
  const op: Op<"x", "y"> = defineOp({
    name: "runningSum",
    inputs: ["x"],
    outputs: ["y"],
    attributes: { reverse: [false] },
    refuse: ({ x }) => (x.shape.length === 2 ? undefined : "Its input must be rows."),
    shape: ({ x }) => ({ y: { shape: x.shape } }),
    back: ({ dy }, { attributes, give, emit }) =>
      give("x", () => emit(op, { x: dy }, { reverse: attributes.reverse !== isRight }).y),
    kernel: {
      name: "running-sum",
      source: sourceOf(1),
      choose({ tensors: { x }, attributes }) {
        const [rows = 1, columns = 1] = x.shape;
        return {
          constants: { ROWS: rows, COLUMNS: columns, REVERSE: attributes.reverse === true ? 1 : 0 },
          grid: rows,
        };
      },
    },
  });
  return op;
};

const cubeBack = defineElementwise({ name: "cubeBack", inputs: ["dz", "x"], expression: "3 * dz * x * x" });
const cube = defineElementwise({
  name: "cube",
  inputs: ["x"],
  expression: "x * x * x",
  back: ({ dz, x }, { give, emit }) => give("x", () => emit(cubeBack, { dz, x }).z),
});

const sums = (isRight?: boolean): Layer => {
  const op = runningSum(isRight);
  return { kind: "sums", apply: (scope, x) => scope.op(op, { x }).y };
};
const cubes: Layer = { kind: "cubes", apply: (scope, x) => scope.op(cube, { x }).z };
/** Its gradient comes straight from the kernel of the op. */
const summedWeights: Layer = {
  kind: "summed",
  apply: (scope, x) => scope.op(runningSum(), { x: scope.parameter("weight", x.shape, "glorotUniform") }).y,
};

const worst = (errors: ReadonlyMap<string, number>): number => Math.max(...errors.values());
const input = [5];

test("has gradients that are those of its loss, for weights before it and for the input", async () => {
  const errors = await checkGradients(sequential({ first: dense(6), sums: sums(), cubes, last: dense(2) }), { input });
  expect([...errors.keys()]).toEqual(
    expect.arrayContaining(["checkGradients.input", "first.weight", "first.bias", "last.weight", "last.bias"]),
  );
  expect(errors.size).toBe(5);
  expect(worst(errors), JSON.stringify([...errors])).toBeLessThan(0.01);
});

test("is caught where its way back is wrong", async () => {
  const errors = await checkGradients(sequential({ first: dense(6), sums: sums(false), last: dense(2) }), { input });
  expect(errors.get("last.weight")).toBeLessThan(0.01);
  expect(errors.get("first.weight")).toBeGreaterThan(0.1);
  expect(errors.get("checkGradients.input")).toBeGreaterThan(0.1);
});

const kernels = ({ commands }: Recording): string[] => commands.map(({ kernel, note }) => `${kernel} ${note}`);
const options = { input, batch: 3, loss: meanSquaredError(), optimizer: adam({ lr: 0.01 }) };

test("trains, ends in the kernel before it where it is elementwise, and refuses what does not fit", async () => {
  const trainer = await compile(sequential({ first: dense(6), cubes, sums: sums(), last: dense(2) }), options);
  const seen = kernels(trainer.recording());
  expect(seen.filter((text) => text.startsWith("running-sum")).sort()).toEqual([
    "running-sum [3x6]",
    "running-sum [3x6]",
  ]);
  expect(seen.filter((text) => / \+cube\b/.test(text))).toHaveLength(1);
  expect(seen.some((text) => text.startsWith("elementwise") && text.includes("cube "))).toBe(false);
  const x = Float32Array.from({ length: 15 }, (_, i) => Math.sin(i));
  const y = Float32Array.from({ length: 6 }, (_, i) => Math.cos(i));
  const losses: number[] = [];
  for (let i = 0; i < 40; i++) losses.push((await trainer.step({ x, y })).loss);
  trainer.dispose();
  expect(losses.at(-1)).toBeLessThan(0.5 * (losses[0] as number));
  await expect(compile(sequential({ sums: sums() }), { ...options, input: [2, 2] })).rejects.toThrow(
    'runningSum "sums": Its input must be rows.',
  );
});

test("has a gradient that is asked by the kernel that copies it: a bad one stops the step", async () => {
  const model: Layer = {
    kind: "model",
    apply: (scope, x) => summedWeights.apply(scope.child("own"), x),
  };
  const trainer = await compile(model, options);
  expect(kernels(trainer.recording()).filter((text) => text.startsWith("elementwise"))).toHaveLength(1);
  const x = new Float32Array(15);
  trainer.setWeights({ "own.weight": new Float32Array(15).fill(30) });
  // A loss of 1e36 is finite, its gradient is beyond what may take part in a step.
  const y = new Float32Array(15).fill(1e18);
  await expect(trainer.step({ x, y })).rejects.toThrow(/own\.weight/);
  expect((await trainer.weights()).get("own.weight")?.data.every((value) => value === 30)).toBe(true);
  trainer.dispose();
});

test("may see numbers in threes, of which each takes the place of four", async () => {
  const threes = defineOp({
    name: "threes",
    inputs: ["x"],
    outputs: ["y"],
    shape: ({ x }) => ({ y: { shape: [x.shape[0] as number, 1] } }),
    kernel: {
      name: "threes",
      source: `
@group(0) @binding(0) var<storage, read> x: array<vec3f>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(1)
fn main() { y[0] = dot(x[1], vec3f(1)); }`,
      choose: () => ({ grid: 1 }),
    },
  });
  const layer: Layer = { kind: "threes", apply: (scope, x) => scope.op(threes, { x }).y };
  const trainer = await compile(sequential({ layer, last: dense(1) }), { ...options, input: [8], batch: 1 });
  trainer.setWeights({ "last.weight": [1], "last.bias": [0] });
  const { data } = await trainer.predict([1, 2, 3, 4, 5, 6, 7, 8], { batch: 1 });
  expect([...data]).toEqual([18]);
  trainer.dispose();
});
