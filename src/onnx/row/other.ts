// Operators that are like no other: dropout, one-hot rows, and layers that go through a sequence.

import { sizeOf } from "../../foreign/strided.ts";
import { concatenate, dropout, gru, lstm, ops, type Scope, type Value, type Values } from "../../index.ts";
import { scale } from "../function.ts";
import { FLOAT, type Host, transposed } from "../host.ts";
import {
  type About,
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
} from "../live.ts";
import { axisAsked, expectDims, listOf, type Node, refuse } from "../node.ts";
import { stops } from "./elementwise.ts";
import { numbers } from "./move.ts";

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
    const back = scope.op(ops.less, { x: low, y: scale(scope, low, 0) }).z;
    // Numbers below 0 count from the end.
    const at = scope.op(ops.add, { x: low, y: scale(scope, back, depth) }).z;
    return scale(scope, scope.op(ops.equal, { x: at, y: numbers(scope, depth) }).z, on - off, off);
  };
  return stepOf(ids, run, ids.order, { orders: [order], stops, type: FLOAT });
};

interface Cell {
  readonly kind: "lstm" | "gru";
  /** ONNX's gates in Gradus's order. */
  readonly gates: readonly number[];
  readonly states: readonly string[];
  readonly activations: readonly string[];
}

const cells = {
  // i o f c here are i f c o there.
  lstm: { kind: "lstm", gates: [0, 2, 3, 1], states: ["h", "c"], activations: ["Sigmoid", "Tanh", "Tanh"] },
  // z r h here are r z h there.
  gru: { kind: "gru", gates: [1, 0, 2], states: ["h"], activations: ["Sigmoid", "Tanh"] },
} as const satisfies Record<string, Cell>;

/** One direction of a tensor [directions, gates units, ..], its gates in our order and, where it is a matrix, transposed. */
function gatesOf(given: Host, { gates }: Cell, direction: number, part: number, units: number): Host {
  const [, , columns = 1] = given.dims;
  const own = gates.length * units;
  const whole = sizeOf(given.dims.slice(1));
  const data = new Float64Array(own * columns);
  for (const [to, from] of gates.entries())
    for (let i = 0; i < units * columns; i++)
      data[to * units * columns + i] = given.data[
        direction * whole + (part * own + from * units) * columns + i
      ] as number;
  const name = given.name;
  return given.dims.length === 3
    ? transposed({ ...given, name, dims: [own, columns], data }, [1, 0])
    : { ...given, name, dims: [own], data };
}

