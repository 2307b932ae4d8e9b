// Recurrent layers, and a sequence read from both ends.

import { bidirectional, gru, type Layer, lstm, type Model, ops, type Scope, type Value } from "../index.ts";
import { activationName } from "./activation.ts";
import { type Config, count, entry, flag, isObject, number, optionOf, refuse, shown, word } from "./config.ts";
import type { LayerClass, Made, Need } from "./layer-class.ts";
import type { Numbers } from "./tensor.ts";

/** What tells one recurrent layer from another. */
interface Cell {
  readonly make: (
    units: number,
    options: { returnSequences: boolean; returnState: boolean; reverse: boolean },
  ) => Model;
  readonly states: readonly string[];
  readonly needs: (units: number, bias: boolean) => readonly Need[];
  readonly zeros: (units: number) => NonNullable<Made["zeros"]>;
}

const matrix = (name: string, to: string, rows: number | undefined, columns: number): Need => ({
  names: [name],
  to,
  shape: [rows, columns],
});

const lstmCell: Cell = {
  make: (units, options) => lstm(units, options as never) as Model,
  states: ["h", "c"],
  needs: (units, bias) => [
    matrix("kernel", "weight", undefined, 4 * units),
    matrix("recurrent_kernel", "recurrentWeight", units, 4 * units),
    ...(bias ? [{ names: ["bias"], to: "bias", shape: [4 * units] }] : []),
  ],
  zeros: (units) => [{ to: "bias", shape: [4 * units] }],
};

/** Columns in gates z r h, as Keras has them, in the order r z n, and the other way round; `row` of several. */
export const gatesTurned =
  (units: number, row?: number) =>
  ({ shape, data }: Numbers): Numbers => {
    const width = 3 * units;
    const [from, rows] = row === undefined ? [0, data.length / width] : [row, 1];
    const turned = new Float32Array(rows * width);
    for (let i = 0; i < turned.length; i++) {
      const [at, gate, unit] = [Math.floor(i / width), Math.floor((i % width) / units), i % units];
      turned[i] = data[(from + at) * width + (gate === 0 ? 1 : gate === 1 ? 0 : 2) * units + unit] as number;
    }
    return { shape: row === undefined ? shape : [width], data: turned };
  };

/** A GRU with its reset gate behind the product of the hidden units, or before it, where that has no bias. */
const gruCell = (resetAfter: boolean): Cell => ({
  make: (units, options) => gru(units, { ...options, resetAfter } as never) as Model,
  states: ["h"],
  needs: (units, bias) => {
    const turn = gatesTurned(units);
    const row = (to: string, at: number): Need => ({
      ...{ names: ["bias"], to, shape: [2, 3 * units], turn: gatesTurned(units, at) },
    });
    const biases = resetAfter
      ? [row("bias", 0), row("recurrentBias", 1)]
      : [{ names: ["bias"], to: "bias", shape: [3 * units], turn }];
    return [
      { ...matrix("kernel", "weight", undefined, 3 * units), turn },
      { ...matrix("recurrent_kernel", "recurrentWeight", units, 3 * units), turn },
      ...(bias ? biases : []),
    ];
  },
  zeros: (units) => (resetAfter ? ["bias", "recurrentBias"] : ["bias"]).map((to) => ({ to, shape: [3 * units] })),
});

const cells: ReadonlyMap<string, (config: Config) => Cell> = new Map([
  ["LSTM", () => lstmCell],
  ["GRU", (config: Config) => gruCell(flag(config, "reset_after", false))],
]);

