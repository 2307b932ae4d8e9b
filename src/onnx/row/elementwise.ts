// Operators that work on each number by itself.

import { sizeOf } from "../../foreign/strided.ts";
import {
  elu,
  gelu,
  hardSwish,
  type Layer,
  leakyRelu,
  mish,
  type Op,
  type Ops,
  ops,
  type Scope,
  silu,
  softplus,
  type Value,
} from "../../index.ts";
import { ceil, erf, floor, round, scale, trunc } from "../function.ts";
import { BOOL, type Host, isFloat, typeName } from "../host.ts";
import {
  type About,
  arrange,
  constant,
  dimsOf,
  inputOf,
  isHost,
  isLive,
  type Known,
  type Live,
  lastName,
  needed,
  type Row,
  type Step,
  stepOf,
  tensorOf,
  view,
  type Weight,
  weight,
  z,
} from "../live.ts";
import { kindOf } from "../names.ts";
import { checkOperands, inOrder, type Node, refuse } from "../node.ts";
import { joint } from "../shapes.ts";

type Of = (scope: Scope, x: Value, node: Node) => Value;

const own =
  (op: Op<"x", "z">) =>
  (scope: Scope, x: Value): Value =>
    scope.op(op, { x }).z;

/** A function of one number, by default the op of the operator's name. */
const unary =
  (of: Of = (scope, x, node) => z(scope, kindOf(node.op) as "abs", x)): Row =>
  (node, ins) =>
    stepOf(inputOf(node, ins), (scope, x) => of(scope, x, node));

const layer =
  (make: (node: Node) => Layer): Of =>
  (scope, x, node) =>
    make(node).apply(scope, x);

type Pair = (scope: Scope, x: Value, y: Value) => Value;

/** The op of that name on two values. */
export const pair =
  (name: keyof Ops): Pair =>
  (scope, x, y) =>
    z(scope, name, x, y);

const [plus, minus, times, over] = [pair("add"), pair("subtract"), pair("multiply"), pair("divide")];
const not = (scope: Scope, x: Value): Value => scale(scope, x, -1, 1);

const hard: Of = (scope, x, node) =>
  clipped({ min: 0, max: 1 })(scope, scale(scope, x, node.float("alpha", 0.2), node.float("beta", 0.5)));

const scaledElu: Of = (scope, x, node) =>
  scale(scope, elu({ alpha: node.float("alpha", 1.6732632) }).apply(scope, x), node.float("gamma", 1.0507009));

const gate = (scope: Scope, x: Value, bound: number): Value => {
  const zero = scale(scope, x, 0, bound);
  return z(scope, "greater", x, zero);
};

/** A constant of an operator on several, ready for the order that its value is in. */
function aligned(node: Node, given: Host, about: About, order: readonly number[]): Weight {
  const rank = order.length;
  const dims = [...new Array<number>(rank - given.dims.length).fill(1), ...given.dims];
  const places = order.map((axis) => dims[axis] as number);
  const from = places.findIndex((length) => length !== 1);
  return weight(node, { ...given, dims }, about, { axes: order, dims: from < 0 ? [1] : places.slice(from) });
}

/** The order in which an operator of several works: that of the largest that it is given. */
export function commonOrder(ins: readonly Known[]): readonly number[] {
  const rank = Math.max(...ins.map((one) => dimsOf(one).length));
  const whole = ins.filter(isLive).filter(({ order }) => order.length === rank);
  const size = (one: Live): number => sizeOf(one.value.shape);
  return whole.length === 0 ? inOrder(rank) : whole.reduce((a, b) => (size(b) > size(a) ? b : a)).order;
}

/** A value of fewer axes, or in another order, as one of this order. */
export function brought(scope: Scope, x: Value, { order }: Live, to: readonly number[]): Value {
  const more = to.length - order.length;
  if (more === 0) return arrange(scope, x, order, to);
  const from = [...inOrder(more), ...order.map((axis) => axis + more)];
  const own = order.length === 0 ? [] : x.shape;
  return arrange(scope, view(scope, x, [...inOrder(more).map(() => 1), ...own]), from, to);
}

