// Weights of a file brought into a model: names by rules, axes by the kinds of the layers, and nothing left over unseen.

import { rowMajor, sizeOf, walk } from "../foreign/strided.ts";
import { CheckpointError, NameError, OptionError, ShapeError, type Summary } from "../index.ts";
import { fromPyTorch } from "./from-pytorch.ts";
import { attentionNames, type Move, type Wanted, wantedTensors } from "./layout.ts";
import { bytesOf, named } from "./refuse.ts";
import { type Rename, type Renamed, renamed } from "./rename.ts";

/** A tensor by its numbers. */
export interface Numbers {
  /** Lengths of its axes. */
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: ArrayLike<number>;
}

/** What is loaded: a summary of the model alone, or a trainer or network, which then has the weights. */
export type LoadTarget =
  | Summary
  | { summary(): Summary; setWeights(weights: ReadonlyMap<string, WeightTensor>): void }
  | { readonly network: { summary(): Summary }; setWeights(weights: ReadonlyMap<string, WeightTensor>): void };

/** A weight of the model. */
export interface WeightTensor {
  /** Lengths of its axes. */
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: Float32Array<ArrayBuffer>;
}

/** Options of `loadWeights`. */
export interface LoadWeightsOptions {
  /** The part of the file that is meant, such as "state_dict". Default: all of it. */
  readonly part?: string;
  /** How names of the file become names of the model. Default: they are the same. */
  readonly rename?: Rename;
  /** Whose names and orders of axes the source has. Default "pytorch". */
  readonly layout?: "pytorch" | "gradus";
  /** Whether every tensor of the model must be there, and every tensor of the source be used. Default true. */
  readonly strict?: boolean;
  /**
   * [channels, height, width] of what PyTorch flattened before a dense layer, by that layer's path; false for none. Default: seen from
   * the layers before it, so that it has to be said where the flattened image is the input of the model itself.
   */
  readonly flattened?: Readonly<Record<string, readonly [number, number, number] | false>>;
}

/** Which tensors of a file went where, and which did not. */
export interface LoadReport {
  /** Tensors of the model, in its order, with the names of the file from which they came. */
  readonly loaded: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly from: readonly string[];
  }[];
  /** Tensors of the model that the source lacks. */
  readonly missing: readonly string[];
  /** Tensors of the source that the model has no place for. */
  readonly unexpected: readonly string[];
  /** Tensors of the source that are no weights: counts of batches. */
  readonly ignored: readonly string[];
  /** A table: tensor, key of the file, shape, and what was left. */
  toString(): string;
}

/** A tensor under its new name. */
interface Source extends Numbers {
  /** In the file. */
  readonly from: string;
}

const place = "loadWeights";
const keys = ["part", "rename", "layout", "strict", "flattened"];

/**
 * Weights from bytes of a `.pt`, `.pth` or safetensors file, or from a Map of tensors, under the names and in the layouts of a model:
 * [out, in] becomes [in, out], OIHW becomes HWIO, the two biases of an LSTM are added, `in_proj_weight` of attention is cut in three,
 * `running_mean` becomes `movingMean`, and a dense layer behind a flatten is put into the order of [height, width, channels]. A trainer or
 * network as target is set; of a summary alone the weights are given, for `compile(model, { weights })`.
 *
 * Throws CheckpointError where the file is damaged, and, unless `strict` is false, where tensors are missing or left over; ShapeError
 * where one does not fit; NameError where a rule matches nothing or two tensors get one name; OptionError for options that do not exist.
 *
 * @example
 * const { weights } = await loadWeights(summary(model, { input: [32, 32, 3] }), bytes, {
 *   part: "state_dict",
 *   rename: [["module", ""]],
 * });
 * const trainer = await compile(model, { input: [32, 32, 3], loss: crossEntropy(), weights });
 */
