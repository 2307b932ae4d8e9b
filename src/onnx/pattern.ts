// Groups of nodes that stand for one operator: exporters write layer normalization, GELU, softmax, attention and look-ups in tables as
// arithmetic. Each is a row here: how it is written, and the operator that takes its place. Only the last node of a group is replaced;
// what nothing else takes falls away, and whatever is not recognised runs as it is written.

import { sizeOf } from "../foreign/strided.ts";
import type { AttributeProto } from "./file.ts";
import type { Host } from "./host.ts";
import { listOf, type Node, nodeOf } from "./node.ts";

/**
 * What a name must be made of: a number, a constant of that value; a text, any value, the same wherever it stands; "$" before it, a
 * constant; "_", whatever there is; a list, one of several forms; else a node with such inputs.
 */
type Form = number | string | readonly Form[] | Made;

interface Made {
  readonly op: string;
  readonly of: readonly Form[];
  /** Of the node itself. */
  readonly if?: (node: Node, at: Lookup) => boolean;
  /** The name under which the row finds what this node makes. */
  readonly as?: string;
}

interface Lookup {
  maker(name: string | undefined): Node | undefined;
  constant(name: string | undefined): Host | undefined;
  /** How many nodes and outputs take it. */
  uses(name: string): number;
  /** Lengths of an input; undefined for what is none. */
  input(name: string): readonly (number | undefined)[] | undefined;
}

/** What stands where: names of the file by those of a form. */
type Found = Readonly<Record<string, string>>;

/** What takes the place of a group; undefined where it is none after all. */
interface Replacement {
  readonly op: string;
  readonly inputs: readonly (string | undefined)[];
  /** What it is called, if not as its last node. */
  readonly name?: string | undefined;
  readonly attributes?: readonly Partial<AttributeProto>[];
}

/** What the report calls it, how it is written and what takes its place. */
type Pattern = readonly [name: string, form: Form, replace: (found: Found, at: Lookup) => Replacement | undefined];

const node = (op: string, ...of: readonly Form[]): Made => ({ op, of });
const sum = (a: Form, b: Form): Form => [node("Add", a, b), node("Add", b, a)];
const product = (a: Form, b: Form): Form => [node("Mul", a, b), node("Mul", b, a)];
/** a b c, in whatever way it is put together. */
const product3 = (a: Form, b: Form, c: Form): Form => [
  product(product(a, b), c),
  product(product(a, c), b),
  product(product(b, c), a),
];
const square = (x: Form): Form => [node("Pow", x, 2), node("Mul", x, x)];
const real = (name: string, value: number): Partial<AttributeProto> => ({ name, f: value });

/** Over axes, which may stand in an attribute or an input. */
const over = (op: string, x: Form, as: string): Form => [
  { op, of: [x], as },
  { op, of: [x, "_"], as },
];

/** A number for each row, brought back beside the row. */
const spread = (x: Form): Form => [
  node("Expand", node("Reshape", x, "_"), "_"),
  node("Expand", node("Unsqueeze", x, "_"), "_"),
  node("Reshape", x, "_"),
  node("Unsqueeze", x, "_"),
  x,
];

/** Numbers that stand in an attribute, or as the second input. */
const axesOf = (node: Node | undefined, at: Lookup, attribute = "axes"): readonly number[] | undefined => {
  const list = at.constant(node?.inputs[1]);
  return node?.ints(attribute) ?? (list && listOf(list));
};

/** Axes of the node that makes a name, where others are over the same. */
const sameAxes = (name: string | undefined, other: string | undefined, at: Lookup): readonly number[] | undefined => {
  const axes = axesOf(at.maker(name), at) ?? [];
  return axes.length > 0 && String(axes) === String(axesOf(at.maker(other), at)) ? axes : undefined;
};

const numberOf = (name: string | undefined, at: Lookup): number | undefined => {
  const found = at.constant(name);
  return found !== undefined && sizeOf(found.dims) === 1 ? found.data[0] : undefined;
};

// Layer normalization.

const centered: Form = node("Sub", "x", over("ReduceMean", "x", "mean"));
const deviation: Form = node("Sqrt", sum(over("ReduceMean", square(centered), "variance"), "$eps"));
const normal: Form = [node("Div", centered, deviation), product(centered, node("Reciprocal", deviation))];

/** By sums: the mean of squares less the square of the mean. */
const meanBySum: Form = product(over("ReduceSum", "x", "mean"), "$share");
const squaresBySum: Form = product(over("ReduceSum", square("x"), "variance"), "$share");
const varianceBySum: Form = node("Sub", squaresBySum, square(meanBySum));
const inverseBySum: Form = node(
  "Reciprocal",
  node("Sqrt", sum(spread([node("Max", 0, varianceBySum), varianceBySum]), "$eps")),
);
const centeredBySum: Form = node("Sub", "x", spread(meanBySum));
const normalBySum: Form = [
  sum(product(centeredBySum, product(inverseBySum, "$gamma")), "$beta"),
  sum(product(product(centeredBySum, inverseBySum), "$gamma"), "$beta"),
];

