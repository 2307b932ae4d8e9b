// Recurrent cells over sequences [B, T, ..]. The input comes multiplied, for all steps at once; what has to go step by step is one
// node, whose kernel runs once for each. The skeleton of both ways is one text each, in which a cell stands.

import gru from "../../shaders/parts/gru.wgsl?raw";
import lstm from "../../shaders/parts/lstm.wgsl?raw";
import math from "../../shaders/parts/math.wgsl?raw";
import previousSource from "../../shaders/previous.wgsl?raw";
import source from "../../shaders/recurrent.wgsl?raw";
import backwardSource from "../../shaders/recurrent-backward.wgsl?raw";
import type { DeviceFacts } from "./kernel.ts";
import { matmul } from "./matmul.ts";
import { defineOp, type Kernel, type Known, type Op, type Way } from "./op.ts";
import { reshape } from "./reshape.ts";
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
}

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

const kernelOf = /* @__NO_SIDE_EFFECTS__ */ ({ name, text, memory }: Cell): Kernel<In | Out> => ({
  name: "recurrent",
  source,
  choose({ tensors, attributes, device }) {
    const { x, u, h0 } = tensors;
    const wide = isWide(u, device);
    const constants = constantsOf(x, (u.shape[0] as number) / (wide ? 4 : 1), attributes as Direction);
    return {
      holes: { WIDE: wide, MATH: math, CELL: text, MEMORY: memory, START: h0 !== undefined },
      constants,
      grid: constants.BATCH * constants.UNITS,
      times: constants.STEPS,
      note: `${name} ${dims(x)} ${dims(u)}`,
    };
  },
});

const backwardKernelOf = /* @__NO_SIDE_EFFECTS__ */ ({ name, text, memory }: Cell): Kernel<BackIn | BackOut> => ({
  name: "recurrent-backward",
  source: backwardSource,
  choose({ tensors, attributes, device }) {
    const { from, start, ...direction } = attributes as Back;
    const { kept, u, dx, dgates, dh0, dc0, ...arrived } = tensors;
    const wide = isWide(u, device);
    const constants = constantsOf(kept, (u.shape[0] as number) / (wide ? 4 : 1), direction);
    const names = from.split(" ");
    const came = (name: string): boolean => names.includes(name);
    return {
      holes: {
        WIDE: wide,
        MATH: math,
        CELL: text,
        MEMORY: memory,
        START: start,
        DY: came("y"),
        DH: came("h"),
        DC: came("c"),
      },
      constants,
      tensors: {
        ...{ kept, u },
        ...Object.fromEntries(names.map((name, i) => [`d${name}`, Object.values(arrived)[i] as Tensor])),
        ...(memory ? { gates_h: dx, carried: dc0 } : { gates_x: dx, gates_h: dgates, carried: dh0 }),
        ...(memory && start && { dh0 }),
      },
      grid: constants.BATCH * constants.UNITS,
      times: constants.STEPS + (start ? 1 : 0),
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
    outputs: cell.memory ? ["dx", "dc0", "dh0"] : ["dx", "dgates", "dh0"],
    shape({ kept, u }, { start }) {
      const [batch = 1, steps = 1] = kept.shape;
      const [units = 1, gates = 1] = u.shape;
      const [sequence, state] = [{ shape: [batch, steps, gates] }, { shape: [batch, units] }];
      return cell.memory
        ? { dx: sequence, dc0: state, ...(start && { dh0: state }) }
        : { dx: sequence, dgates: sequence, dh0: state };
    },
    kernel: backwardKernelOf(cell),
  });

/** The way back of both cells: step by step for the gates, then the products and sums over all steps. */
function back(
  backward: Op<BackIn, BackOut, Back>,
  known: Known<In, Out>,
  { attributes, give, emit }: Way<In, Direction>,
): void {
  const { y, u, kept, h0 } = known;
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
  give("u", () => {
    const before = rows(emit(previous, { y, ...(h0 && { h0 }) } as Tensors<"y" | "h0">, attributes).p);
    const [units = 1, columns = 1] = u.shape;
    const splits = splitsFor(units, columns, before.shape[0] as number);
    const partial = emit(matmul, { a: before, b: rows(dgates) }, { transposeA: true, splits }).c;
    return splits === 1 ? partial : emit(sumPartials, { x: partial }).y;
  });
  give("b", () => emit(columnSum, { x: dgates }).y);
  give("h0", () => made.dh0);
  give("c0", () => made.dc0);
}

/** A cell over all steps; what the two have in common. */
const stepsOf = /* @__NO_SIDE_EFFECTS__ */ (cell: Cell, backward: Op<BackIn, BackOut, Back>): Op<In, Out, Direction> =>
  defineOp<In, Out, Direction>({
    name: `${cell.name}Steps`,
    inputs: cell.memory ? ["x", "u", "h0", "c0"] : ["x", "u", "b", "h0"],
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
    back: (known, way) => back(backward, known, way),
    work: ({ x, u }) => size(x.shape) * (u.shape[0] as number),
    kernel: kernelOf(cell),
  });

const lstmCell: Cell = { name: "lstm", text: lstm, memory: true };
const gruCell: Cell = { name: "gru", text: gru, memory: false };

export const lstmStepsBackward = backwardOf(lstmCell);
export const gruStepsBackward = backwardOf(gruCell);

/**
 * An LSTM over all steps: x [B, T, 4 H] is the input by its weight with the bias, gates i f g o beside each other, u [H, 4 H] the
 * recurrent weight, h0 and c0 [B, H] what it begins with, both or neither. Gives y [B, T, H], h and c [B, H] after the last step, and
 * what the way back needs.
 */
export const lstmSteps = stepsOf(lstmCell, lstmStepsBackward);

/** A GRU over all steps, as `lstmSteps`: gates r z n, and b [3 H], which is added to the hidden units by u [H, 3 H]. */
export const gruSteps = stepsOf(gruCell, gruStepsBackward);