export async function loadWeights(
  target: LoadTarget,
  source: Uint8Array | ArrayBuffer | ReadonlyMap<string, Numbers>,
  options: LoadWeightsOptions = {},
): Promise<{ weights: Map<string, WeightTensor>; report: LoadReport }> {
  const odd = Object.keys(options).find((key) => !keys.includes(key));
  if (odd !== undefined) throw new OptionError(`${place}: there is no option "${odd}". Options: ${keys.join(", ")}.`);
  const { part, rename, layout = "pytorch", strict = true, flattened = {} } = options;
  if (!["pytorch", "gradus"].includes(layout))
    throw new OptionError(`${place}: layout is "${layout}", it must be "pytorch" or "gradus".`);
  const { layers } = summaryOf(target);
  const oddLayer = Object.keys(flattened).find((name) => !layers.some((layer) => layer.name === name));
  if (oddLayer !== undefined)
    throw new NameError(
      `${place}: flattened: there is no layer "${oddLayer}". Layers: ${named(layers.map(({ name }) => name))}.`,
    );
  const given = source instanceof Map ? partOf(part, source) : await tensorsOf(source as Uint8Array, part);
  const { pairs, missing, unexpected, ignored } = matched(layers, given, { rename, layout, flattened });
  if (strict && missing.length + unexpected.length > 0) throw new CheckpointError(differences(missing, unexpected));
  if (pairs.length === 0) throw new CheckpointError(differences(missing, unexpected));
  const weights = new Map(pairs.map(({ wanted, parts }) => [wanted.name, moved(wanted, parts)]));
  const loaded = pairs.map(({ wanted: { name, shape }, parts }) => ({
    ...{ name, shape, from: parts.map(({ from }) => from) },
  }));
  if ("setWeights" in target) target.setWeights(weights);
  return { weights, report: reportOf({ loaded, missing, unexpected, ignored }) };
}

/** Of `LoadWeightsOptions`. */
type Matching = { readonly [Key in "rename" | "layout" | "flattened"]?: LoadWeightsOptions[Key] | undefined };

/** Tensors of a model with those of a source that belong to each, of which no number is read. */
export function matched(
  layers: Summary["layers"],
  given: ReadonlyMap<string, Numbers>,
  { rename, layout = "pytorch", flattened = {} }: Matching,
) {
  const names = renamed([...given.keys()], rename);
  const found = sourcesOf(given, names);
  if (layout === "pytorch") {
    for (const [name, parts] of attentionNames(layers, [...found.keys()])) {
      const whole = found.get(name) as Source;
      found.delete(name);
      for (const [i, one] of parts.entries()) found.set(one, cut(whole, i, parts.length));
    }
  }
  const ignored =
    layout === "pytorch" ? [...found.keys()].filter((name) => /(^|\.)num_batches_tracked$/.test(name)) : [];
  const used = new Set(ignored);
  const pairs: { readonly wanted: Wanted; readonly parts: readonly Source[] }[] = [];
  const missing: string[] = [];
  for (const wanted of wantedTensors(layers, layout, flattened)) {
    const way = wanted.sources.find((way) => way.every((name) => found.has(name)));
    if (way === undefined) {
      missing.push(wanted.name);
      continue;
    }
    for (const name of way) used.add(name);
    pairs.push({ wanted, parts: way.map((name) => found.get(name) as Source) });
  }
  const unexpected = [...found]
    .filter(([name]) => !used.has(name))
    .map(([name, { from }]) => (from === name ? name : `${name} (${from})`));
  return { pairs, missing, unexpected, ignored };
}

function summaryOf(target: LoadTarget): Summary {
  if ("layers" in target) return target;
  const shows = "network" in target ? target.network : target;
  if (typeof shows?.summary === "function" && typeof target.setWeights === "function") return shows.summary();
  throw new OptionError(
    `${place}: its target is no model with weights. Give a trainer, a network, or summary(model, { input }).`,
  );
}

function partOf(part: string | undefined, tensors: ReadonlyMap<string, Numbers>): ReadonlyMap<string, Numbers> {
  if (part === undefined) return tensors;
  const own = [...tensors].filter(([name]) => name.startsWith(`${part}.`));
  return new Map(own.map(([name, tensor]) => [name.slice(part.length + 1), tensor]));
}

async function tensorsOf(source: Uint8Array | ArrayBuffer, part: string | undefined) {
  const { tensors } = await fromPyTorch(bytesOf(place, source) as Uint8Array, part === undefined ? {} : { part });
  return tensors;
}

