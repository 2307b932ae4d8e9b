// Groups of nodes that stand for one operator: exporters write layer normalization, GELU, softmax, attention and look-ups in tables as
// arithmetic. Each is a row here: how it is written, and the operator that takes its place. Only the last node of a group is replaced;
// what nothing else takes falls away, and whatever is not recognised runs as it is written.

import { sizeOf } from "../foreign/strided.ts";
import type { AttributeProto } from "./file.ts";
import type { Host } from "./host.ts";
import { listOf, type Node, nodeOf } from "./node.ts";

/**
 * What a name must be made of: a number, a constant of that value; a text, any value, the same wherever it stands; "#" before it, a
 * constant; "_", whatever there is; a list, one of several forms; else a node with such inputs.
 */
type Form = number | string | readonly Form[] | Made;

interface Made {
  readonly op: string;
  readonly of: readonly Form[];
  /** Of the node itself. */
  readonly if?: (node: Node, at: Lookup) => boolean;
  /** The name under which the row finds this node. */
  readonly as?: string;
}

interface Lookup {
  maker(name: string): Node | undefined;
  constant(name: string): Host | undefined;
  /** How many nodes and outputs take it. */
  uses(name: string): number;
  /** Lengths of an input; undefined for what is none. */
  input(name: string): readonly (number | undefined)[] | undefined;
}

interface Found {
  readonly names: Map<string, string>;
  readonly nodes: Map<string, Node>;
}

/** What takes the place of a group; undefined where it is none after all. */
interface Replacement {
  readonly op: string;
  readonly inputs: readonly string[];
  /** What it is called, if not as its last node. */
  readonly name?: string | undefined;
  readonly attributes?: readonly Partial<AttributeProto>[];
}

interface Pattern {
  /** What the report calls it. */
  readonly name: string;
  readonly form: Form;
  readonly replace: (found: Found, at: Lookup) => Replacement | undefined;
}

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
const whole = (name: string, value: number): Partial<AttributeProto> => ({ name, i: value });
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

const axesOf = (found: Node | undefined, at: Lookup): readonly number[] | undefined => {
  if (found === undefined) return undefined;
  const list = at.constant(found.inputs[1] ?? "");
  return found.ints("axes") ?? (list && listOf(list));
};

const same = (a: readonly number[] | undefined, b: readonly number[] | undefined): boolean =>
  a !== undefined && b !== undefined && a.length > 0 && String(a) === String(b);

const numberOf = (name: string | undefined, at: Lookup): number | undefined => {
  const found = name === undefined ? undefined : at.constant(name);
  return found !== undefined && sizeOf(found.dims) === 1 ? found.data[0] : undefined;
};

// Layer normalization.

const centered: Form = node("Sub", "x", over("ReduceMean", "x", "mean"));
const deviation: Form = node("Sqrt", sum(over("ReduceMean", square(centered), "variance"), "#eps"));
const normal: Form = [node("Div", centered, deviation), product(centered, node("Reciprocal", deviation))];

/** By sums: the mean of squares less the square of the mean. */
const meanBySum: Form = product(over("ReduceSum", "x", "mean"), "#share");
const squaresBySum: Form = product(over("ReduceSum", square("x"), "variance"), "#share");
const varianceBySum: Form = node("Sub", squaresBySum, square(meanBySum));
const inverseBySum: Form = node(
  "Reciprocal",
  node("Sqrt", sum(spread([node("Max", 0, varianceBySum), varianceBySum]), "#eps")),
);
const centeredBySum: Form = node("Sub", "x", spread(meanBySum));
const normalBySum: Form = [
  sum(product(centeredBySum, product(inverseBySum, "#gamma")), "#beta"),
  sum(product(product(centeredBySum, inverseBySum), "#gamma"), "#beta"),
];