/** Over the last axes, whose vectors have as many axes; or over those along which the vectors are. */
function layerNorm({ x, mean, variance, $eps, $gamma, $beta, $share }: Found, at: Lookup): Replacement | undefined {
  const axes = sameAxes(mean, variance, at);
  const eps = numberOf($eps, at);
  if (axes === undefined || eps === undefined) return undefined;
  const dims = [$gamma, $beta].map((name) => at.constant(name)?.dims ?? []);
  const isLast =
    axes.every((axis, i) => axis === i - axes.length) && dims.every(({ length }) => length === axes.length);
  const isAlong =
    axes.length === 1 &&
    axes[0]! > 0 &&
    dims.every((one) => one.length > axes[0]! && one.every((length, i) => i === axes[0] || length === 1));
  if (!isLast && !isAlong) return undefined;
  const share = numberOf($share, at);
  if (share !== undefined && Math.abs(share * sizeOf(dims[0] ?? []) - 1) > 1e-3) return undefined;
  return {
    op: "LayerNormalization",
    inputs: [x, $gamma, $beta],
    attributes: [{ name: "axes", ints: axes }, real("epsilon", eps)],
  };
}

const rms: Form = node("Sqrt", sum(over("ReduceMean", square("x"), "variance"), "$eps"));

function rmsNorm({ x, variance, $eps, $gamma }: Found, at: Lookup): Replacement | undefined {
  const eps = numberOf($eps, at);
  if (String(axesOf(at.maker(variance), at)) !== "-1" || eps === undefined || at.constant($gamma)?.dims.length !== 1)
    return undefined;
  return { op: "RmsNormalization", inputs: [x, $gamma], attributes: [real("epsilon", eps)] };
}

// GELU.

const cube: Form = [node("Pow", "x", 3), product("x", square("x"))];
const bent: Form = [product(0.044715, cube), product("x", product("x", product(0.044715, "x")))];
const tanhGate: Form = sum(1, node("Tanh", product(0.7978846, sum("x", bent))));
const erfGate: Form = sum(1, node("Erf", [node("Div", "x", Math.SQRT2), product("x", Math.SQRT1_2)]));

const ofX =
  (op: string, attributes: readonly Partial<AttributeProto>[] = []) =>
  ({ x }: Found): Replacement => ({ op, inputs: [x], attributes });

const gelu = (approximate: string) => ofX("Gelu", [{ name: "approximate", s: approximate }]);

// Softmax.

const most: Form = over("ReduceMax", "x", "most");
const powers: Form = node("Exp", node("Sub", "x", spread([node("Max", Number.NEGATIVE_INFINITY, most), most])));
const shares: Form = node("Div", powers, spread(over("ReduceSum", powers, "sum")));

function softmax({ x, sum, most }: Found, at: Lookup): Replacement | undefined {
  const axes = sameAxes(sum, most, at);
  if (axes?.length !== 1) return undefined;
  return { op: "Softmax", inputs: [x], attributes: [{ name: "axis", i: axes[0] as number }] };
}

// Attention of all that there is, without a mask.

const scores: Form = node("MatMul", "q", "k");
const weighed: Form = [node("Div", scores, "$divisor"), product(scores, "$factor"), scores];
const attention: Form = node(
  "MatMul",
  {
    op: "Softmax",
    of: [weighed],
    if: (found) => found.int("axis", found.opset < 13 ? 1 : -1) === (found.opset < 13 ? 3 : -1),
  },
  "v",
);

function attend({ q, k, v, $divisor, $factor }: Found, at: Lookup): Replacement | undefined {
  const [divisor, factor] = [$divisor, $factor].map((name) => (name === undefined ? 1 : numberOf(name, at)));
  const inputs = [q, k, v];
  if (divisor === undefined || factor === undefined || inputs.some((name) => at.constant(name))) return undefined;
  return { op: "Attention", inputs, attributes: [real("scale", factor / divisor)] };
}

// Rows of a table, by a product with rows that are 1 in one place.

const chosen: Form = node("Cast", [node("Equal", "apart", "$range"), node("Equal", "$range", "apart")]);

function oneHotRows({ apart, $range, $table }: Found, at: Lookup): Replacement | undefined {
  const range = at.constant($range) as Host;
  const table = at.constant($table) as Host;
  const count = sizeOf(range.dims);
  if (table.dims.length !== 2 || range.dims.at(-1) !== count || count !== table.dims[0]) return undefined;
  if (!listOf(range).every((value, i) => value === i)) return undefined;
  const outer = at.maker(apart);
  const inner = outer?.op === "Expand" ? at.maker(outer.inputs[0]) : outer;
  const ids = inner?.inputs[0];
  const target = axesOf(inner, at);
  if (inner === undefined || ids === undefined || target === undefined) return undefined;
  // A last axis of length 1 is put behind, and nothing else.
  const dims = at.input(ids);
  const fits =
    inner.op === "Unsqueeze"
      ? String(target) === "-1"
      : inner.op === "Reshape" &&
        target.length - 1 === dims?.length &&
        target.at(-1) === 1 &&
        dims.every((length, i) => i === 0 || length === target[i]);
  return fits ? { op: "OneHotRows", inputs: [ids, $table] } : undefined;
}

