// Operators that work on each number by itself.

import { sizeOf } from "../../foreign/strided.ts";
import {
  elu,
  gelu,
  hardSigmoid,
  hardSwish,
  leakyRelu,
  mish,
  type Op,
  type OpLayer,
  ops,
  type Scope,
  selu,
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
  inOrder,
  inputOf,
  isHost,
  isLive,
  type Known,
  type Live,
  lastName,
  needed,
  type Row,
  type Step,
  tensorOf,
  view,
  type Weight,
  weight,
} from "../live.ts";
import { type Node, refuse } from "../node.ts";
import { joint } from "../shapes.ts";

type Of = (scope: Scope, x: Value, node: Node) => Value;

/** A function of one number. */
const unary =
  (kind: string, of: Of): Row =>
  (node, ins) => {
    const x = inputOf(node, ins);
    return { kind, takes: [x], run: (scope, [value]) => of(scope, value as Value, node), orders: [x.order] };
  };

const z =
  (op: Op<"x", "z">): Of =>
  (scope, x) =>
    scope.op(op, { x }).z;

const layer =
  (make: (node: Node) => ReturnType<OpLayer<[]>>): Of =>
  (scope, x, node) =>
    make(node).apply(scope, x);

const plus = (scope: Scope, x: Value, y: Value): Value => scope.op(ops.add, { x, y }).z;
const minus = (scope: Scope, x: Value, y: Value): Value => scope.op(ops.subtract, { x, y }).z;
const times = (scope: Scope, x: Value, y: Value): Value => scope.op(ops.multiply, { x, y }).z;
const over = (scope: Scope, x: Value, y: Value): Value => scope.op(ops.divide, { x, y }).z;
const compare =
  (name: "equal" | "greater" | "less") =>
  (scope: Scope, x: Value, y: Value): Value =>
    scope.op(ops[name], { x, y }).z;
const not = (scope: Scope, x: Value): Value => scale(scope, x, -1, 1);

const near = (a: number, b: number): boolean => Math.abs(a - b) < 1e-5;

/** alpha of leakyRelu and elu, of which Gradus has those of at least 0. */
function alpha(node: Node, otherwise: number): number {
  const given = node.float("alpha", otherwise);
  return given >= 0 ? given : refuse(node, `its alpha is ${given}, at least 0 is read.`);
}

function hard(scope: Scope, x: Value, node: Node): Value {
  const [slope, offset] = [node.float("alpha", 0.2), node.float("beta", 0.5)];
  if (near(slope, 1 / 6) && near(offset, 0.5)) return hardSigmoid().apply(scope, x);
  return scope.op(ops.clip, { x: scale(scope, x, slope, offset) }, { min: 0, max: 1 }).z;
}

function scaledElu(scope: Scope, x: Value, node: Node): Value {
  const [a, gamma] = [alpha(node, 1.6732632), node.float("gamma", 1.0507009)];
  if (near(a, 1.6732632) && near(gamma, 1.0507009)) return selu().apply(scope, x);
  return scale(scope, elu({ alpha: a }).apply(scope, x), gamma);
}

const gate = (scope: Scope, x: Value, bound: number): Value => {
  const zero = scale(scope, x, 0, bound);
  return scope.op(ops.greater, { x, y: zero }).z;
};