/** Tensors by their new names. */
function sourcesOf(given: ReadonlyMap<string, Numbers>, names: Renamed): Map<string, Source> {
  const found = new Map<string, Source>();
  for (const [from, to] of names) {
    const tensor = given.get(from) as Numbers;
    for (const [i, name] of to.entries()) {
      const before = found.get(name);
      if (before !== undefined)
        throw new NameError(`${place}: rename makes "${name}" of "${before.from}" and of "${from}". Let names differ.`);
      // Numbers are read when the model asks for them: a file may hold what f32 does not.
      const whole: Source = {
        shape: tensor.shape,
        from,
        get data() {
          return tensor.data;
        },
      };
      found.set(name, to.length === 1 ? whole : cut(whole, i, to.length));
    }
  }
  return found;
}

/** One of several equal parts along the first axis. */
function cut(whole: Source, i: number, count: number): Source {
  if (count === 1) return whole;
  const [first = 1, ...rest] = whole.shape;
  if (first % count !== 0)
    throw new ShapeError(
      `${place}: "${whole.from}" of shape [${whole.shape}] is to be cut into ${count} parts, which its first axis does not allow.`,
    );
  const shape = [first / count, ...rest];
  const size = sizeOf(shape);
  return {
    shape,
    from: whole.from,
    get data() {
      return Array.prototype.slice.call(whole.data, i * size, (i + 1) * size);
    },
  };
}

/** Shapes without axes of length 1, which change no order: [1, 17, 64] is [17, 64]. */
const core = (shape: readonly number[]): string => String(shape.filter((length) => length !== 1));

/** The numbers in the order of the model, summed over the parts. */
export function moved({ name, shape, move }: Wanted, parts: readonly Source[]): WeightTensor {
  const data = new Float32Array(sizeOf(shape));
  for (const { shape: given, data: numbers, from } of parts) {
    if (core(given) !== core(move.given))
      throw new ShapeError(
        `${place}: "${name}" of shape [${shape}] needs [${move.given}], "${from}" has [${given}]. Build the model with these lengths, or correct rename.`,
      );
    addMoved(data, numbers, move);
  }
  return { shape, data };
}

function addMoved(to: Float32Array, from: ArrayLike<number>, { view, axes }: Move): void {
  const far = rowMajor(view);
  walk(
    axes.map((axis) => view[axis] as number),
    axes.map((axis) => far[axis] as number),
    0,
    (place, source) => {
      to[place] = (to[place] as number) + (from[source] as number);
    },
  );
}

function differences(missing: readonly string[], unexpected: readonly string[]): string {
  const tops = [...new Set(unexpected.map((name) => name.split(".")[0]))];
  const advice =
    tops.length <= 3 && missing.length > 0
      ? `Names are brought together by rename, and by part where the tensors lie below a key such as "${tops[0] ?? "state_dict"}".`
      : "Bring names together by rename, or give strict: false.";
  const lists = [
    ...(missing.length === 0 ? [] : [`${missing.length} tensors are missing: ${named(missing)}`]),
    ...(unexpected.length === 0 ? [] : [`${unexpected.length} are left over: ${named(unexpected)}`]),
  ];
  return `${place}: ${lists.join("; ")}. ${advice}`;
}

function reportOf(facts: Omit<LoadReport, "toString">): LoadReport {
  const { loaded, missing, unexpected, ignored } = facts;
  const widest = (texts: readonly string[]): number => Math.max(0, ...texts.map(({ length }) => length));
  const text = () => {
    const [first, second] = [
      widest(loaded.map(({ name }) => name)),
      widest(loaded.map(({ shape }) => `[${shape.join(", ")}]`)),
    ];
    return [
      ...loaded.map(
        ({ name, shape, from }) =>
          `${name.padEnd(first)}  ${`[${shape.join(", ")}]`.padEnd(second)}  ${from.join(" + ")}`,
      ),
      ...missing.map((name) => `missing: ${name}`),
      ...unexpected.map((name) => `left over: ${name}`),
      ...(ignored.length === 0 ? [] : [`${ignored.length} counts of batches are not needed`]),
    ].join("\n");
  };
  return { ...facts, toString: text };
}
