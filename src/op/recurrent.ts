// Recurrent cells over sequences [B, T, ..]. The input comes multiplied, for all steps at once; what has to go step by step is one
// node, whose kernel runs once for each. The skeleton of both ways is one text each, in which a cell stands.

import gru from "../../shaders/parts/gru.wgsl?raw";
import gruResetBefore from "../../shaders/parts/gru-reset-before.wgsl?raw";
import lstm from "../../shaders/parts/lstm.wgsl?raw";
import math from "../../shaders/parts/math.wgsl?raw";
import previousSource from "../../shaders/previous.wgsl?raw";
import source from "../../shaders/recurrent.wgsl?raw";
import backwardSource from "../../shaders/recurrent-backward.wgsl?raw";
import { concat } from "./concat.ts";
import { type DeviceFacts, each } from "./kernel.ts";
import { matmul } from "./matmul.ts";
import { defineOp, type Kernel, type Known, type Op, type Way } from "./op.ts";
import { reshape } from "./reshape.ts";
import { slice } from "./slice.ts";
import { splitsFor } from "./split.ts";
import { columnSum, sumPartials } from "./sum.ts";
import { dims, size, type Tensor, type Tensors } from "./tensor.ts";

/** What tells one cell from another. */
interface Cell {
  readonly name: string;
  /** WGSL: the gates, what a unit holds and gives, and how gradients go back through it. */
  readonly text: string;
  /** Whether a unit holds something beside its output. */
  readonly memory: boolean;
  /** Whether a step takes two runs: the last of three gates is made of what the first lets through of all units. */
  readonly staged: boolean;
  /** The gradient of the recurrent weight; `product(a, b)` is a^T b over all samples and steps. */
  readonly weight: (known: Known<In, Out>, dgates: Tensor, product: Product, way: Way<In, Direction>) => Tensor;
}

type Product = (a: Tensor, b: Tensor) => Tensor;

/** How often a kernel runs for a step. */
const stagesOf = ({ staged }: Cell): number => (staged ? 2 : 1);

/** Whether the hidden units see gates in another way than the input does: with a bias of their own, and with other gradients. */
const isApart = ({ memory, staged }: Cell): boolean => !memory && !staged;

type Direction = { readonly reverse?: boolean };
/** `from`: the outputs for which a gradient came, in their order; `start`: whether the layer was told what to begin with. */
type Back = Direction & { readonly from: string; readonly start: boolean };

type In = "x" | "u" | "b" | "h0" | "c0";
type Out = "y" | "h" | "c" | "kept";
type BackIn = "kept" | "u" | "d0" | "d1" | "d2";
type BackOut = "dx" | "dgates" | "dc0" | "dh0";

const constantsOf = ({ shape: [batch = 1, steps = 1] }: Tensor, units: number, { reverse = false }: Direction) => ({
  BATCH: batch,
  STEPS: steps,
  UNITS: units,
  REVERSE: reverse ? 1 : 0,
});

/** Whether a thread takes four units: on a CPU, which has few threads and gains by loads of four. */
const isWide = ({ shape: [units = 1] }: Tensor, { software }: DeviceFacts): boolean => software && units % 4 === 0;

/** Samples of a thread: on a CPU, whose loads take longer than its sums, several share what it loads of the weight. */
const samplesOf = ({ shape: [batch = 1] }: Tensor, { software }: DeviceFacts): number =>
  software ? Math.min(4, batch) : 1;

const kernelOf = /* @__NO_SIDE_EFFECTS__ */ (cell: Cell): Kernel<In | Out> => ({
  name: "recurrent",
  source,
  choose({ tensors, attributes, device }) {
    const { name, text, memory, staged } = cell;
    const { x, u, h0 } = tensors;
    const wide = isWide(u, device);
    const constants = constantsOf(x, (u.shape[0] as number) / (wide ? 4 : 1), attributes as Direction);
    const samples = samplesOf(x, device);
    const ofAll = (lane: string): string => each(samples, (s) => `sum${s} = added(sum${s}, hidden${s}${lane}, by);`);
    const terms = (place: string, lane: string): string => `{ let by = weights_at(${place}); ${ofAll(lane)} }`;
    return {
      holes: {
        SAMPLES: samples,
        SUMS: each(samples, (s) => `let sample${s} = min(first + ${s}, BATCH - 1); var sum${s} = begin;`),
        HIDDEN: each(samples, (s) => `let hidden${s} = multiplied(sample${s}, k);`),
        TERMS: wide ? each(4, (j) => terms(`at + ${j} * GATES * UNITS`, `[${j}]`)) : terms("at", ""),
        ALL: each(samples, (s) => `sum${s}`, ", "),
        ...{ WIDE: wide, MATH: math, CELL: text, START: h0 !== undefined },
        ...{ MEMORY: memory, STAGED: staged, BIASED: isApart(cell) },
      },
      constants,
      grid: Math.ceil(constants.BATCH / samples) * constants.UNITS,
      times: stagesOf(cell) * constants.STEPS,
      note: `${name} ${dims(x)} ${dims(u)}`,
    };
  },
});

