// Operators that are like no other: dropout, one-hot rows, and layers that go through a sequence.

import { concatenate, dropout, gru, lstm, type Scope, type Value, type Values } from "../../index.ts";
import { scale } from "../function.ts";
import { FLOAT, filled, type Host, reshaped, transposed } from "../host.ts";
import {
  arrange,
  constant,
  dimsOf,
  expectAlone,
  flowing,
  hostAt,
  inputOf,
  isHost,
  isLive,
  type Known,
  type Live,
  plain,
  type Row,
  seeded,
  stepOf,
  view,
  type Weight,
  weight,
  z,
} from "../live.ts";
import { axisAsked, expectDims, listOf, refuse } from "../node.ts";
import { stops } from "./elementwise.ts";
import { numbers, range } from "./move.ts";

/** Drops in training, which a file that is exported for that has; else it is nothing. */
const drop: Row = (node, ins, about) => {
  const x = inputOf(node, ins);
  expectAlone(node, about, "mask is");
  const rate = constant(node, ins[1], "ratio")?.data[0] ?? node.float("ratio", 0.5);
  if (rate === 0) return x;
  return stepOf(x, (scope, value) => dropout(rate).apply(scope, value));
};

const oneHot: Row = (node, ins) => {
  const ids = flowing(node, ins[0], "indices");
  const depth = hostAt(node, ins, 1, "depth").data[0] as number;
  const [off, on] = listOf(hostAt(node, ins, 2, "values")) as [number, number];
  const rank = ids.order.length;
  const axis = axisAsked(node, rank + 1, -1);
  const order = [...ids.order.map((one) => (one >= axis ? one + 1 : one)), axis];
  const run = (scope: Scope, value: Value): Value => {
    const x = view(scope, value, [...(rank === 0 ? [] : value.shape), 1]);
    const low = scale(scope, x, 1);
    const back = z(scope, "less", low, scale(scope, low, 0));
    // Numbers below 0 count from the end.
    const at = z(scope, "add", low, scale(scope, back, depth));
    return scale(scope, z(scope, "equal", at, numbers(scope, depth)), on - off, off);
  };
  return stepOf(ids, run, ids.order, { orders: [order], stops, type: FLOAT });
};

interface Cell {
  /** ONNX's gates in Gradus's order. */
  readonly gates: readonly number[];
  readonly states: readonly string[];
  readonly activations: readonly string[];
}