/** A constant of an operator on several, ready for the order that its value is in. */
export function aligned(node: Node, given: Host, about: About, order: readonly number[]): Weight {
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

/** A step of several values, each brought into one order, constants as tensors. */
export function several(
  node: Node,
  ins: readonly Known[],
  about: About,
  kind: string,
  run: (scope: Scope, values: readonly Value[]) => Value,
): Step {
  ins.reduce((dims: readonly number[], one) => joint(node, dims, dimsOf(one)), []);
  const order = commonOrder(ins);
  const takes = ins.filter(isLive);
  const weights: Record<string, Weight> = {};
  const places = ins.map((one, i) => {
    if (one.kind === "live") return takes.indexOf(one);
    const own = lastName(one, one.name === undefined ? "value" : "weight");
    const name = Object.hasOwn(weights, own) ? `${own}_${i}` : own;
    weights[name] = aligned(node, one, about, order);
    return name;
  });
  return {
    ...{ kind, takes, weights },
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

type Pair = (scope: Scope, x: Value, y: Value) => Value;

/** Where one of two is a number, what is done with it; undefined where there is no short way. */
interface Short {
  readonly right?: (value: number) => ((scope: Scope, x: Value) => Value) | undefined;
  readonly left?: (value: number) => ((scope: Scope, x: Value) => Value) | undefined;
}

function binary(kind: string, of: Pair, short: Short = {}, more: Partial<Step> = {}): Row {
  return (node, ins, about) => {
    if (ins.length === 0) refuse(node, "it has no inputs.");
    const given = ins.map((_, i) => needed(node, ins, i, "operand"));
    if (given.length === 1) return given[0] as Known;
    const [x, y] = given as [Known, Known];
    if (given.length === 2) {
      const [a, b] = [scalar(x, about), scalar(y, about)];
      const way =
        isLive(x) && b !== undefined ? short.right?.(b) : isLive(y) && a !== undefined ? short.left?.(a) : undefined;
      const one = isLive(x) ? x : (y as Live);
      const other = isLive(x) ? y : x;
      if (way !== undefined && dimsOf(other).length <= one.order.length)
        return {
          kind,
          takes: [one],
          run: (scope, [value]) => way(scope, value as Value),
          orders: [one.order],
          ...more,
        };
    }
    // Division, among whole numbers, drops what is left over.
    if (kind === "divide" && isLive(x) && !isFloat(x.type))
      refuse(node, `it divides values of ${typeName(x.type)}; those of a float are read.`);
    return {
      ...several(node, given, about, kind, (scope, values) =>
        values.slice(1).reduce((made, one) => of(scope, made, one), values[0] as Value),
      ),
      ...more,
    };
  };
}

const linear =
  (factor: (value: number) => number, offset: (value: number) => number) =>
  (value: number) =>
  (scope: Scope, x: Value): Value =>
    scale(scope, x, factor(value), offset(value));

const one = (): number => 1;
const zero = (): number => 0;
const negative = (): number => -1;
const same = (value: number): number => value;

const stops = "a comparison has no slope";
const steps = "steps have no slope";
const compared = { type: BOOL, stops };

/** x to a power that flows or is a weight: e to y log x, of x above 0. */
const power: Pair = (scope, x, y) => scope.op(ops.exp, { x: times(scope, y, scope.op(ops.log, { x }).z) }).z;

const clipped =
  (limits: { readonly min?: number; readonly max?: number }) =>
  (scope: Scope, x: Value): Value =>
    scope.op(ops.clip, { x }, limits).z;

/** max and min with a number; those of infinity are no bounds. */
const bound = (name: "min" | "max") => (value: number) => clipped({ [name]: value });

/** Operators on several, of which a bound may be infinite. */
const extreme =
  (kind: "maximum" | "minimum", infinite: number): Row =>
  (node, ins, about) => {
    const bounds = ins.filter((one) => !(isHost(one) && sizeOf(one.dims) === 1 && one.data[0] === infinite));
    return binary(kind, (scope, x, y) => scope.op(ops[kind], { x, y }).z, {
      right: bound(kind === "maximum" ? "min" : "max"),
      left: bound(kind === "maximum" ? "min" : "max"),
    })(node, bounds, about);
  };

const clip: Row = (node, ins) => {
  const x = inputOf(node, ins);
  const limit = (at: number, name: string): number | undefined => {
    const value = constant(node, ins[at], name)?.data[0] ?? (node.has(name) ? node.float(name, 0) : undefined);
    return value === undefined || !Number.isFinite(Math.fround(value)) ? undefined : value;
  };
  const [min, max] = [limit(1, "min"), limit(2, "max")];
  if (min === undefined && max === undefined) return x;
  if (min !== undefined && max !== undefined && min > max) {
    return {
      kind: "clip",
      takes: [x],
      orders: [x.order],
      run: (scope, [value]) => scale(scope, value as Value, 0, max),
    };
  }
  const limits = { ...(min !== undefined && { min }), ...(max !== undefined && { max }) };
  return {
    kind: "clip",
    takes: [x],
    run: (scope, [value]) => clipped(limits)(scope, value as Value),
    orders: [x.order],
  };
};

/** Where: a mask that is added as a constant may hold infinities, which become the ends of f32. */
const where: Row = (node, ins, about) => {
  const given = [0, 1, 2].map((i) => needed(node, ins, i, "operand"));
  const step = several(
    node,
    given,
    about,
    "where",
    (scope, [condition, x, y]) =>
      scope.op(ops.where, { condition: condition as Value, x: x as Value, y: y as Value }).z,
  );
  return { ...step, type: (given[1] as Known).type };
};

/** A slope below 0 for each channel, or for whatever it is repeated to. */
const prelu: Row = (node, ins, about) =>
  several(node, [needed(node, ins, 0, "input"), needed(node, ins, 1, "slope")], about, "prelu", (scope, [x, slope]) => {
    const above = scope.op(ops.relu, { x: x as Value }).z;
    return plus(scope, above, times(scope, slope as Value, minus(scope, x as Value, above)));
  });

const cast: Row = (node, ins) => {
  const x = inputOf(node, ins);
  const type = node.int("to", 1);
  if (type === BOOL && x.type !== BOOL)
    return {
      kind: "cast",
      takes: [x],
      orders: [x.order],
      type,
      stops,
      run: (scope, [value]) => not(scope, compare("equal")(scope, value as Value, scale(scope, value as Value, 0))),
    };
  if (isFloat(type) || !isFloat(x.type)) return { ...x, type };
  return {
    ...{ kind: "cast", takes: [x], orders: [x.order], type, stops: steps },
    run: (scope, [value]) => scope.op(trunc, { x: value as Value }).z,
  };
};

/** What goes in steps. */
const stepped =
  (kind: string, op: Op<"x", "z">): Row =>
  (node, ins, about) => ({ ...(unary(kind, z(op))(node, ins, about) as Step), stops: steps });

const alias: Row = (node, ins) => needed(node, ins, 0, "input");

export const elementwise: Readonly<Record<string, Row>> = {
  Abs: unary("abs", z(ops.abs)),
  Add: binary("add", plus, { right: linear(one, same), left: linear(one, same) }),
  And: binary("and", times, {}, compared),
  Cast: cast,
  Ceil: stepped("ceil", ceil),
  Celu: unary("celu", (scope, x, node) => {
    const a = node.float("alpha", 1);
    return scale(scope, elu({ alpha: 1 }).apply(scope, scale(scope, x, 1 / a)), a);
  }),
  Clip: clip,
  Cos: unary("cos", (scope, x) => scope.op(ops.sin, { x: scale(scope, x, 1, Math.PI / 2) }).z),
  Div: binary("divide", over, {
    right: linear((value) => 1 / value, zero),
    left: (value) => (scope, x) => scale(scope, scope.op(ops.reciprocal, { x }).z, value),
  }),
  Elu: unary(
    "elu",
    layer((node) => elu({ alpha: alpha(node, 1) })),
  ),
  Equal: binary("equal", compare("equal"), {}, compared),
  Erf: unary("erf", z(erf)),
  Exp: unary("exp", z(ops.exp)),
  Floor: stepped("floor", floor),
  Gelu: unary(
    "gelu",
    layer((node) => gelu({ approximate: node.text("approximate", "none") === "tanh" })),
  ),
  Greater: binary("greater", compare("greater"), {}, compared),
  GreaterOrEqual: binary("greaterOrEqual", (scope, x, y) => not(scope, compare("less")(scope, x, y)), {}, compared),
  HardSigmoid: unary("hardSigmoid", hard),
  HardSwish: unary(
    "hardSwish",
    layer(() => hardSwish()),
  ),
  Identity: alias,
  LeakyRelu: unary(
    "leakyRelu",
    layer((node) => leakyRelu({ slope: alpha(node, 0.01) })),
  ),
  Less: binary("less", compare("less"), {}, compared),
  LessOrEqual: binary("lessOrEqual", (scope, x, y) => not(scope, compare("greater")(scope, x, y)), {}, compared),
  Log: unary("log", z(ops.log)),
  Max: extreme("maximum", Number.NEGATIVE_INFINITY),
  Mean: (node, ins, about) => {
    const step = binary("mean", plus)(node, ins, about) as Step | Known;
    if (!("run" in step)) return step;
    return { ...step, run: (scope, values) => scale(scope, step.run(scope, values) as Value, 1 / ins.length) };
  },
  Min: extreme("minimum", Number.POSITIVE_INFINITY),
  Mod: (node, ins, about) => {
    const drop = node.int("fmod", 0) === 1 ? trunc : floor;
    const rest: Pair = (scope, x, y) => minus(scope, x, times(scope, y, scope.op(drop, { x: over(scope, x, y) }).z));
    return binary("mod", rest)(node, ins, about);
  },
  Mul: binary("multiply", times, { right: linear(same, zero), left: linear(same, zero) }),
  Mish: unary(
    "mish",
    layer(() => mish()),
  ),
  Neg: unary("neg", z(ops.neg)),
  Not: unary("not", not),
  Or: binary("or", (scope, x, y) => scope.op(ops.maximum, { x, y }).z, {}, compared),
  PRelu: prelu,
  Pow: binary("power", power, { right: (exponent) => (scope, x) => scope.op(ops.pow, { x }, { exponent }).z }),
  Reciprocal: unary("reciprocal", z(ops.reciprocal)),
  Relu: unary("relu", z(ops.relu)),
  Round: stepped("round", round),
  Selu: unary("selu", scaledElu),
  Sigmoid: unary("sigmoid", z(ops.sigmoid)),
  Sign: unary("sign", (scope, x) => minus(scope, gate(scope, x, 0), gate(scope, scope.op(ops.neg, { x }).z, 0))),
  Silu: unary(
    "silu",
    layer(() => silu()),
  ),
  Sin: unary("sin", z(ops.sin)),
  Softplus: unary(
    "softplus",
    layer(() => softplus()),
  ),
  Softsign: unary("softsign", (scope, x) => over(scope, x, scale(scope, scope.op(ops.abs, { x }).z, 1, 1))),
  Sqrt: unary("sqrt", z(ops.sqrt)),
  Sub: binary("subtract", minus, { right: linear(one, (value) => -value), left: linear(negative, same) }),
  Sum: binary("add", plus),
  Tanh: unary("tanh", z(ops.tanh)),
  ThresholdedRelu: unary("thresholdedRelu", (scope, x, node) =>
    times(scope, x, gate(scope, x, node.float("alpha", 1))),
  ),
  Where: where,
  Xor: binary("xor", (scope, x, y) => scope.op(ops.abs, { x: minus(scope, x, y) }).z, {}, compared),
};