const backwardKernelOf = /* @__NO_SIDE_EFFECTS__ */ (cell: Cell): Kernel<BackIn | BackOut> => ({
  name: "recurrent-backward",
  source: backwardSource,
  choose({ tensors, attributes, device }) {
    const { name, text, memory, staged } = cell;
    const { from, start, ...direction } = attributes as Back;
    const { kept, u, dx, dgates, dh0, dc0, ...arrived } = tensors;
    const wide = isWide(u, device);
    const constants = constantsOf(kept, (u.shape[0] as number) / (wide ? 4 : 1), direction);
    const samples = samplesOf(kept, device);
    const names = from.split(" ");
    const came = (name: string): boolean => names.includes(name);
    return {
      holes: {
        SAMPLES: samples,
        SUMS: each(samples, (s) => `let from${s} = slopes_at(min(first + ${s}, BATCH - 1)); var sum${s} = V();`),
        TERMS: each(samples, (s) => `sum${s} = added(sum${s}, gates_h[from${s} + k], by);`),
        ALL: each(samples, (s) => `sum${s}`, ", "),
        ...{ WIDE: wide, MATH: math, CELL: text, START: start },
        ...{ MEMORY: memory, STAGED: staged, APART: isApart(cell) },
        ...{ DY: came("y"), DH: came("h"), DC: came("c") },
      },
      constants,
      tensors: {
        ...{ kept, u },
        ...Object.fromEntries(names.map((name, i) => [`d${name}`, Object.values(arrived)[i] as Tensor])),
        ...(isApart(cell) ? { gates_x: dx, gates_h: dgates } : { gates_h: dx }),
        carried: memory ? dc0 : dh0,
        ...(memory && start && { dh0 }),
      },
      grid: Math.ceil(constants.BATCH / samples) * constants.UNITS,
      times: stagesOf(cell) * constants.STEPS + (start ? 1 : 0),
      note: `${name} ${dims(kept)} ${dims(u)}`,
    };
  },
});

/** P[b, t] = y[b, t - 1], and h0[b] at the first step, or zeros; in reverse y[b, t + 1], and h0[b] at the last. */
export const previous = defineOp({
  name: "previous",
  inputs: ["y", "h0"],
  optional: ["h0"],
  outputs: ["p"],
  shape: ({ y }, _: Direction) => ({ p: { shape: y.shape } }),
  kernel: {
    name: "previous",
    source: previousSource,
    choose({ tensors: { y, p, h0 }, attributes }) {
      const { BATCH, ...constants } = constantsOf(y, y.shape[2] as number, attributes as Direction);
      const LENGTH = size(y.shape);
      return {
        holes: { START: h0 !== undefined },
        constants: { ...constants, LENGTH },
        tensors: { y, p, ...(h0 && { h0 }) },
        grid: LENGTH,
      };
    },
  },
});

const backwardOf = /* @__NO_SIDE_EFFECTS__ */ (cell: Cell): Op<BackIn, BackOut, Back> =>
  defineOp<BackIn, BackOut, Back>({
    name: `${cell.name}StepsBackward`,
    inputs: ["kept", "u", "d0", "d1", "d2"],
    optional: ["d0", "d1", "d2"],
    outputs: cell.memory ? ["dx", "dc0", "dh0"] : isApart(cell) ? ["dx", "dgates", "dh0"] : ["dx", "dh0"],
    shape({ kept, u }, { start }) {
      const [batch = 1, steps = 1] = kept.shape;
      const [units = 1, gates = 1] = u.shape;
      const [sequence, state] = [{ shape: [batch, steps, gates] }, { shape: [batch, units] }];
      return cell.memory
        ? { dx: sequence, dc0: state, ...(start && { dh0: state }) }
        : { dx: sequence, ...(isApart(cell) && { dgates: sequence }), dh0: state };
    },
    kernel: backwardKernelOf(cell),
  });

