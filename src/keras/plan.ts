// The plan of a model in Keras's form, Sequential or functional, as nodes in the order in which they are computed. A node is one use of
// a layer; a layer that is used again has several.

import { entry, fail, isLength, isObject, placeOf, shown } from "./config.ts";

/** A layer of the file. */
export interface PlannedLayer {
  readonly name: string;
  readonly kind: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/** A result: which of the values that a node gives. */
export interface Source {
  readonly node: PlannedNode;
  readonly output: number;
}

export interface PlannedNode {
  readonly layer: PlannedLayer;
  /** Which use of its layer it is, from 0. */
  readonly use: number;
  readonly takes: readonly Source[];
}

export interface Plan {
  /** In order; inputs are nodes of InputLayer. */
  readonly nodes: readonly PlannedNode[];
  readonly inputs: readonly PlannedNode[];
  readonly outputs: readonly Source[];
}

/** A node whose sources are names yet. */
interface Raw {
  readonly layer: PlannedLayer;
  readonly use: number;
  readonly from: readonly Reference[];
  readonly place: string;
}

type Reference = readonly [name: string, use: number, output: number];

const isIndex = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 0;

/** Classes of models. */
export const isModelClass = (kind: string): boolean => ["Sequential", "Model", "Functional"].includes(kind);

const rawLayers = (config: Readonly<Record<string, unknown>> | readonly unknown[]): unknown =>
  Array.isArray(config) ? config : entry(config as Readonly<Record<string, unknown>>, "layers");

function layerOf(place: string, given: unknown, index: number): PlannedLayer {
  const [kind, config] = isObject(given) ? [entry(given, "class_name"), entry(given, "config")] : [];
  const where = `${place}layer ${index}`;
  if (!isObject(given) || typeof kind !== "string") return fail(where, `${shown(given)} has no class_name.`);
  const nested = isModelClass(kind) && Array.isArray(config) ? { layers: config } : config;
  if (!isObject(nested)) return fail(where, `its config is ${shown(config)}, it must be an object.`);
  const name =
    entry(nested, "name") ??
    entry(given, "name") ??
    (Array.isArray(config) ? `${kind.toLowerCase()}_${index}` : undefined);
  if (typeof name !== "string" || name === "") return fail(`${where} (${kind})`, `its name is ${shown(name)}.`);
  return { name, kind, config: nested };
}

/** `["dense", 0, 0, {}]`, or the tensor of Keras 3 that tells where it comes from. */
function referenceOf(place: string, given: unknown): Reference {
  if (isObject(given)) {
    const config = entry(given, "config");
    return referenceOf(place, isObject(config) ? entry(config, "keras_history") : entry(given, "keras_history"));
  }
  const [name, use, output, more] = Array.isArray(given) ? given : [];
  if (typeof name !== "string" || !isIndex(use) || !isIndex(output))
    return fail(place, `it takes ${shown(given)}. A source is [name, node, output].`);
  if (isObject(more) && Object.values(more).some((value) => Array.isArray(value) && typeof value[0] === "string"))
    return fail(place, `it takes values by name, ${shown(more)}. Known are values in order.`);
  return [name, use, output];
}

/** What each use of a layer takes. */
function usesOf(place: string, given: unknown): readonly (readonly Reference[])[] {
  if (given === undefined) return [];
  if (!Array.isArray(given)) return fail(place, `inbound_nodes is ${shown(given)}, it must be a list.`);
  return given.map((node: unknown) => {
    if (isObject(node)) {
      const args = entry(node, "args");
      const flat = Array.isArray(args) ? args.flat(1) : [];
      return flat.filter(isObject).map((one) => referenceOf(place, one));
    }
    if (!Array.isArray(node)) return fail(place, `a node of inbound_nodes is ${shown(node)}, it must be a list.`);
    // A single source may stand without a list around it.
    return typeof node[0] === "string" ? [referenceOf(place, node)] : node.map((one) => referenceOf(place, one));
  });
}

/** `[["a", 0, 0], ..]`, or one of them alone. */
function endsOf(place: string, what: string, given: unknown): readonly Reference[] {
  if (!Array.isArray(given) || given.length === 0)
    return fail(place, `${what} is ${shown(given)}, it must name at least one layer.`);
  return (typeof given[0] === "string" ? [given] : given).map((one) => referenceOf(`${place}${what}`, one));
}

/** The nodes of a functional model, those that its outputs need. */
function functionalPlan(place: string, config: Readonly<Record<string, unknown>>): Plan {
  const layers = rawLayers(config);
  if (!Array.isArray(layers) || layers.length === 0)
    return fail(`${place}model`, `layers is ${shown(layers)}, it must be a list of layers.`);
  const raws = new Map<string, Raw>();
  const names = new Set<string>();
  const inFile: string[] = [];
  for (const [index, given] of layers.entries()) {
    const layer = layerOf(place, given, index);
    if (names.has(layer.name)) return fail(`${place}layer "${layer.name}"`, "its name stands twice.");
    names.add(layer.name);
    const at = `${place}${placeOf({ path: [layer.name], kind: layer.kind })}`;
    const uses = layer.kind === "InputLayer" ? [[]] : usesOf(at, entry(given, "inbound_nodes"));
    for (const [use, from] of uses.entries()) {
      if (from.length === 0 && layer.kind !== "InputLayer") return fail(at, "it takes nothing.");
      raws.set(keyOf(layer.name, use), { layer, use, from, place: at });
      inFile.push(keyOf(layer.name, use));
    }
  }
  const inputs = endsOf(place, "input_layers", entry(config, "input_layers"));
  const outputs = endsOf(place, "output_layers", entry(config, "output_layers"));
  const shifted = shiftedModels(raws, outputs);
  const useOf = ([name, use]: Reference): number => (shifted.has(name) ? use - 1 : use);
  const rawOf = (at: string, reference: Reference): Raw => foundRaw(at, reference[0], useOf(reference));
  const foundRaw = (at: string, name: string, use: number): Raw =>
    raws.get(keyOf(name, use)) ??
    fail(
      at,
      names.has(name)
        ? `it takes use ${use} of layer "${name}", which is not there.`
        : `it takes "${name}", and there is no such layer.`,
    );
  const made = sorted(inFile, raws, rawOf);
  const nodeAt = (at: string, reference: Reference): PlannedNode => {
    const { layer, use } = rawOf(at, reference);
    return made.get(keyOf(layer.name, use)) as PlannedNode;
  };
  const ends = outputs.map((reference) => ({ node: nodeAt(`${place}output_layers`, reference), output: reference[2] }));
  const begins = inputs.map((reference) => nodeAt(`${place}input_layers`, reference));
  const odd = begins.find(({ layer }) => layer.kind !== "InputLayer");
  if (odd !== undefined)
    return fail(`${place}input_layers`, `"${odd.layer.name}" is ${odd.layer.kind}, it must be an InputLayer.`);
  const needed = new Set<PlannedNode>();
  const waiting = ends.map(({ node }) => node);
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (needed.has(node)) continue;
    needed.add(node);
    for (const source of node.takes) waiting.push(source.node);
  }
  const nodes = [...made.values()].filter((node) => needed.has(node));
  const loose = nodes.find((node) => node.layer.kind === "InputLayer" && !begins.includes(node));
  if (loose !== undefined) return fail(`${place}input_layers`, `"${loose.layer.name}" is used and not among them.`);
  return { nodes, inputs: begins, outputs: ends };
}

