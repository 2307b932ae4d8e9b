// A plan as a model of named parts, with what each of its layers needs of the file.

import { CheckpointError, GradusError, graph, type Model } from "../index.ts";
import { isProbability } from "./activation.ts";
import { type Config, entry, fail, isObject, placeOf, refuse, shown } from "./config.ts";
import { identity, type LayerClass, type Made } from "./layer-class.ts";
import { mergeLayers } from "./merge-layers.ts";
import { moveLayers } from "./move-layers.ts";
import { normLayers } from "./norm-layers.ts";
import { inputShape, isModelClass, type Plan, type PlannedNode, planOf, type Source } from "./plan.ts";
import { productLayers } from "./product-layers.ts";
import { recurrentLayers } from "./recurrent-layers.ts";

/** Every class that is known. */
export const layerClasses: ReadonlyMap<string, LayerClass> = new Map([
  ...productLayers,
  ...normLayers,
  ...moveLayers,
  ...mergeLayers,
  ...recurrentLayers,
]);

/** A layer of the file in the model. */
export interface Leaf {
  readonly config: Config;
  readonly made: Made;
  /** Its path in the model. */
  readonly at: string;
}

/** What compile takes for an input: a shape, or whole numbers of so many classes. */
export type FileInput = readonly number[] | { readonly shape: readonly number[]; readonly classes: number };

export interface Built {
  readonly model: Model;
  readonly leaves: readonly Leaf[];
  /** By name; the only input of a model has the name "x". Undefined where the file leaves a length free. */
  readonly inputs: ReadonlyMap<string, FileInput | undefined>;
  /** Names of several outputs. */
  readonly outputs: readonly string[] | undefined;
  /** Activations with which outputs end: the layers' paths and names. */
  readonly ends: readonly { readonly at: string; readonly activation: string }[];
}

/** The only input of a model. */
const ALONE = "x";

/** How deep models may lie in models. */
const DEEPEST = 16;

/** Names of Keras as names of parts: what cannot stand in a path becomes "_", and "/" parts groups. */
function namer(): (name: string) => string {
  const given = new Map<string, string>();
  const taken = new Set<string>([ALONE]);
  const next = new Map<string, number>();
  return (name) => {
    const before = given.get(name);
    if (before !== undefined) return before;
    const clean = name
      .split(/[/.]/)
      .filter((part) => part !== "")
      .map((part) => part.replace(/[^A-Za-z0-9_-]/g, "_"))
      .map((part) => (part in {} ? `${part}_` : part))
      .join(".");
    const plain = clean === "" ? "layer" : clean;
    let own = plain;
    for (let i = next.get(plain) ?? 2; taken.has(own); i++) {
      own = `${plain}_${i}`;
      next.set(plain, i + 1);
    }
    taken.add(own);
    given.set(name, own);
    return own;
  };
}

/** What the outputs' last layers are, looked at through layers that only move numbers. */
function endingNodes(plan: Plan): ReadonlySet<PlannedNode> {
  const through = ["Reshape", "Flatten", "Dropout", "Permute"];
  return new Set(
    plan.outputs.map(({ node }) => {
      let end = node;
      while (through.includes(end.layer.kind) && end.takes[0] !== undefined) end = end.takes[0].node;
      return end;
    }),
  );
}

export interface BuildOptions {
  /** Whether a last softmax or sigmoid is left out. */
  readonly logits: boolean;
  readonly major: number;
}

/** The model of `{ class_name, config }`. Throws CheckpointError with the layer that is not known or does not fit. */
export function built(given: unknown, options: BuildOptions): Built {
  const [kind, config] = isObject(given) ? [entry(given, "class_name"), entry(given, "config")] : [];
  if (typeof kind !== "string" || (!isObject(config) && !Array.isArray(config)))
    return fail("the model", `${shown(given)} is no { class_name, config }.`);
  if (!isModelClass(kind)) return fail("the model", `its class is "${kind}". Known: Sequential, Functional, Model.`);
  return buildPlan(planOf(kind, config), options, [], true);
}

