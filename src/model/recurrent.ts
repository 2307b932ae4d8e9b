// Layers that go through a sequence step by step.

import { OptionError, ShapeError } from "../errors.ts";
import { type Initializer, type InitializerName, initializer } from "../initializer.ts";
import { checkNoActivation, isValue, type Layer, type Value, type Values, where, wholeNumber } from "../op/layer.ts";
import type { Op } from "../op/op.ts";
import { gruResetBeforeSteps, gruSteps, lstmSteps } from "../op/recurrent.ts";
import { type Entry, resolved } from "../option.ts";
import { affine } from "./dense.ts";

/** Options of `lstm`, and those that `gru` has too. */
export interface RecurrentOptions {
  /** Whether the output is that of every step, [B, T, units], and not of the last one, [B, units]. Default false. */
  readonly returnSequences?: boolean;
  /** Whether the layer gives values by name: its output as `y`, and what it holds after its last step. Default false. */
  readonly returnState?: boolean;
  /** Whether it goes from the last step to the first, Keras' `goBackwards`; outputs stay where their steps are. Default false. */
  readonly reverse?: boolean;
  /** Start of the weight. Default "glorotUniform". */
  readonly initializer?: InitializerName | Initializer;
  /** Start of the recurrent weight. Default "orthogonal". */
  readonly recurrentInitializer?: InitializerName | Initializer;
}

/** Options of `gru`. */
export interface GruOptions extends RecurrentOptions {
  /** Whether the reset gate stands behind the product of the hidden units, and not before it, as Keras says it. Default true. */
  readonly resetAfter?: boolean;
}

/** Options of a recurrence that gives its output and its state by name. */
export type WithState = RecurrentOptions & { readonly returnState: true };
/** Options of a recurrence that gives its output alone. */
export type WithoutState = RecurrentOptions & { readonly returnState?: false };

/** A sequence [B, T, C], or with it what the layer holds before its first step, [B, units] each; without it that is zeros. */
export type LstmInput = Value | { readonly x: Value; readonly h: Value; readonly c: Value };
/** What `lstm` with `returnState` gives: its output, and both states after the last step, [B, units] each. */
export type LstmState = { readonly y: Value; readonly h: Value; readonly c: Value };
/** A sequence [B, T, C], or with it the state before its first step, [B, units]; without it that is zeros. */
export type GruInput = Value | { readonly x: Value; readonly h: Value };
/** What `gru` with `returnState` gives: its output, and the state after the last step, [B, units]. */
export type GruState = { readonly y: Value; readonly h: Value };

/** What tells one layer from another. */
interface Cell {
  readonly kind: "lstm" | "gru";
  /** What it holds from step to step, by the names of the op's outputs. */
  readonly states: readonly string[];
  readonly gates: number;
  readonly op: Op;
  /** Start of the bias. */
  readonly bias: (units: number) => Initializer;
  /** Whether the hidden units have a bias of their own. */
  readonly recurrentBias: boolean;
  /** Options that it alone has. */
  readonly options: { readonly resetAfter?: Entry };
}

function recurrent(cell: Cell, units: number, options: RecurrentOptions): Layer<Value | Values, Value | Values> {
  const { kind, states, gates } = cell;
  wholeNumber(kind, "units", units);
  checkNoActivation(kind, options);
  const table = {
    ...({ returnSequences: [false], returnState: [false], reverse: [false] } as const),
    ...({ initializer: ["glorotUniform"], recurrentInitializer: ["orthogonal"] } as const),
    ...cell.options,
  };
  const { returnSequences, returnState, reverse, ...starts } = resolved(
    kind,
    options,
    table,
    `${kind}(64, { returnSequences: true })`,
  );
  const initialize = initializer(kind, starts.initializer);
  const initializeRecurrent = initializer(kind, starts.recurrentInitializer);
  return {
    kind,
    takesValues: true,
    apply(scope, given) {
      const place = where(kind, scope);
      const { x, ...held } = isValue(given) ? { x: given } : given;
      const names = Object.keys(held);
      if (x === undefined || (names.length > 0 && String(names.sort()) !== String([...states].sort()))) {
        throw new OptionError(
          `${place}: its input is { ${Object.keys(given).join(", ")} }, it must be one value or { x, ${states.join(", ")} }.`,
        );
      }
      if (x.shape.length !== 3) {
        throw new ShapeError(
          `${place}: input has shape [${x.shape}], it must be [batch, steps, features]. ${x.shape.length < 3 ? "Give a sequence, or a layer before it the option returnSequences." : "Reshape it."}`,
        );
      }
      const state = [x.shape[0], units];
      for (const name of names) {
        const { shape } = held[name] as Value;
        if (String(shape) === String(state)) continue;
        throw new ShapeError(
          `${place}: "${name}" has shape [${shape}], it must be [${state}]. Give a number for each unit.`,
        );
      }
      const width = gates * units;
      const inputs = {
        x: affine(scope, x, width, initialize, cell.bias(units)),
        u: scope.parameter("recurrentWeight", [units, width], initializeRecurrent),
        ...(cell.recurrentBias && { b: scope.parameter("recurrentBias", [width], "zeros") }),
        ...Object.fromEntries(names.map((name) => [`${name}0`, held[name] as Value])),
      };
      const made = scope.op(cell.op, inputs, { reverse });
      const y = (returnSequences ? made.y : made.h) as Value;
      return returnState ? { y, ...Object.fromEntries(states.map((name) => [name, made[name] as Value])) } : y;
    },
  };
}

