// An ONNX file as a model of named parts.

import { sizeOf } from "../foreign/strided.ts";
import {
  CheckpointError,
  graph,
  type Input,
  type Model,
  OptionError,
  type Scope,
  type Value,
  type Values,
} from "../index.ts";
import { fail, failInput } from "./fail.ts";
import { type GraphProto, readGraph, readModel, type TensorProto, type ValueProto } from "./file.ts";
import { checkSize, type External, type Host, isFloat, readTensor, typeName } from "./host.ts";
import { seeded } from "./live.ts";
import { claims, piecesOf } from "./names.ts";
import { type Branch, type Node, nodeOf, own, refuse } from "./node.ts";
import { checkAsked, sorted } from "./order.ts";
import { keepOrigin } from "./origin.ts";
import { recognise } from "./pattern.ts";
import { type OnnxReport, reportOf } from "./report.ts";
import { listed, type Piece, type Plot, type PlotInput, type Walk, walk } from "./walk.ts";

/** Options of `fromOnnx`. */
export interface OnnxOptions {
  /** Bytes of the files that hold tensors, by the path that the model says. Nothing is read from anywhere else. */
  readonly external?: External;
  /** Shapes of inputs that the file leaves open, the samples among them, by ONNX's names: `{ tokens: [1, 128] }`. */
  readonly input?: { readonly [name: string]: readonly number[] };
  /** Which outputs the model gives, by ONNX's names. Default: all. */
  readonly outputs?: readonly string[];
  /** Initializers that are kept as they are: by ONNX's names, in which * is any text. Default: those that are one number. */
  readonly fixed?: string | readonly string[];
  /** Whether images come and go as [B, H, W, C], and not as in the file, [B, C, H, W]. Default false. */
  readonly channelsLast?: boolean;
  /**
   * "free", the default: the first axis of inputs counts samples, of which there may be any number. "none": it does not; a sample is all
   * of the inputs, and the model takes one.
   */
  readonly batch?: "free" | "none";
}

/** What `fromOnnx` gives. */
export interface FromOnnx {
  /** A model like any other; its weights are those of the file. */
  readonly model: Model;
  /** What compile is to be given as `input`: without the batch. */
  readonly input: Input | { readonly [name: string]: Input };
  /** Parameters and states by the model's names. */
  readonly weights: Map<string, { readonly shape: readonly number[]; readonly data: Float32Array }>;
  /** What was read, for people: `console.log(String(report))`. */
  readonly report: OnnxReport;
}

const KEYS = ["external", "input", "outputs", "fixed", "channelsLast", "batch"];

/**
 * Reads an ONNX file of opset 7 to 17 as a model that trains: each node with weights is a part of the model under the name of its module,
 * initializers are parameters, running means are states. Shapes are reckoned, and what makes a layer of several nodes is recognised.
 * Weights have Gradus's layouts (dense [in, out], filters [kh, kw, in, out]); the report says which tensor of the file each is.
 *
 * Throws CheckpointError, with node and both numbers, for files that are damaged or ask for what is not read; OptionError and NameError
 * for options.
 *
 * @example
 * const { model, input, weights, report } = await fromOnnx(bytes);
 * const trainer = await compile(model, { input, weights, loss: crossEntropy() });
 */
export async function fromOnnx(bytes: Uint8Array | ArrayBuffer, options: OnnxOptions = {}): Promise<FromOnnx> {
  checkOptions(bytes, options);
  const { external } = options;
  const file = readModel(bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes));
  const { graph: found, opset } = file;
  for (const list of [found.input, found.output]) {
    const seen = new Set<string>();
    for (const { name } of list) if (seen.size === seen.add(name).size) failTwice(name);
  }
  if (found.sparse.length > 0)
    fail(`the file has ${found.sparse.length} sparse tensors, none is read. Make them dense.`);
  const constants = new Map<string, Host>();
  const nodes = nodesOf(found, constants, opset, external);
  const { plot, recognised, leftOut } = plotOf(found, nodes, constants, options);
  return modelOf(plot, {
    producer: [file.producer, file.producerVersion].filter(Boolean).join(" "),
    opset,
    recognised,
    leftOut,
  });
}