/** Over the last axes, whose vectors have as many axes; or over those along which the vectors are. */
function layerNorm({ names, nodes }: Found, at: Lookup): Replacement | undefined {
  const axes = axesOf(nodes.get("mean"), at);
  const eps = numberOf(names.get("#eps"), at);
  if (axes === undefined || eps === undefined || !same(axes, axesOf(nodes.get("variance"), at))) return undefined;
  const vectors = ["#gamma", "#beta"].flatMap((name) => {
    const found = names.get(name);
    return found === undefined ? [] : [found];
  });
  const dims = vectors.map((name) => at.constant(name)?.dims ?? []);
  const isLast =
    axes.every((axis, i) => axis === i - axes.length) && dims.every(({ length }) => length === axes.length);
  const isAlong =
    axes.length === 1 &&
    axes[0]! > 0 &&
    dims.length > 0 &&
    dims.every((one) => one.length > axes[0]! && one.every((length, i) => i === axes[0] || length === 1));
  if (!isLast && !isAlong) return undefined;
  const share = numberOf(names.get("#share"), at);
  if (share !== undefined && Math.abs(share * sizeOf(dims[0] ?? []) - 1) > 1e-3) return undefined;
  const [gamma = "", beta] = [names.get("#gamma"), names.get("#beta")];
  return {
    op: "LayerNormalization",
    inputs: [names.get("x") as string, gamma, ...(beta === undefined ? [] : [beta])],
    attributes: [{ name: "axes", ints: axes }, real("epsilon", eps)],
  };
}

const rms: Form = node("Sqrt", sum(over("ReduceMean", square("x"), "variance"), "#eps"));

function rmsNorm({ names, nodes }: Found, at: Lookup): Replacement | undefined {
  const axes = axesOf(nodes.get("variance"), at);
  const eps = numberOf(names.get("#eps"), at);
  const gamma = names.get("#gamma") as string;
  if (axes?.length !== 1 || axes[0] !== -1 || eps === undefined || at.constant(gamma)?.dims.length !== 1)
    return undefined;
  return { op: "RmsNormalization", inputs: [names.get("x") as string, gamma], attributes: [real("epsilon", eps)] };
}

// GELU.

const cube: Form = [node("Pow", "x", 3), product("x", square("x"))];
const bent: Form = [product(0.044715, cube), product("x", product("x", product(0.044715, "x")))];
const tanhGate: Form = sum(1, node("Tanh", product(0.7978846, sum("x", bent))));
const erfGate: Form = sum(1, node("Erf", [node("Div", "x", Math.SQRT2), product("x", Math.SQRT1_2)]));

const gelu =
  (approximate: string) =>
  ({ names }: Found): Replacement => ({
    op: "Gelu",
    inputs: [names.get("x") as string],
    attributes: [{ name: "approximate", s: approximate }],
  });

const ofX =
  (op: string, attributes: readonly Partial<AttributeProto>[] = []) =>
  ({ names }: Found): Replacement => ({ op, inputs: [names.get("x") as string], attributes });

// Softmax.

const most: Form = over("ReduceMax", "x", "most");
const powers: Form = node("Exp", node("Sub", "x", spread([node("Max", Number.NEGATIVE_INFINITY, most), most])));
const shares: Form = node("Div", powers, spread(over("ReduceSum", powers, "sum")));

function softmax({ names, nodes }: Found, at: Lookup): Replacement | undefined {
  const axes = axesOf(nodes.get("sum"), at);
  if (axes?.length !== 1 || !same(axes, axesOf(nodes.get("most"), at))) return undefined;
  return { op: "Softmax", inputs: [names.get("x") as string], attributes: [whole("axis", axes[0] as number)] };
}

// Attention of all that there is, without a mask.

const scores: Form = node("MatMul", "q", "k");
const weighed: Form = [node("Div", scores, "#divisor"), product(scores, "#factor"), scores];
const attention: Form = node(
  "MatMul",
  {
    op: "Softmax",
    of: [weighed],
    if: (found) => found.int("axis", found.opset < 13 ? 1 : -1) === (found.opset < 13 ? 3 : -1),
  },
  "v",
);

function attend({ names }: Found, at: Lookup): Replacement | undefined {
  const [divisor, factor] = ["#divisor", "#factor"].map((name) =>
    names.has(name) ? numberOf(names.get(name), at) : 1,
  );
  const inputs = ["q", "k", "v"].map((name) => names.get(name) as string);
  if (divisor === undefined || factor === undefined || inputs.some((name) => at.constant(name))) return undefined;
  return { op: "Attention", inputs, attributes: [real("scale", factor / divisor)] };
}

// Rows of a table, by a product with rows that are 1 in one place.

const chosen: Form = node("Cast", [node("Equal", "apart", "#range"), node("Equal", "#range", "apart")]);