/** A step of several values, each brought into one order, constants as tensors; each is repeated as in NumPy unless they are `apart`. */
export function several(
  node: Node,
  ins: readonly Known[],
  about: About,
  run: (scope: Scope, values: readonly Value[]) => Value,
  apart = false,
): Step {
  if (!apart) ins.reduce((dims: readonly number[], one) => joint(node, dims, dimsOf(one)), []);
  const order = commonOrder(ins);
  const takes = ins.filter(isLive);
  const weights: Record<string, Weight> = {};
  const places = ins.map((one, i) => {
    if (one.kind === "live") return takes.indexOf(one);
    const called = lastName(one, one.name === undefined ? "value" : "weight");
    const name = Object.hasOwn(weights, called) ? `${called}_${i}` : called;
    weights[name] = aligned(node, one, about, order);
    return name;
  });
  return {
    ...{ takes, weights },
    orders: [order],
    run: (scope, values) =>
      run(
        scope,
        places.map((place, i) =>
          typeof place === "string"
            ? tensorOf(scope, place, weights[place] as Weight)
            : brought(scope, values[place] as Value, ins[i] as Live, order),
        ),
      ),
  };
}

/** The number of a constant that is one number and no weight. */
export function scalar(one: Known | undefined, about: About): number | undefined {
  if (!isHost(one) || sizeOf(one.dims) !== 1) return undefined;
  if (one.name !== undefined && one.dims.length > 0 && isFloat(one.type) && about.trains(one.name)) return undefined;
  const value = one.data[0] as number;
  return Number.isFinite(Math.fround(value)) ? value : undefined;
}

/** Where one of two is a number, what is done with it; undefined where there is no short way. */
type Short = (value: number, isLeft: boolean) => ((scope: Scope, x: Value) => Value) | undefined;

function operandsOf(node: Node, ins: readonly (Known | undefined)[]): readonly Known[] {
  checkOperands(node);
  return ins.map((_, i) => needed(node, ins, i, "operand"));
}

function binary(of: Pair, short: Short = () => undefined, more: Partial<Step> = {}): Row {
  return (node, ins, about) => {
    const given = operandsOf(node, ins);
    if (given.length === 1) return given[0] as Known;
    const [x, y] = given as [Known, Known];
    if (given.length === 2) {
      const [one, other] = isLive(x) ? [x, y] : [y, x];
      const number = scalar(other, about);
      const way = isLive(one) && number !== undefined ? short(number, one === y) : undefined;
      if (isLive(one) && way !== undefined && dimsOf(other).length <= one.order.length)
        return stepOf(one, way, one.order, more);
    }
    // Division, among whole numbers, drops what is left over.
    if (of === over && isLive(x) && !isFloat(x.type)) refuse(node, `it divides ${typeName(x.type)}, float is read.`);
    return {
      ...several(node, given, about, (scope, values) => values.reduce((made, one) => of(scope, made, one))),
      ...more,
    };
  };
}

const linear =
  (factor: number, offset = 0) =>
  (scope: Scope, x: Value): Value =>
    scale(scope, x, factor, offset);

export const stops = "steps have no slope";

const clipped =
  (limits: { readonly min?: number; readonly max?: number }) =>
  (scope: Scope, x: Value): Value =>
    scope.op(ops.clip, { x }, limits).z;

/** Operators on several; numbers are bounds, and infinite ones none. */
const extreme =
  (name: "maximum" | "minimum", infinite: number): Row =>
  (node, ins, about) => {
    const bounds = ins.filter((one) => !(isHost(one) && sizeOf(one.dims) === 1 && one.data[0] === infinite));
    const limit = name === "maximum" ? "min" : "max";
    return binary(pair(name), (value) => clipped({ [limit]: value }))(node, bounds, about);
  };

const clip: Row = (node, ins) => {
  const x = inputOf(node, ins);
  const limits: { min?: number; max?: number } = {};
  for (const [i, name] of (["min", "max"] as const).entries()) {
    const value = constant(node, ins[i + 1], name)?.data[0] ?? node.float(name, Number.NaN);
    if (Number.isFinite(Math.fround(value))) limits[name] = value;
  }
  const { min, max } = limits;
  if (min === undefined && max === undefined) return x;
  if ((min as number) > (max as number)) {
    return stepOf(x, (scope, value) => scale(scope, value, 0, max));
  }
  return stepOf(x, clipped(limits));
};

/** Where: a mask that is added as a constant may hold infinities, which become the ends of f32. */
const where: Row = (node, ins, about) => {
  const given = [0, 1, 2].map((i) => needed(node, ins, i, "operand"));
  const step = several(
    node,
    given,
    about,
    (scope, [condition, x, y]) =>
      scope.op(ops.where, { condition: condition as Value, x: x as Value, y: y as Value }).z,
  );
  return { ...step, type: (given[1] as Known).type };
};

/** A slope below 0 for each channel, or for whatever it is repeated to. */
const prelu: Row = (node, ins, about) =>
  several(node, operandsOf(node, ins), about, (scope, [x, slope]) => {
    const above = z(scope, "relu", x as Value);
    return plus(scope, above, times(scope, slope as Value, minus(scope, x as Value, above)));
  });

