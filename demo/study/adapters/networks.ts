// The networks of the study with the data that they learn: a Vision Transformer that knows three digits, and a Llama that tells stories.

import {
  type CompileOptions,
  type Evaluation,
  type HostTensor,
  type Layer,
  type Samples,
  summary,
} from "../../../src/index.ts";
import { loadWeights } from "../../../src/pytorch/index.ts";
import { fromTokenizerBin } from "../../../src/text/index.ts";
import { type Digits, loadDigits, PIXELS } from "../../digits.ts";
import { llamaWeights, readLlama } from "../../llama-file.ts";
import { llama } from "../../models/llama.ts";
import { vitMnist } from "../../models/vit-mnist.ts";
import { shuffled } from "../random.ts";
import { filesOf, type Task, type TaskName } from "./plan.ts";

export interface Network {
  readonly model: Layer;
  readonly input: CompileOptions["input"];
  /** As others trained them; what is missing is new. */
  readonly weights: ReadonlyMap<string, HostTensor>;
  /** What trains with every kind, with the head alone, and with BitFit, by pattern. */
  readonly always: readonly string[];
  readonly head: readonly string[];
  readonly small: readonly string[];
  /** Layers that get low-rank factors, and those with a bottleneck behind them. */
  readonly factored: readonly string[];
  readonly narrowed: readonly string[];
  /** What is learnt, in the order of a seed. */
  training(task: Pick<Task, "steps" | "batch">, seed: number): Promise<Samples>;
  /** What a network is judged by: so many images or pieces of text. */
  held(part: "validation" | "test", count: number): Held;
  /** Per cent that are right, or nats a character. */
  figureOf(told: Pick<Evaluation, "loss" | "accuracy">, held: Held): number;
  /** A few inputs on which outputs are compared. */
  probe(count: number): Promise<Float32Array | Uint32Array>;
}

/** Samples whose targets are bytes or whole numbers. */
export type Held = Samples & { readonly y: Uint8Array | Uint32Array };

export type Files = Readonly<Record<string, Uint8Array<ArrayBuffer>>>;

export const networks: Readonly<Record<TaskName, (files: Files) => Promise<Network>>> = { digits, shakespeare };

/** Where the images to learn from end in the file of training; those of validation stand behind. */
const LEARNT = 50_000;

/** The digits in three parts that share no image; of those to learn from so many of each class, drawn by a seed. */
export async function digitParts(perClass: number): Promise<{
  readonly learnt: (seed: number) => Digits;
  readonly held: (part: "validation" | "test", count: number) => Digits;
}> {
  const [train, test] = [await loadDigits("train"), await loadDigits("test")];
  return {
    learnt(seed) {
      const { x, y, ...scale } = train;
      const taken = new Array<number>(10).fill(0);
      const order = shuffled(
        Array.from({ length: LEARNT }, (_, i) => i),
        seed,
      );
      const drawn = order.filter((i) => (taken[y[i] as number] as number)++ < perClass);
      const images = new Uint8Array(drawn.length * PIXELS);
      for (const [n, i] of drawn.entries()) images.set(x.subarray(i * PIXELS, (i + 1) * PIXELS), n * PIXELS);
      return { ...scale, x: images, y: Uint8Array.from(drawn, (i) => y[i] as number) };
    },
    held(part, count) {
      const [{ x, y, ...scale }, from] = part === "test" ? [test, 0] : [train, LEARNT];
      return { ...scale, x: x.subarray(from * PIXELS, (from + count) * PIXELS), y: y.subarray(from, from + count) };
    },
  };
}

export const percentRight: Network["figureOf"] = ({ accuracy }) => 100 * accuracy;

async function digits(files: Files): Promise<Network> {
  const of = (classes: number) => vitMnist({ classes, patch: 7, layers: 4, heads: 4, length: 16 });
  const input = [28, 28, 1];
  const bytes = files[filesOf.digits[0] as string] as Uint8Array;
  const { weights } = await loadWeights(summary(of(3), { input }), bytes);
  const { learnt, held } = await digitParts(100);
  return {
    model: of(10),
    input,
    weights: new Map([...weights].filter(([name]) => !name.startsWith("mlp_head.1"))),
    always: ["mlp_head"],
    head: [],
    small: ["**.bias", "**.beta"],
    factored: ["**.to_qkv", "**.to_out", "**.net"],
    narrowed: ["**.to_out", "**.net.3"],
    training: async (_, seed) => learnt(seed),
    held,
    figureOf: percentRight,
    probe: async (count) => Float32Array.from(held("test", count).x, (byte) => (byte / 255 - 0.1307) / 0.3081),
  };
}

/** Pieces of `length` tokens, drawn by a seed from those that stand one after the other, each with the token that follows at each place. */
export function drawnPieces(tokens: Uint32Array, length: number, count: number, seed: number): Held {
  const places = Array.from({ length: Math.floor((tokens.length - 1) / length) }, (_, i) => i * length);
  const drawn = shuffled(places, seed).slice(0, count);
  const of = (shift: number) =>
    Uint32Array.from({ length: drawn.length * length }, (_, i) => {
      const place = drawn[Math.floor(i / length)] as number;
      return tokens[place + (i % length) + shift] as number;
    });
  return { x: of(0), y: of(1) };
}

/** Tokens of a piece of text. */
const LENGTH = 64;
/** The parts of the text: what is learnt, and where validation begins and ends; the rest is the test. */
const [FIRST, SECOND] = [0.8, 0.9] as const;
/** Characters of a piece at most, to encode no more than is asked for. */
const LONG = 4 * LENGTH;

async function shakespeare(files: Files): Promise<Network> {
  const [network, pieces, text] = filesOf.shakespeare.map((name) => files[name]) as [
    Uint8Array<ArrayBuffer>,
    Uint8Array,
    Uint8Array,
  ];
  const { size, tensors } = readLlama(network);
  const tokenizer = fromTokenizerBin(pieces);
  const all = new TextDecoder().decode(text);
  const tokens = tokenizer.encode(all.slice(0, Math.floor(FIRST * all.length)));
  const held = (name: "validation" | "test", count: number) => {
    const from = Math.floor({ validation: FIRST, test: SECOND }[name] * all.length);
    const own = tokenizer.encode(all.slice(from, from + count * LONG));
    return { x: own.slice(0, count * LENGTH), y: own.slice(1, count * LENGTH + 1) };
  };
  return {
    model: llama(size),
    input: { shape: [LENGTH], classes: tokenizer.size },
    weights: llamaWeights(tensors),
    always: [],
    head: ["tokens", "norm"],
    small: ["**.gamma"],
    factored: ["block*"],
    narrowed: ["**.attention.output", "**.think.output"],
    training: async ({ steps, batch }, seed) => drawnPieces(tokens, LENGTH, steps * batch, seed),
    held,
    figureOf: ({ loss }, { y }) => (loss * y.length) / tokenizer.decode(y).length,
    probe: async (count) => held("test", count).x,
  };
}