function oneHotRows({ names }: Found, at: Lookup): Replacement | undefined {
  const [range, table] = [at.constant(names.get("#range") as string), at.constant(names.get("#table") as string)];
  if (
    range === undefined ||
    table?.dims.length !== 2 ||
    range.dims.at(-1) !== sizeOf(range.dims) ||
    sizeOf(range.dims) !== table.dims[0]
  )
    return undefined;
  if (!Array.from(range.data).every((value, i) => value === i)) return undefined;
  const outer = at.maker(names.get("apart") as string);
  const inner = outer?.op === "Expand" ? at.maker(outer.inputs[0] ?? "") : outer;
  const ids = inner?.inputs[0];
  const given = at.constant(inner?.inputs[1] ?? "");
  if (inner === undefined || ids === undefined) return undefined;
  // A last axis of length 1 is put behind, and nothing else.
  const isUnsqueezed = inner.op === "Unsqueeze" && String(inner.ints("axes") ?? (given && listOf(given))) === "-1";
  const dims = at.input(ids);
  const target = inner.op === "Reshape" && given !== undefined ? listOf(given) : undefined;
  const isReshaped =
    target !== undefined &&
    dims !== undefined &&
    target.length === dims.length + 1 &&
    target.at(-1) === 1 &&
    dims.every((length, i) => i === 0 || length === target[i]);
  return isUnsqueezed || isReshaped ? { op: "OneHotRows", inputs: [ids, names.get("#table") as string] } : undefined;
}

// A dense layer with its bias.

function dense({ names, nodes }: Found, at: Lookup): Replacement | undefined {
  const [w, b] = [names.get("w") as string, names.get("#b") as string];
  const bias = at.constant(b);
  const matrix = at.constant(w) ?? at.constant(transposedOf(w, at) ?? "");
  const units = at.constant(w) === undefined ? matrix?.dims[0] : matrix?.dims[1];
  const made = nodes.get("product")?.outputs[0] as string;
  // Of rank 1, or of 1s before that, beside which a product has no fewer axes.
  const isRow = bias !== undefined && sizeOf(bias.dims) === bias.dims.at(-1) && bias.dims.length <= 2;
  if (matrix?.dims.length !== 2 || !isRow || bias.dims.at(-1) !== units || at.uses(made) !== 1) return undefined;
  return { op: "MatMul", inputs: [names.get("x") as string, w, b], name: nodes.get("product")?.name };
}

const transposedOf = (name: string, at: Lookup): string | undefined => {
  const maker = at.maker(name);
  const perm = maker?.ints("perm");
  return maker?.op === "Transpose" && (perm === undefined || String(perm) === "1,0") ? maker.inputs[0] : undefined;
};

const patterns: readonly Pattern[] = [
  { name: "layerNorm", form: sum(product(normal, "#gamma"), "#beta"), replace: layerNorm },
  { name: "layerNorm", form: normalBySum, replace: layerNorm },
  {
    name: "rmsNorm",
    form: [product(node("Div", "x", rms), "#gamma"), product(product("x", node("Reciprocal", rms)), "#gamma")],
    replace: rmsNorm,
  },
  { name: "gelu", form: product3("x", 0.5, erfGate), replace: gelu("none") },
  { name: "gelu", form: product3("x", 0.5, tanhGate), replace: gelu("tanh") },
  { name: "silu", form: product("x", node("Sigmoid", "x")), replace: ofX("Silu") },
  { name: "mish", form: product("x", node("Tanh", node("Softplus", "x"))), replace: ofX("Mish") },
  { name: "softmax", form: shares, replace: softmax },
  { name: "attention", form: attention, replace: attend },
  { name: "embedding", form: node("MatMul", chosen, "#table"), replace: oneHotRows },
  { name: "dense", form: sum({ op: "MatMul", of: ["x", "w"], as: "product" }, "#b"), replace: dense },
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
    const before = found.names.get(form);
    if (before !== undefined) return before === name ? found : undefined;
    if (form.startsWith("#") && at.constant(name) === undefined) return undefined;
    return { ...found, names: new Map(found.names).set(form, name) };
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
  let known: Found | undefined =
    form.as === undefined ? found : { ...found, nodes: new Map(found.nodes).set(form.as, maker) };
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
    maker: (name) => makers.get(name),
    constant: (name) => known.get(name),
    uses: (name) => uses.get(name) ?? 0,
    input: (name) => inputs.get(name),
  };
  const nodes = given.map((one): Node => {
    const [output = ""] = one.outputs;
    for (const name of one.outputs) makers.set(name, one);
    const value = one.op === "Constant" ? one.tensor("value") : undefined;
    if (value !== undefined) known.set(output, value);
    for (const { name, form, replace } of patterns) {
      const found = matched(output, form, at, { names: new Map(), nodes: new Map() });
      const put = found && replace(found, at);
      if (put === undefined) continue;
      const proto = {
        input: put.inputs,
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