function buildPlan(plan: Plan, options: BuildOptions, path: readonly string[], isOutermost: boolean): Built {
  if (path.length > DEEPEST)
    return fail(`layer "${path.join("/")}"`, `models lie ${path.length} deep in models, at most ${DEEPEST} are read.`);
  const nameOf = namer();
  const alone = plan.inputs.length === 1;
  const inputNames = new Map(plan.inputs.map((node) => [node, alone ? ALONE : nameOf(node.layer.name)]));
  const inputs = new Map<string, FileInput | undefined>(
    plan.inputs.map((node) => [inputNames.get(node) as string, inputShape(node)]),
  );
  const ending = endingNodes(plan);
  const ends: { at: string; activation: string }[] = [];
  const leaves: Leaf[] = [];
  const layers = new Map<string, Made>();
  const parts: (readonly [string, Model, string | { readonly [name: string]: string }])[] = [];
  const nameAt = ({ node, output }: Source): string => {
    const input = inputNames.get(node);
    if (input !== undefined) return input;
    const own = partName(nameOf(node.layer.name), node.use);
    const gives = layers.get(node.layer.name)?.gives;
    if (gives === undefined ? output === 0 : output < gives.length)
      return gives === undefined ? own : `${own}:${gives[output]}`;
    return fail(
      `${placeOf({ path: [...path, node.layer.name], kind: node.layer.kind })}`,
      `result ${output} is asked for, it gives ${gives?.length ?? 1}.`,
    );
  };
  for (const node of plan.nodes) {
    if (inputNames.has(node)) continue;
    const { layer } = node;
    const config: Config = {
      path: [...path, layer.name],
      kind: layer.kind,
      values: layer.config,
      major: options.major,
    };
    const at = nameOf(layer.name);
    const isEnd = isOutermost && ending.has(node);
    let made = layers.get(layer.name);
    if (made === undefined) {
      made = madeOf(
        config,
        options,
        (inner) => {
          for (const leaf of inner.leaves) leaves.push({ ...leaf, at: `${at}.${leaf.at}` });
          if (isEnd) for (const end of inner.ends) ends.push({ ...end, at: `${at}.${end.at}` });
        },
        isEnd,
      );
      layers.set(layer.name, made);
      if (!isModelClass(layer.kind)) leaves.push({ config, made, at });
      if (isEnd && isProbability(made.ends)) ends.push({ at, activation: made.ends as string });
    }
    parts.push([partName(at, node.use), made.layer, sourcesOf(config, made, node.takes.map(nameAt))]);
    for (const { node: from } of node.takes) {
      const input = inputNames.get(from);
      if (input !== undefined && layer.kind === "Embedding") {
        const shape = inputShape(from);
        if (shape !== undefined) inputs.set(input, { shape, classes: layer.config.input_dim as number });
      }
    }
  }
  const outs = outputNames(plan.outputs.map(({ node }) => nameOf(node.layer.name))).map(
    (name, i) => [name, nameAt(plan.outputs[i] as Source)] as const,
  );
  const outputs = outs.length === 1 ? (outs[0] as readonly [string, string])[1] : Object.fromEntries(outs);
  if (parts.length === 0) return fail("the model", "it has no layers beside its inputs.");
  return {
    model: graph(parts, outputs),
    leaves,
    inputs,
    outputs: outs.length === 1 ? undefined : outs.map(([name]) => name),
    ends,
  };
}

/** The part of a further use of a layer. */
const partName = (name: string, use: number): string => (use === 0 ? name : `${name}#${use + 1}`);

/** Names of outputs: those of their layers, with numbers where a layer gives several. */
function outputNames(layers: readonly string[]): readonly string[] {
  const plain = layers.map((layer) => layer.replaceAll(".", "_"));
  const taken = new Set(plain);
  const next = new Map<string, number>();
  return plain.map((name) => {
    let i = next.get(name) ?? 0;
    let own = name;
    while (i > 0 && taken.has(own)) own = `${name}_${i++}`;
    next.set(name, Math.max(i, 1));
    taken.add(own);
    return own;
  });
}

/** A layer or a model within the model. */
function madeOf(config: Config, options: BuildOptions, learn: (inner: Built) => void, isEnd: boolean): Made {
  const { kind, values } = config;
  if (isModelClass(kind)) {
    const place = `model "${config.path.join("/")}": `;
    const inner = buildPlan(planOf(kind, values, place), options, config.path, isEnd);
    learn(inner);
    return {
      layer: inner.model,
      needs: [],
      ...(inner.inputs.size > 1 && { takes: [...inner.inputs.keys()] }),
      ...(inner.outputs !== undefined && { gives: inner.outputs }),
    };
  }
  const make = layerClasses.get(kind);
  if (make === undefined)
    return refuse(config, `its class is not known. Known: ${[...layerClasses.keys()].join(", ")}, and models of them.`);
  const key = kind === "Softmax" ? undefined : "activation";
  const made = checked(make, config);
  if (!isEnd || !options.logits || !isProbability(made.ends)) return made;
  return key === undefined
    ? { ...made, layer: identity }
    : { ...make({ ...config, values: { ...values, [key]: "linear" } }), ends: made.ends as string };
}

/** What a class makes of the file's options; where Gradus refuses one of them, the layer is told. */
function checked(make: LayerClass, config: Config): Made {
  try {
    return make(config);
  } catch (cause) {
    if (!(cause instanceof GradusError) || cause instanceof CheckpointError) throw cause;
    return refuse(config, cause.message);
  }
}

/** What a part takes, as its layer has names for it. */
function sourcesOf(
  config: Config,
  { takes }: Made,
  names: readonly string[],
): string | { readonly [name: string]: string } {
  if (takes === "many") {
    if (names.length < 2) return refuse(config, `it takes ${names.length} value, it needs at least 2.`);
    return Object.fromEntries(names.map((name, i) => [`in${i}`, name]));
  }
  if (names.length === 1 && (takes === undefined || takes[0] === "x")) return names[0] as string;
  if (takes === undefined || takes.length !== names.length)
    return refuse(config, `it takes ${names.length} values, known is ${takes === undefined ? 1 : takes.length}.`);
  return Object.fromEntries(names.map((name, i) => [takes[i] as string, name]));
}