const cast: Row = (node, ins) => {
  const x = inputOf(node, ins);
  const type = node.int("to", 1);
  if (type === BOOL && x.type !== BOOL)
    return stepOf(x, (scope, value) => not(scope, pair("equal")(scope, value, scale(scope, value, 0))), x.order, {
      type,
      stops,
    });
  if (isFloat(type) || !isFloat(x.type)) return { ...x, type };
  return stepOf(x, own(trunc), x.order, { type, stops });
};

/** What goes in steps. */
const stepped =
  (op: Op<"x", "z">): Row =>
  (node, ins, about) => ({ ...(unary(own(op))(node, ins, about) as Step), stops });

/** A comparison or its contrary, and what else gives 0 or 1. */
const comparison = (of: Pair): Row => binary(of, undefined, { type: BOOL, stops });
const unlike =
  (name: "equal" | "less" | "greater"): Pair =>
  (scope, x, y) =>
    not(scope, pair(name)(scope, x, y));

export const elementwise: Readonly<Record<string, Row>> = {
  ...Object.fromEntries(
    ["Abs", "Exp", "Log", "Neg", "Reciprocal", "Relu", "Sigmoid", "Sin", "Sqrt", "Tanh"].map((name) => [name, unary()]),
  ),
  Add: binary(plus, (value) => linear(1, value)),
  And: comparison(times),
  Cast: cast,
  Ceil: stepped(ceil),
  Celu: unary((scope, x, node) => {
    const a = node.float("alpha", 1);
    return scale(scope, elu().apply(scope, scale(scope, x, 1 / a)), a);
  }),
  Clip: clip,
  Cos: unary((scope, x) => z(scope, "sin", scale(scope, x, 1, Math.PI / 2))),
  Div: binary(over, (value, isLeft) =>
    isLeft ? (scope, x) => scale(scope, z(scope, "reciprocal", x), value) : linear(1 / value),
  ),
  Elu: unary(layer((node) => elu({ alpha: node.float("alpha", 1) }))),
  Equal: comparison(pair("equal")),
  Erf: unary(own(erf)),
  Floor: stepped(floor),
  Gelu: unary(layer((node) => gelu({ approximate: node.text("approximate", "none") === "tanh" }))),
  Greater: comparison(pair("greater")),
  GreaterOrEqual: comparison(unlike("less")),
  HardSigmoid: unary(hard),
  HardSwish: unary(layer(() => hardSwish())),
  Identity: (node, ins) => needed(node, ins, 0, "input"),
  LeakyRelu: unary(layer((node) => leakyRelu({ slope: node.float("alpha", 0.01) }))),
  Less: comparison(pair("less")),
  LessOrEqual: comparison(unlike("greater")),
  Max: extreme("maximum", Number.NEGATIVE_INFINITY),
  Mean: (node, ins, about) =>
    several(node, operandsOf(node, ins), about, (scope, values) =>
      scale(
        scope,
        values.reduce((made, one) => plus(scope, made, one)),
        1 / ins.length,
      ),
    ),
  Min: extreme("minimum", Number.POSITIVE_INFINITY),
  Mod: (node, ins, about) => {
    const drop = node.int("fmod", 0) === 1 ? trunc : floor;
    const rest: Pair = (scope, x, y) => minus(scope, x, times(scope, y, scope.op(drop, { x: over(scope, x, y) }).z));
    return binary(rest)(node, ins, about);
  },
  Mul: binary(times, (value) => linear(value)),
  Mish: unary(layer(() => mish())),
  Not: unary(not),
  Or: comparison(pair("maximum")),
  PRelu: prelu,
  Pow: binary(
    // To a power that flows or is a weight: e to y log x, of x above 0.
    (scope, x, y) => z(scope, "exp", times(scope, y, z(scope, "log", x))),
    (exponent, isLeft) => (isLeft ? undefined : (scope, x) => scope.op(ops.pow, { x }, { exponent }).z),
  ),
  Round: stepped(round),
  Selu: unary(scaledElu),
  Sign: unary((scope, x) => minus(scope, gate(scope, x, 0), gate(scope, z(scope, "neg", x), 0))),
  Silu: unary(layer(() => silu())),
  Softplus: unary(layer(() => softplus())),
  Softsign: unary((scope, x) => over(scope, x, scale(scope, z(scope, "abs", x), 1, 1))),
  Sub: binary(minus, (value, isLeft) => (isLeft ? linear(-1, value) : linear(1, -value))),
  Sum: binary(plus),
  ThresholdedRelu: unary((scope, x, node) => times(scope, x, gate(scope, x, node.float("alpha", 1)))),
  Where: where,
  Xor: comparison(unlike("equal")),
};