/** A recurrent layer in a direction. */
function recurrent(config: Config, cellOf: (config: Config) => Cell, reverse: boolean): Made {
  const cell = cellOf(config);
  const units = count(config, "units");
  for (const [key, only, otherwise] of [
    ["activation", "tanh", "tanh"],
    ["recurrent_activation", "sigmoid", "sigmoid"],
  ] as const) {
    const name = optionOf(config, key) === undefined ? otherwise : activationName(config, key);
    if (name !== only) refuse(config, `${key} is "${name}". Known is "${only}".`);
  }
  if (flag(config, "time_major", false))
    refuse(config, "time_major is true. Known are sequences with the batch first.");
  const bias = flag(config, "use_bias", true);
  const options = {
    returnSequences: flag(config, "return_sequences", false),
    returnState: flag(config, "return_state", false),
    reverse,
  };
  const dropped = ["dropout", "recurrent_dropout"].filter((key) => number(config, key, 0) !== 0);
  return {
    layer: cell.make(units, options),
    needs: cell.needs(units, bias),
    ...(bias ? {} : { zeros: cell.zeros(units) }),
    takes: ["x", ...cell.states],
    ...(options.returnState ? { gives: ["y", ...cell.states] } : {}),
    notes: [
      ...dropped.map((key) => `its ${key} of ${number(config, key)} is left out`),
      ...(flag(config, "stateful", false) ? ["it is stateful in the file; here each batch begins with zeros"] : []),
      ...(bias ? [] : ["it has no bias in the file; here it has one, which begins with zeros"]),
    ],
  };
}

const recurrentLayer =
  (cell: (config: Config) => Cell): LayerClass =>
  (config) => {
    const reverse = flag(config, "go_backwards", false);
    if (reverse && flag(config, "return_sequences", false))
      refuse(
        config,
        "go_backwards with return_sequences gives outputs in turned order, which is not known. Use Bidirectional, or one of both.",
      );
    return recurrent(config, cell, reverse);
  };

/** How the outputs of both directions become one. */
const merges: ReadonlyMap<string, (scope: Scope, x: Value, y: Value) => Value> = new Map([
  ["sum", (scope, x, y) => scope.op(ops.add, { x, y }).z],
  ["mul", (scope, x, y) => scope.op(ops.multiply, { x, y }).z],
]);

const bidirectionalLayer: LayerClass = (config) => {
  const mode = word(config, "merge_mode", ["concat", ...merges.keys()], "concat");
  if (Object.hasOwn(config.values, "merge_mode") && config.values.merge_mode === null)
    refuse(config, 'merge_mode is null, which gives two values. Known: "concat", "sum", "mul".');
  const inner = optionOf(config, "layer");
  const kind = isObject(inner) ? entry(inner, "class_name") : undefined;
  const cell = cells.get(String(kind));
  const values = isObject(inner) ? entry(inner, "config") : undefined;
  if (cell === undefined || !isObject(values))
    return refuse(config, `its layer is ${shown(kind)}. Known: ${[...cells.keys()].join(", ")}.`);
  const own: Config = { ...config, values };
  if (flag(own, "return_state", false))
    refuse(config, "return_state is true, which gives states of both directions. Known is false.");
  if (optionOf(config, "backward_layer") !== undefined && optionOf(config, "backward_layer") !== inner) {
    const back = optionOf(config, "backward_layer");
    const other = isObject(back) ? entry(back, "class_name") : undefined;
    if (other !== kind)
      refuse(config, `its backward_layer is ${shown(other)}, its layer ${shown(kind)}. Known are two of one class.`);
  }
  const [forward, backward] = [recurrent(own, cell, false), recurrent(own, cell, true)];
  const both = (["forward", "backward"] as const).flatMap((within) =>
    forward.needs.map((need): Need => ({ ...need, within, to: `${within}.${need.to}` })),
  );
  const zeros = ["forward", "backward"].flatMap((within) =>
    (forward.zeros ?? []).map(({ to, shape }) => ({ to: `${within}.${to}`, shape })),
  );
  const join = merges.get(mode);
  const [one, other] = [forward.layer as Layer, backward.layer as Layer];
  const layer: Model =
    join === undefined
      ? bidirectional((reverse) => (reverse ? other : one))
      : {
          kind: "bidirectional",
          apply: (scope, x: Value) =>
            join(scope, one.apply(scope.child("forward"), x), other.apply(scope.child("backward"), x)),
        };
  return { layer, needs: both, zeros, ...(forward.notes && { notes: forward.notes }) };
};

export const recurrentLayers: ReadonlyMap<string, LayerClass> = new Map<string, LayerClass>([
  ...[...cells].map(([kind, cell]) => [kind, recurrentLayer(cell)] as const),
  ["Bidirectional", bidirectionalLayer],
]);