function recurrent(cell: Cell): Row {
  const { kind, gates, states } = cell;
  return (node, ins, about) => {
    const x = inputOf(node, ins);
    const layout = node.int("layout", 0);
    const [steps, batch] = layout === 1 ? [1, 0] : [0, 1];
    const dims = dimsOf(x);
    const [w, r] = [hostAt(node, ins, 1, "weight"), hostAt(node, ins, 2, "recurrent weight")];
    const b = constant(node, ins[3], "bias");
    const units = node.int("hidden_size", r.dims[2] ?? 0);
    const direction = node.text("direction", "forward");
    const ways = direction === "bidirectional" ? [false, true] : [direction === "reverse"];
    const rows = gates.length * units;
    expectDims(node, "recurrent weight", r.dims, [ways.length, rows, units]);
    expectDims(node, "weight", w.dims, [ways.length, rows, dims[2] as number]);
    const held = states.map((_, i) => (isFilled(ins[5 + i], 0) ? undefined : ins[5 + i]));
    const unread = {
      "lengths of sequences": ins[4] !== undefined && !isFilled(ins[4], dims[steps] as number),
      peepholes: ins[7] !== undefined,
      clip: node.has("clip"),
      input_forget: node.int("input_forget", 0) !== 0,
      "constant states other than 0": held.some(isHost),
    };
    for (const [what, is] of Object.entries(unread)) if (is) refuse(node, `it has ${what}, which are not read.`);
    const resetAfter = kind === "gru" && node.int("linear_before_reset", 0) !== 0;
    const asked = node.strings("activations");
    const usual = ways.flatMap(() => cell.activations);
    if (asked !== undefined && String(asked) !== String(usual))
      refuse(node, `its activations are ${asked}, ${usual} are read.`);
    const begins = held.some((one) => one !== undefined);
    const takes = [x, ...held.filter(isLive)];
    const weights = Object.fromEntries(
      ways.flatMap((_, i) => tensors(node, cell, about, { w, r, b, units, isApart: resetAfter }, i, ways.length)),
    );
    const names = ["y", ...states];
    return {
      ...{ takes, weights },
      // Of the sequences [B, T, directions, units], of the states [directions, B, units].
      orders: names.map((name) =>
        name === "y" ? (layout === 1 ? [0, 1, 2, 3] : [2, 0, 1, 3]) : layout === 1 ? [0, 1, 2] : [1, 0, 2],
      ),
      run(scope, values) {
        const sequence = arrange(scope, values[0] as Value, x.order, [batch, steps, 2]);
        const count = sequence.shape[0] as number;
        const made = ways.map((reverse, i): Values => {
          const inner =
            ways.length === 1 ? scope : seeded(scope.child(sides[i] as string), under(weights, `${sides[i]}.`));
          const options = { returnSequences: true, returnState: true, reverse } as const;
          const state = Object.fromEntries(
            states.map((name, k) => {
              const one = held[k];
              const known = isLive(one) ? one : (held.find(isLive) as Live | undefined);
              if (known === undefined) return [name, sequence];
              const whole = plain(scope, values[takes.indexOf(known)] as Value, known);
              const place = layout === 1 ? 1 : 0;
              const part = scope.op(
                ops.slice,
                { x: whole },
                { begin: place === 1 ? [0, i] : [i], end: place === 1 ? [Number.POSITIVE_INFINITY, i + 1] : [i + 1] },
              ).y;
              // A state that is not given begins with zeros beside one that is.
              return [name, scale(scope, view(scope, part, [count, units]), isLive(one) ? 1 : 0)];
            }),
          );
          const layer = kind === "lstm" ? lstm(units, options) : gru(units, { ...options, resetAfter });
          return (layer as { apply(scope: unknown, x: unknown): Values }).apply(
            inner,
            begins ? { x: sequence, ...state } : sequence,
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

const sides = ["forward", "backward"];

/** Those whose names begin so, without that. */
const under = (weights: Readonly<Record<string, Weight>>, prefix: string): Record<string, Weight> =>
  Object.fromEntries(
    Object.entries(weights).flatMap(([name, one]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), one]] : [],
    ),
  );

/** Whether all numbers of a constant are this one. */
const isFilled = (one: Known | undefined, value: number): boolean =>
  isHost(one) && listOf(one).every((number) => number === value);

interface Matrices {
  readonly w: Host;
  readonly r: Host;
  readonly b: Host | undefined;
  readonly units: number;
  /** Whether the hidden units have a bias of their own, and do not add it to that of the input. */
  readonly isApart: boolean;
}

/** Weights of a direction, by the names of the layer; with two directions under theirs. */
function tensors(
  node: Node,
  cell: Cell,
  about: About,
  { w, r, b, units, isApart }: Matrices,
  direction: number,
  ways: number,
): [string, Weight][] {
  const own = cell.gates.length * units;
  const zeros: Host = {
    kind: "host",
    dims: [w.dims[0] as number, 2 * own],
    data: new Float64Array(ways * 2 * own),
    type: FLOAT,
  };
  const bias = { ...(b ?? zeros), ...(b === undefined && w.name !== undefined && { name: `${w.name}.bias` }) };
  const [input, hidden] = [0, 1].map((part) => gatesOf(bias, cell, direction, part, units)) as [Host, Host];
  const both = { ...input, data: Float64Array.from(input.data, (value, i) => value + (hidden.data[i] as number)) };
  const prefix = ways === 1 ? "" : `${sides[direction]}.`;
  const made: [string, Host][] = [
    ["weight", gatesOf(w, cell, direction, 0, units)],
    ["recurrentWeight", gatesOf(r, cell, direction, 0, units)],
    ["bias", isApart ? input : both],
    ...(isApart ? [["recurrentBias", hidden] as [string, Host]] : []),
  ];
  return made.map(([name, given]) => [`${prefix}${name}`, weight(node, given, about)]);
}

export const other: Readonly<Record<string, Row>> = {
  Dropout: drop,
  GRU: recurrent(cells.gru),
  LSTM: recurrent(cells.lstm),
  OneHot: oneHot,
};