// A dense layer with its bias.

function dense({ x, w, $b, product }: Found, at: Lookup): Replacement | undefined {
  const maker = at.maker(w);
  const isTurned = maker?.op === "Transpose" && String(maker.ints("perm") ?? "1,0") === "1,0";
  const own = at.constant(w);
  const matrix = own ?? (isTurned ? at.constant(maker.inputs[0]) : undefined);
  const units = matrix?.dims[own === undefined ? 0 : 1];
  const { dims } = at.constant($b) as Host;
  // A bias of rank 1, or of 1s before that, beside which a product has no fewer axes.
  const isRow = sizeOf(dims) === dims.at(-1) && dims.length <= 2;
  if (matrix?.dims.length !== 2 || !isRow || dims.at(-1) !== units || at.uses(product as string) !== 1)
    return undefined;
  return { op: "MatMul", inputs: [x, w, $b], name: at.maker(product)?.name };
}

const patterns: readonly Pattern[] = [
  ["layerNorm", [sum(product(normal, "$gamma"), "$beta"), normalBySum], layerNorm],
  [
    "rmsNorm",
    [product(node("Div", "x", rms), "$gamma"), product(product("x", node("Reciprocal", rms)), "$gamma")],
    rmsNorm,
  ],
  ["gelu", product3("x", 0.5, erfGate), gelu("none")],
  ["gelu", product3("x", 0.5, tanhGate), gelu("tanh")],
  ["silu", product("x", node("Sigmoid", "x")), ofX("Silu")],
  ["mish", product("x", node("Tanh", node("Softplus", "x"))), ofX("Mish")],
  ["softmax", shares, softmax],
  ["attention", attention, attend],
  ["embedding", node("MatMul", chosen, "$table"), oneHotRows],
  ["dense", sum({ op: "MatMul", of: ["x", "w"], as: "product" }, "$b"), dense],
];

/** Whether a name is made so; gives what stands where. Of several forms the first that fits counts. */
function matched(name: string, form: Form, at: Lookup, found: Found): Found | undefined {
  if (typeof form === "number") {
    const value = numberOf(name, at);
    const fits =
      value === form || (value !== undefined && Math.abs(value - form) <= 1e-5 * Math.max(1, Math.abs(form)));
    return fits ? found : undefined;
  }
  if (typeof form === "string") {
    if (form === "_") return found;
    const before = found[form];
    if (before !== undefined) return before === name ? found : undefined;
    if (form.startsWith("$") && at.constant(name) === undefined) return undefined;
    return { ...found, [form]: name };
  }
  if (!("op" in form)) {
    for (const one of form) {
      const fits = matched(name, one, at, found);
      if (fits !== undefined) return fits;
    }
    return undefined;
  }
  const maker = at.maker(name);
  const inputs = maker?.inputs.filter((input) => input !== "") ?? [];
  if (maker?.op !== form.op || inputs.length !== form.of.length || form.if?.(maker, at) === false) return undefined;
  let known: Found | undefined = form.as === undefined ? found : { ...found, [form.as]: name };
  for (const [i, input] of inputs.entries()) known = known && matched(input, form.of[i] as Form, at, known);
  return known;
}

/** The nodes, in order, with the last of each group as one for all; `kinds` says of those what they stand for. */
export function recognise(
  given: readonly Node[],
  constants: ReadonlyMap<string, Host>,
  inputs: ReadonlyMap<string, readonly (number | undefined)[] | undefined>,
  outputs: readonly string[],
): { readonly nodes: readonly Node[]; readonly kinds: ReadonlyMap<Node, string> } {
  const makers = new Map<string, Node>();
  const uses = new Map<string, number>();
  for (const name of [...given.flatMap((one) => one.inputs), ...outputs]) uses.set(name, (uses.get(name) ?? 0) + 1);
  const known = new Map(constants);
  const kinds = new Map<Node, string>();
  const at: Lookup = {
    maker: (name = "") => makers.get(name),
    constant: (name = "") => known.get(name),
    uses: (name) => uses.get(name) ?? 0,
    input: (name) => inputs.get(name),
  };
  const nodes = given.map((one): Node => {
    const [output = ""] = one.outputs;
    for (const name of one.outputs) makers.set(name, one);
    const value = one.op === "Constant" ? one.tensor("value") : undefined;
    if (value !== undefined) known.set(output, value);
    for (const [name, form, replace] of patterns) {
      const found = matched(output, form, at, {});
      const put = found && replace(found, at);
      if (put === undefined) continue;
      const proto = {
        input: put.inputs as string[],
        output: one.outputs,
        op: put.op,
        name: put.name ?? one.name.replace(/(?<=.)\/[^/]+$/, ""),
        attribute: put.attributes ?? [],
      };
      const made = nodeOf(proto, 0, 17, undefined);
      kinds.set(made, name);
      return made;
    }
    return one;
  });
  return { nodes, kinds };
}