function failOption(text: string): never {
  throw new OptionError(`fromOnnx: ${text}`);
}

function checkOptions(bytes: unknown, options: OnnxOptions): void {
  const given: OnnxOptions = Object(options);
  const odd = Object.keys(given).find((key) => !KEYS.includes(key));
  if (odd !== undefined) failOption(`it has no "${odd}". It may have ${KEYS.join(", ")}.`);
  const { batch = "free", channelsLast = false, external } = given;
  const isBytes = bytes instanceof Uint8Array || bytes instanceof ArrayBuffer;
  const rules: readonly (readonly [what: string, given: unknown, fits: boolean, wanted: string])[] = [
    ["its file", isBytes ? "" : bytes, isBytes, "a Uint8Array or an ArrayBuffer"],
    ["its options", options, given === options, "an object"],
    ["batch", batch, ["free", "none"].includes(batch), '"free" or "none"'],
    ["channelsLast", channelsLast, typeof channelsLast === "boolean", "true or false"],
    ["external", external, ["function", "undefined"].includes(typeof external), "a function"],
  ];
  for (const [what, value, fits, wanted] of rules)
    if (!fits) failOption(`${what} is ${JSON.stringify(value)}, it must be ${wanted}.`);
}

/** An initializer under its name, by which it is a weight. */
function initializerOf(proto: TensorProto, external: External | undefined): Host {
  const name = proto.name;
  return { ...readTensor(proto, `the initializer "${name}"`, external), name };
}

/** Nodes of a graph, whose constants stand beside those of all others. */
function nodesOf(
  graph: GraphProto,
  constants: Map<string, Host>,
  opset: number,
  external: External | undefined,
  depth = 0,
): Node[] {
  for (const proto of graph.initializer)
    if (constants.size === constants.set(proto.name, initializerOf(proto, external)).size) failTwice(proto.name);
  return graph.node.map((proto, i): Node => {
    const node = nodeOf(proto, i, opset, external);
    const { domain } = proto;
    if (domain !== "" && domain !== "ai.onnx")
      refuse(node, `it is an operator of "${domain}", those of "ai.onnx" are read.`);
    if (depth > 9) refuse(node, `it lies in ${depth} graphs, 9 are the most.`);
    const branches = new Map<string, Branch>();
    const inputs = new Set<string>();
    for (const { name, g } of proto.attribute) {
      if (g === undefined) continue;
      const inner = readGraph(g);
      const nodes = nodesOf(inner, constants, opset, external, depth + 1);
      const outputs = inner.output.map((one) => one.name);
      branches.set(name, { nodes, outputs });
      const made = new Set(nodes.flatMap((one) => one.outputs));
      for (const taken of [...nodes.flatMap((one) => one.inputs), ...outputs]) if (!made.has(taken)) inputs.add(taken);
    }
    return { ...node, branches, inputs: [...node.inputs, ...inputs] };
  });
}

const failTwice = (name: string): never => fail(`"${name}" stands twice. The file is damaged.`);

/** Whether one of the patterns is the whole name. */
function matcher(patterns: string | readonly string[] | undefined): (name: string) => boolean {
  const tests = [patterns ?? []].flat().map((pattern) => {
    const text = String(pattern).replace(/\W/g, (sign) => (sign === "*" ? ".*" : `\\${sign}`));
    return new RegExp(`^${text}$`, "s");
  });
  return (name) => tests.some((test) => test.test(name));
}

/** Operators whose weights are laid out anew, so that several cannot share one. */
const ownWeights = new Set(["LayerNormalization", "InstanceNormalization", "BatchNormalization", "LSTM", "GRU"]);

interface Plotted {
  readonly plot: Plot;
  readonly recognised: Readonly<Record<string, number>>;
  readonly leftOut: readonly string[];
}