const lstmCell: Cell = {
  kind: "lstm",
  states: ["h", "c"],
  gates: 4,
  op: lstmSteps,
  bias: (units) => () => Float32Array.from({ length: 4 * units }, (_, i) => (i >= units && i < 2 * units ? 1 : 0)),
  recurrentBias: false,
  options: {},
};

const gruCell = (resetAfter: boolean): Cell => ({
  kind: "gru",
  states: ["h"],
  gates: 3,
  op: resetAfter ? gruSteps : gruResetBeforeSteps,
  bias: () => initializer("gru", "zeros"),
  recurrentBias: resetAfter,
  options: { resetAfter: [true] },
});

/**
 * Long short-term memory (Hochreiter and Schmidhuber 1997; Gers, Schmidhuber and Cummins 2000 for the forget gate): [B, T, C] ->
 * [B, units], or [B, T, units] with `returnSequences`. With gates i f g o of x W + h U + b, c = f c + i g and h = o tanh(c), where i, f
 * and o are sigmoids and g is a tanh. `{ x, h, c }` begins with the states h and c [B, units], which are zeros else; `returnState`
 * gives `{ y, h, c }`.
 *
 * Weights: `weight` [C, 4 units], `recurrentWeight` [units, 4 units] and `bias` [4 units], gates beside each other in that order; the
 * bias of the forget gate begins with 1. In Keras they are kernel, recurrent_kernel and bias, in PyTorch weight_ih and weight_hh
 * transposed and the sum of bias_ih and bias_hh.
 *
 * A step of training runs a kernel T times forward and T times back. Throws OptionError for options that do not exist and for values by
 * other names, ShapeError where the input is no sequence or a state has another shape.
 *
 * @example sequential([lstm(64, { returnSequences: true }), lstm(64), dense(10)])
 */
export function lstm(units: number, options: WithState): Layer<LstmInput, LstmState>;
export function lstm(units: number, options?: WithoutState): Layer<LstmInput>;
export function lstm(units: number, options: RecurrentOptions = {}) {
  return recurrent(lstmCell, units, options);
}

/**
 * Gated recurrent unit (Cho et al. 2014), with the reset gate behind the product, as in PyTorch and in Keras with `reset_after`:
 * [B, T, C] -> [B, units], or [B, T, units] with `returnSequences`. With gates r z n of a = x W + b and d = h U + d0, r and z are
 * sigmoids of a + d, n = tanh(a + r d), and h = (1 - z) n + z h. `{ x, h }` begins with the state h [B, units], which is zeros else;
 * `returnState` gives `{ y, h }`.
 *
 * With `resetAfter: false` the reset gate stands before the product, as in that paper, in TensorFlow.js and in Keras without
 * `reset_after`: n = tanh(a + (r h) U), and d has no bias.
 *
 * Weights: `weight` [C, 3 units], `recurrentWeight` [units, 3 units], `bias` and, with the gate behind the product, `recurrentBias`
 * [3 units], gates beside each other in that order. In PyTorch they are weight_ih and weight_hh transposed, bias_ih and bias_hh; in
 * Keras kernel, recurrent_kernel and the rows of bias, two or one, with gates in the order z r n.
 *
 * Runs and throws as lstm does; with `resetAfter: false` a kernel runs 2 T times each way, since n needs r of all units.
 *
 * @example sequential([gru(64), dense(10)])
 */
export function gru(units: number, options: GruOptions & WithState): Layer<GruInput, GruState>;
export function gru(units: number, options?: GruOptions & WithoutState): Layer<GruInput>;
export function gru(units: number, options: GruOptions = {}) {
  return recurrent(gruCell(options?.resetAfter !== false), units, options);
}