const keyOf = (name: string, use: number): string => `${use} ${name}`;

/** Models in the model whose uses are counted from 1: newer versions count that a model was made as its first use. */
function shiftedModels(raws: ReadonlyMap<string, Raw>, outputs: readonly Reference[]): ReadonlySet<string> {
  const all = [...raws.values()];
  const shifted = new Set(all.filter(({ layer }) => isModelClass(layer.kind)).map(({ layer }) => layer.name));
  for (const [name, use] of [...all.flatMap(({ from }) => from), ...outputs]) if (use === 0) shifted.delete(name);
  return shifted;
}

/** All nodes, each behind those that it takes; otherwise in the order of the file. */
function sorted(
  order: readonly string[],
  raws: ReadonlyMap<string, Raw>,
  rawOf: (place: string, reference: Reference) => Raw,
): Map<string, PlannedNode> {
  const made = new Map<string, PlannedNode>();
  const open = new Set<string>();
  for (const first of order) {
    // A use that waits, and how many of its sources were looked at.
    const stack: { readonly key: string; looked: number }[] = made.has(first) ? [] : [{ key: first, looked: 0 }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const raw = raws.get(top.key) as Raw;
      const keys = (reference: Reference): string => {
        const { layer, use } = rawOf(raw.place, reference);
        return keyOf(layer.name, use);
      };
      const reference = raw.from[top.looked];
      if (reference === undefined) {
        const takes = raw.from.map((from) => ({ node: made.get(keys(from)) as PlannedNode, output: from[2] }));
        made.set(top.key, { layer: raw.layer, use: raw.use, takes });
        open.delete(top.key);
        stack.pop();
        continue;
      }
      top.looked++;
      const next = keys(reference);
      if (made.has(next)) continue;
      open.add(top.key);
      if (open.has(next))
        return fail(raw.place, `it takes "${reference[0]}", which needs it itself: the layers go in a circle.`);
      stack.push({ key: next, looked: 0 });
    }
  }
  return made;
}