function plotOf(found: GraphProto, all: readonly Node[], constants: Map<string, Host>, options: OnnxOptions): Plotted {
  const free = (options.batch ?? "free") === "free";
  const inputs = found.input.filter(({ name }) => !constants.has(name));
  const there = found.output.map(({ name }) => name);
  const asked = inputs.map(({ name }) => name);
  const wanted = options.outputs ?? there;
  checkAsked("output", wanted, there);
  checkAsked("input", Object.keys(options.input ?? {}), asked);
  for (const [what, all] of Object.entries({ inputs, outputs: wanted }))
    if (all.length === 0) fail(`the file has 0 ${what}, at least 1 is needed.`);
  const given = new Set([...constants.keys(), ...asked]);
  const lengths = new Map(
    inputs.map(({ name, type }) => [name, type?.tensor?.shape?.dim.map(({ value }) => value)] as const),
  );
  const { nodes: grouped, kinds } = recognise(sorted(all, given, wanted), constants, lengths, wanted);
  const nodes = sorted(grouped, given, wanted);
  const recognised: Record<string, number> = {};
  for (const name of nodes.flatMap((node) => kinds.get(node) ?? [])) recognised[name] = (recognised[name] ?? 0) + 1;
  const isFixed = matcher(options.fixed);
  const trains = (name: string): boolean => !isFixed(name);
  const used = new Set([...nodes.flatMap((node) => node.inputs), ...wanted]);
  const kept = inputs.filter(({ name }) => used.has(name));
  if (kept.length === 0) fail(`its outputs need none of ${inputs.length} inputs.`);
  const claim = claims([]);
  const plotted = kept.map((proto) =>
    inputOf(
      proto,
      kept.length === 1 ? "x" : claim(piecesOf(proto.name).join("_") || "input"),
      options,
      free ? nodes : [],
      constants,
    ),
  );
  const told = free ? plotted[0]?.dims[0] : undefined;
  const named = claims([]);
  const reckoned = reckonedOf(nodes);
  const shared = [...constants].flatMap(([name, one]) => {
    const takers = nodes.filter((node) => node.inputs.includes(name));
    const uses = takers.flatMap((node) => node.inputs.filter((input) => input === name));
    const isShared =
      uses.length > 1 &&
      isFloat(one.type) &&
      sizeOf(one.dims) > 1 &&
      trains(name) &&
      !takers.some((taker) => ownWeights.has(taker.op) || reckoned.has(taker));
    return isShared ? [name] : [];
  });
  return {
    plot: {
      ...{ nodes, reckoned, constants, inputs: plotted, free, told, trains, shared: new Set(shared) },
      outputs: wanted.map((source) => ({ source, name: named(piecesOf(source).join("_") || "output") })),
      channelsLast: options.channelsLast === true,
    },
    recognised,
    leftOut: [...given].filter((name) => !used.has(name)),
  };
}

/** All nodes behind the weights of operators that need them as constants. */
function reckonedOf(nodes: readonly Node[]): Set<Node> {
  const wanted = new Set(nodes.flatMap((node) => (ownWeights.has(node.op) ? node.inputs.slice(1, 4) : [])));
  const found = new Set<Node>();
  for (const node of nodes.toReversed()) {
    if (ownWeights.has(node.op) || !node.outputs.some((name) => wanted.has(name))) continue;
    found.add(node);
    for (const input of node.inputs) wanted.add(input);
  }
  return found;
}