/** The way back of every cell: step by step for the gates, then the products and sums over all steps. */
function back(cell: Cell, backward: Op<BackIn, BackOut, Back>, known: Known<In, Out>, way: Way<In, Direction>): void {
  const { attributes, give, emit } = way;
  const { u, kept, h0 } = known;
  const arrived = (["y", "h", "c"] as const).filter((name) => known[`d${name}`] !== undefined);
  const gradients = Object.fromEntries(arrived.map((name, i) => [`d${i}`, known[`d${name}`]]));
  const options = { ...attributes, from: arrived.join(" "), start: h0 !== undefined };
  const made = emit(backward, { kept, u, ...gradients } as Tensors<BackIn>, options);
  const dgates = made.dgates ?? made.dx;
  const rows = (x: Tensor): Tensor => {
    const [batch = 1, steps = 1, columns = 1] = x.shape;
    return emit(reshape, { x }, { shape: [batch * steps, columns] }).y;
  };
  give("x", () => made.dx);
  const product: Product = (a, b) => {
    const [batch = 1, steps = 1, units = 1] = a.shape;
    const splits = splitsFor(units, b.shape[2] as number, batch * steps);
    const partial = emit(matmul, { a: rows(a), b: rows(b) }, { transposeA: true, splits }).c;
    return splits === 1 ? partial : emit(sumPartials, { x: partial }).y;
  };
  give("u", () => cell.weight(known, dgates, product, way));
  give("b", () => emit(columnSum, { x: dgates }).y);
  give("h0", () => made.dh0);
  give("c0", () => made.dc0);
}

/** All gates see the hidden units of the step before. */
const ofHidden: Cell["weight"] = ({ y, h0 }, dgates, product, { attributes, emit }) =>
  product(emit(previous, { y, ...(h0 && { h0 }) } as Tensors<"y" | "h0">, attributes).p, dgates);

/** The gates r and z see them, n what r lets through of them: parts of one product with both, which are kept beside each other. */
const ofLetThrough: Cell["weight"] = ({ u, kept }, dgates, product, { emit }) => {
  const [units = 1] = u.shape;
  const part = (x: Tensor, ...axes: readonly (readonly [first: number, end: number])[]): Tensor => {
    const [begin, end] = [axes.map(([first]) => first * units), axes.map(([, end]) => end * units)];
    return emit(slice, { x }, { begin, end, stride: [] }).y;
  };
  const all = product(part(kept, [0, Infinity], [0, Infinity], [3, 5]), dgates);
  return emit(concat, { a: part(all, [1, 2], [0, 2]), b: part(all, [0, 1], [2, 3]) }, { axis: 1 }).y;
};

/** A cell over all steps; what all have in common. */
const stepsOf = /* @__NO_SIDE_EFFECTS__ */ (cell: Cell, backward: Op<BackIn, BackOut, Back>): Op<In, Out, Direction> =>
  defineOp<In, Out, Direction>({
    name: `${cell.name}Steps`,
    inputs: cell.memory ? ["x", "u", "h0", "c0"] : isApart(cell) ? ["x", "u", "b", "h0"] : ["x", "u", "h0"],
    optional: cell.memory ? ["h0", "c0"] : ["h0"],
    outputs: cell.memory ? ["y", "h", "c", "kept"] : ["y", "h", "kept"],
    attributes: { reverse: [false] },
    shape({ x, u }) {
      const [batch = 1, steps = 1] = x.shape;
      const [units = 1] = u.shape;
      const state = { shape: [batch, units] };
      return {
        y: { shape: [batch, steps, units] },
        ...{ h: state, ...(cell.memory && { c: state }) },
        kept: { shape: [batch, steps, 5 * units] },
      };
    },
    back: (known, way) => back(cell, backward, known, way),
    work: ({ x, u }) => size(x.shape) * (u.shape[0] as number),
    kernel: kernelOf(cell),
  });

const lstmCell: Cell = { name: "lstm", text: lstm, memory: true, staged: false, weight: ofHidden };
const gruCell: Cell = { name: "gru", text: gru, memory: false, staged: false, weight: ofHidden };
const gruResetBeforeCell: Cell = {
  name: "gruResetBefore",
  text: gruResetBefore,
  memory: false,
  staged: true,
  weight: ofLetThrough,
};

export const lstmStepsBackward = backwardOf(lstmCell);
export const gruStepsBackward = backwardOf(gruCell);
export const gruResetBeforeStepsBackward = backwardOf(gruResetBeforeCell);

/**
 * An LSTM over all steps: x [B, T, 4 H] is the input by its weight with the bias, gates i f g o beside each other, u [H, 4 H] the
 * recurrent weight, h0 and c0 [B, H] what it begins with, both or neither. Gives y [B, T, H], h and c [B, H] after the last step, and
 * what the way back needs.
 */
export const lstmSteps = stepsOf(lstmCell, lstmStepsBackward);

/** A GRU over all steps, as `lstmSteps`: gates r z n, and b [3 H], which is added to the hidden units by u [H, 3 H]. */
export const gruSteps = stepsOf(gruCell, gruStepsBackward);

/** A GRU whose r stands before the product, as `gruSteps` without b; it runs twice for a step. */
export const gruResetBeforeSteps = stepsOf(gruResetBeforeCell, gruResetBeforeStepsBackward);