/** The nodes of a chain; its input may be told by its first layer alone. */
function chainPlan(place: string, config: Readonly<Record<string, unknown>> | readonly unknown[]): Plan {
  const given = rawLayers(config);
  if (!Array.isArray(given) || given.length === 0)
    return fail(`${place}model`, `layers is ${shown(given)}, it must be a list of layers.`);
  const all = given.map((one: unknown, i) => layerOf(place, one, i));
  const names = new Set<string>();
  for (const { name } of all) {
    if (names.has(name)) return fail(`${place}layer "${name}"`, "its name stands twice.");
    names.add(name);
  }
  const [first, ...rest] = all as [PlannedLayer, ...PlannedLayer[]];
  const isInput = first.kind === "InputLayer";
  if (rest.some(({ kind }) => kind === "InputLayer"))
    return fail(`${place}model`, "an InputLayer stands within a chain.");
  const built = Array.isArray(config)
    ? undefined
    : entry(config as Readonly<Record<string, unknown>>, "build_input_shape");
  const shape = shapeEntry(first.config) ?? built;
  const made: PlannedLayer = isInput
    ? first
    : { name: "x", kind: "InputLayer", config: { batch_input_shape: shape ?? null } };
  const input: PlannedNode = { layer: made, use: 0, takes: [] };
  const nodes = [input];
  for (const layer of isInput ? rest : all)
    nodes.push({ layer, use: 0, takes: [{ node: nodes.at(-1) as PlannedNode, output: 0 }] });
  return { nodes, inputs: [input], outputs: [{ node: nodes.at(-1) as PlannedNode, output: 0 }] };
}

const shapeEntry = (config: Readonly<Record<string, unknown>>): unknown =>
  entry(config, "batch_input_shape") ?? entry(config, "batch_shape");

/** Shape of a sample of an input; undefined where the file leaves a length free. */
export function inputShape({ layer }: PlannedNode): readonly number[] | undefined {
  const given = shapeEntry(layer.config);
  if (given === undefined) return undefined;
  if (!Array.isArray(given) || given.length === 0 || !given.every((length) => length === null || isLength(length)))
    return fail(
      placeOf({ path: [layer.name], kind: layer.kind }),
      `its shape is ${shown(given)}, it must be a list of lengths or null.`,
    );
  const sample = given.slice(1);
  return sample.length > 0 && sample.every((length) => length !== null) ? (sample as number[]) : undefined;
}

/** The plan of `{ class_name, config }`. `place` begins messages about what lies in a model of the model. */
export function planOf(kind: string, config: Readonly<Record<string, unknown>> | readonly unknown[], place = ""): Plan {
  return kind === "Sequential" || Array.isArray(config)
    ? chainPlan(place, config)
    : functionalPlan(place, config as Readonly<Record<string, unknown>>);
}