function inputOf(
  proto: ValueProto,
  name: string,
  options: OnnxOptions,
  nodes: readonly Node[],
  constants: ReadonlyMap<string, Host>,
): PlotInput {
  const source = proto.name;
  const { element = 0, shape } = proto.type?.tensor ?? {};
  if (typeName(element).startsWith("type "))
    fail(`the input "${source}" is of ${typeName(element)}, tensors of numbers are read.`);
  const asked = own(options.input ?? {}, source);
  const told = shape?.dim.map(({ value }) => (value !== undefined && value > 0 ? value : undefined));
  const fits =
    asked === undefined ||
    (Array.isArray(asked) &&
      asked.every((length) => Number.isSafeInteger(length) && length >= 1) &&
      (told === undefined ||
        (asked.length === told.length &&
          told.every((length, i) => i === 0 || length === undefined || length === asked[i]))));
  if (!fits)
    failOption(
      `the shape of input "${source}" is ${JSON.stringify(asked)}, in the file it is [${told?.map((length) => length ?? "any")}]. Give whole numbers like that.`,
    );
  const dims = asked ?? told ?? failInput(source, "no shape");
  if ((options.batch ?? "free") === "free" && dims.length === 0)
    fail(`the input "${source}" has no axis of samples. Give fromOnnx { batch: "none" }.`);
  const classes = isFloat(element) ? undefined : classesOf(source, nodes, constants);
  return { source, name, dims, type: element, classes };
}

/** Rows of the tables that an input of whole numbers looks up; undefined where it does anything else. */
function classesOf(source: string, nodes: readonly Node[], constants: ReadonlyMap<string, Host>): number | undefined {
  const takers = nodes.filter((node) => node.inputs.includes(source) && node.op !== "Shape" && node.op !== "Size");
  const rows = takers.map((node): number | undefined => {
    if (node.op === "Cast" || node.op === "Identity") return classesOf(node.outputs[0] ?? "", nodes, constants);
    const table = constants.get(node.inputs[node.op === "OneHotRows" ? 1 : 0] ?? "");
    const isLookUp =
      (node.op === "Gather" && node.inputs[1] === source && node.int("axis", 0) === 0) || node.op === "OneHotRows";
    return isLookUp && table?.dims.length === 2 ? table.dims[0] : undefined;
  });
  return rows.length > 0 && rows.every((count) => count !== undefined) ? Math.min(...(rows as number[])) : undefined;
}

interface Facts {
  readonly producer: string;
  readonly opset: number;
  readonly recognised: Readonly<Record<string, number>>;
  readonly leftOut: readonly string[];
}

/** Numbers of samples of the first walks, of which shapes show where the samples are. */
const TRIALS = [2, 3] as const;

function modelOf(plot: Plot, facts: Facts): FromOnnx {
  const walks = new Map<number, Walk>();
  const at = (batch: number): Walk => {
    const known = walks.get(batch) ?? walk(plot, batch);
    walks.set(batch, known);
    return known;
  };
  const { first, other, batch } = trial(plot, at);
  const home = plot.inputs[0]?.name as string;
  const parts = first.pieces.map((piece, i) => part(piece, other?.pieces[i], i, at, batch, home));
  const names = Object.keys(first.outputs);
  const refs = names.map((name) => [name, first.outputs[name]?.ref as string] as const);
  const model = graph(parts, names.length === 1 ? (refs[0]?.[1] as string) : Object.fromEntries(refs));
  const weights: FromOnnx["weights"] = new Map();
  // What is no weight is made here: not more than the whole file has.
  const all = [...plot.constants.values()].reduce((sum, { data }) => sum + data.length, 0);
  for (const { path, shape, start } of first.asked) {
    checkSize(`"${path}"`, shape, all);
    const data =
      typeof start === "function"
        ? Float32Array.from(start(shape, { uniform: () => 0, normal: () => 0 }))
        : new Float32Array(sizeOf(shape)).fill(start === "ones" ? 1 : 0);
    weights.set(path, { shape, data });
  }
  const roles = new Map(first.asked.map(({ path, role }) => [path, role]));
  const shaped = plot.inputs.map((input) => {
    const { dims } = input;
    const whole = plot.channelsLast && dims.length === 4 ? [0, 2, 3, 1].map((axis) => dims[axis]) : dims;
    return { ...input, shape: (plot.free ? whole.slice(1) : whole) as number[] };
  });
  const declared = shaped.map(({ name, shape, classes }): [string, Input] => [
    name,
    classes === undefined ? shape : { shape, classes },
  ]);
  keepOrigin(model, {
    inputs: shaped,
    outputs: plot.outputs.map(({ name, source }) => ({ name: names.length === 1 ? "" : name, source })),
    batch: other === undefined ? batch : undefined,
  });
  const report = reportOf({
    ...facts,
    nodes: plot.nodes.length,
    folded: first.folded,
    batch: other === undefined ? batch : "any",
    parts: first.pieces.map(({ name, node, kind }) => ({ name, kind, node })),
    tensors: first.pieces.flatMap(({ name, node, step }) =>
      Object.entries(step.weights ?? {}).map(([key, { dims, source }]) => ({
        source: source ?? node,
        name: `${name}.${key}`,
        shape: dims,
        trains: roles.get(`${name}.${key}`) === "parameter",
      })),
    ),
    withoutGradient: first.pieces.flatMap(({ name, node, step }) =>
      step.stops === undefined ? [] : [{ name, node, why: step.stops }],
    ),
  });
  return {
    model,
    input: declared.length === 1 ? (declared[0]?.[1] as Input) : Object.fromEntries(declared),
    weights,
    report,
  };
}