function recurrent({ gates, states, activations }: Cell): Row {
  return (node, ins, about) => {
    const x = inputOf(node, ins);
    const dims = dimsOf(x);
    const isBatchFirst = node.int("layout", 0) === 1;
    const [w, r] = [hostAt(node, ins, 1, "weight"), hostAt(node, ins, 2, "recurrent weight")];
    const units = node.int("hidden_size", r.dims[2] ?? 0);
    const rows = gates.length * units;
    const direction = node.text("direction", "forward");
    const ways = direction === "bidirectional" ? ["forward", "backward"] : [direction];
    expectDims(node, "recurrent weight", r.dims, [ways.length, rows, units]);
    expectDims(node, "weight", w.dims, [ways.length, rows, dims[2] as number]);
    const held = states.map((_, i) => (isFilled(ins[5 + i], 0) ? undefined : ins[5 + i]));
    const unread = {
      "lengths of sequences": ins[4] !== undefined && !isFilled(ins[4], dims[isBatchFirst ? 1 : 0] as number),
      peepholes: ins[7] !== undefined,
      clip: node.has("clip"),
      input_forget: node.int("input_forget", 0) !== 0,
      "constant states other than 0": held.some(isHost),
    };
    for (const [what, is] of Object.entries(unread)) if (is) refuse(node, `it has ${what}, which are not read.`);
    const resetAfter = node.int("linear_before_reset", 0) !== 0;
    const usual = ways.flatMap(() => activations);
    const asked = node.strings("activations") ?? usual;
    if (String(asked) !== String(usual)) refuse(node, `its activations are ${asked}, ${usual} are read.`);

    /** Of a tensor [directions, gates units, ..] one direction, in our order of gates and, where it is a matrix, transposed. */
    const gatesOf = (given: Host, way: number, half = 0): Host => {
      const [, all = 0, columns = 1] = given.dims;
      const size = units * columns;
      const start = (way * all + half * rows) * columns;
      const from = (i: number): number => start + (gates[Math.floor(i / size)] as number) * size + (i % size);
      const made = filled([rows, columns], given.type, (i) => given.data[from(i)] as number);
      return { ...(given.dims.length === 3 ? transposed(made, [1, 0]) : reshaped(made, [rows])), name: given.name };
    };
    const bias = constant(node, ins[3], "bias") ?? {
      ...filled([ways.length, 2 * rows], FLOAT, () => 0),
      name: w.name && `${w.name}.bias`,
    };
    // What hidden units add of their own is a bias apart, or added to that of the input.
    const tensors = ways.map((_, way): Record<string, Weight> => {
      const [own, hidden] = [gatesOf(bias, way), gatesOf(bias, way, 1)];
      const both = filled([rows], own.type, (i) => (own.data[i] as number) + (hidden.data[i] as number));
      const made: Readonly<Record<string, Host>> = {
        ...{ weight: gatesOf(w, way), recurrentWeight: gatesOf(r, way) },
        ...(resetAfter ? { bias: own, recurrentBias: hidden } : { bias: { ...both, name: own.name } }),
      };
      return Object.fromEntries(Object.entries(made).map(([name, given]) => [name, weight(node, given, about)]));
    });
    const weights =
      ways.length === 1
        ? (tensors[0] as Record<string, Weight>)
        : Object.fromEntries(
            tensors.flatMap((own, i) => Object.entries(own).map(([name, one]) => [`${ways[i]}.${name}`, one])),
          );
    const takes = [x, ...held.filter(isLive)];
    const names = ["y", ...states];
    return {
      ...{ takes, weights },
      // Of the sequences [B, T, directions, units], of the states [directions, B, units].
      orders: names.map((name) =>
        name === "y" ? (isBatchFirst ? [0, 1, 2, 3] : [2, 0, 1, 3]) : isBatchFirst ? [0, 1, 2] : [1, 0, 2],
      ),
      run(scope, values) {
        const sequence = arrange(scope, values[0] as Value, x.order, isBatchFirst ? [0, 1, 2] : [1, 0, 2]);
        const made = ways.map((way, i): Values => {
          const inner = ways.length === 1 ? scope : seeded(scope.child(way), tensors[i] as Record<string, Weight>);
          const state =
            takes.length === 1
              ? undefined
              : Object.fromEntries(
                  states.map((name, k) => {
                    const one = held[k];
                    const known = isLive(one) ? one : (takes[1] as Live);
                    const whole = plain(scope, values[takes.indexOf(known)] as Value, known);
                    const part = range(scope, whole, isBatchFirst ? 1 : 0, i, 1);
                    // A state that is not given begins with zeros beside one that is.
                    return [
                      name,
                      scale(scope, view(scope, part, [sequence.shape[0] as number, units]), isLive(one) ? 1 : 0),
                    ];
                  }),
                );
          const options = { returnSequences: true, returnState: true, reverse: way !== "forward" } as const;
          const layer = node.op === "LSTM" ? lstm(units, options) : gru(units, { ...options, resetAfter });
          return (layer as { apply(scope: unknown, x: unknown): Values }).apply(
            inner,
            state === undefined ? sequence : { x: sequence, ...state },
          );
        });
        return names.map((name) => {
          const parts = made.map((one) => {
            const value = one[name] as Value;
            return view(scope, value, [...value.shape.slice(0, -1), 1, units]);
          });
          return parts.length === 1 ? (parts[0] as Value) : concatenate(scope, parts, -2);
        });
      },
    };
  };
}

/** Whether all numbers of a constant are this one. */
const isFilled = (one: Known | undefined, value: number): boolean =>
  isHost(one) && listOf(one).every((number) => number === value);

export const other: Readonly<Record<string, Row>> = {
  Dropout: drop,
  // z r h here are r z h there.
  GRU: recurrent({ gates: [1, 0, 2], states: ["h"], activations: ["Sigmoid", "Tanh"] }),
  // i o f c here are i f c o there.
  LSTM: recurrent({ gates: [0, 2, 3, 1], states: ["h", "c"], activations: ["Sigmoid", "Tanh", "Tanh"] }),
  OneHot: oneHot,
};