/** Two walks with different numbers of samples, or one where the file is made for one number alone. */
function trial(
  plot: Plot,
  at: (batch: number) => Walk,
): { readonly first: Walk; readonly other: Walk | undefined; readonly batch: number } {
  if (!plot.free) return { first: at(1), other: undefined, batch: 1 };
  const told = plot.told;
  try {
    const [first, other] = TRIALS.map(at) as [Walk, Walk];
    if (first.pieces.length === other.pieces.length) return { first, other, batch: TRIALS[0] };
  } catch (error) {
    // A file of one number of samples may reshape to it.
    if (told === undefined || !(error instanceof CheckpointError)) throw error;
  }
  return { first: at(told ?? 1), other: undefined, batch: told ?? 1 };
}

/** A part of the model: what its node makes of values, at whatever number of samples they have. */
function part(
  piece: Piece,
  other: Piece | undefined,
  index: number,
  at: (batch: number) => Walk,
  batch: number,
  home: string,
) {
  const { name, kind, step } = piece;
  // Where the number of samples can be read off what it takes.
  const tell = step.takes.flatMap(({ value }, i) => {
    const there = other?.step.takes[i]?.value.shape;
    const place = value.shape.findIndex((length, k) => length !== there?.[k]);
    return there === undefined || place < 0 ? [] : [{ i, place, per: (value.shape[place] as number) / batch }];
  })[0];
  const alone = step.takes.length === 1 && (tell !== undefined || other === undefined);
  const refs = step.takes.map(({ ref }) => ref);
  const from = alone
    ? (refs[0] as string)
    : {
        ...Object.fromEntries(refs.map((ref, i) => [`a${i}`, ref])),
        ...((tell === undefined || refs.length === 0) && { batch: home }),
      };
  const layer: Model = {
    kind,
    takesValues: true,
    apply(scope: Scope, x: Value | Values) {
      const given = alone ? [x as Value] : refs.map((_, i) => (x as Values)[`a${i}`] as Value);
      const samples =
        tell === undefined
          ? ((x as Values).batch?.shape[0] ?? batch)
          : (given[tell.i]?.shape[tell.place] as number) / tell.per;
      const now = other === undefined || samples === batch ? piece : at(samples).pieces[index];
      const isOdd = other === undefined && given.some(({ shape }, i) => shape[0] !== step.takes[i]?.value.shape[0]);
      if (isOdd || now?.name !== name)
        return fail(
          `the file is made for batches of ${batch}, part "${name}" is given [${given[0]?.shape}]. Give compile { batch: ${batch} }.`,
        );
      const per = tell?.i === 0 && tell.place === 0 ? tell.per : undefined;
      const made = listed(now.step.run(seeded(scope, now.step.weights ?? {}), given, per));
      return made.length === 1 ? (made[0] as Value) : Object.fromEntries(made.map((value, i) => [`o${i}`, value]));
    },
  };
  return [name, layer, from] as const;
}
