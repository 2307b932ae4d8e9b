// The networks of the study with the data of their tasks, one entry each, and what others measured of them, which is measured again before
// anything is trained.

import {
  type CompileOptions,
  type Evaluation,
  type HostTensor,
  type Model,
  type Samples,
  summary,
  type Trainer,
  upSampling2d,
} from "../../../src/index.ts";
import { loadWeights } from "../../../src/pytorch/index.ts";
import { characters, fromTokenizerBin } from "../../../src/text/index.ts";
import { readCharRnn } from "../../char-rnn-file.ts";
import { loadDigits, PIXELS } from "../../digits.ts";
import { charLstm } from "../../models/char-lstm.ts";
import { resnet20 } from "../../models/resnet20.ts";
import { vitMnist } from "../../models/vit-mnist.ts";
import { type Network as Body, readNetwork, withHead, networks as yours } from "../../yours/networks.ts";
import {
  networks as adapters,
  digitParts,
  drawnPieces,
  type Files,
  type Held,
  percentRight,
} from "../adapters/networks.ts";
import type { Opened, Task, TaskName } from "./plan.ts";

/** A trainer of a network that is only judged; gone when `use` is done. */
export type Judge = <T>(
  model: Model,
  options: Pick<CompileOptions, "input" | "weights" | "batch">,
  use: (trainer: Trainer) => Promise<T>,
) => Promise<T>;

export interface Network {
  readonly model: Model;
  readonly input: CompileOptions["input"];
  /** As others trained them; what is missing is new. */
  readonly weights: ReadonlyMap<string, HostTensor>;
  /** Layers that LoRA stands beside. */
  readonly factored: readonly string[];
  /** What is learnt, drawn by a seed. Of what is judged on the validation part none is in it. */
  learnt(task: Pick<Task, "steps" | "batch">, seed: number, part: "validation" | "test"): Promise<Samples>;
  held(part: "validation" | "test", count: number): Held;
  figureOf(told: Pick<Evaluation, "loss" | "accuracy">, held: Held): number;
  /** What others measured, measured here; `within` is half of their last digit, or a little more. */
  known(judge: Judge): Promise<Opened["known"] & { readonly within: number }>;
  /** The figure of a network that was made for the task. */
  rival?(judge: Judge, held: Held): Promise<number>;
}

export const networks: Readonly<Record<TaskName, (files: Files) => Promise<Network>>> = {
  ...{ doodles, digits, darwin, shakespeare, classes, jpeg },
};

const textOf = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);
const getOf = (files: Files) => async (path: string) => files[path] as Uint8Array<ArrayBuffer>;

async function doodles(files: Files): Promise<Network> {
  const { model, weights } = await readNetwork("doodlenet", getOf(files));
  const { learnt, held } = await digitParts(10);
  const plain = ({ x, y }: Held): Held => ({ x, y }); // from 0 to 1, as it knows drawings
  const input = [28, 28, 1];
  return {
    model: withHead("doodlenet", model, 10),
    ...{ input, weights },
    factored: ["conv2d*", "dense"],
    learnt: async (_, seed) => plain(learnt(seed)),
    held: (part, count) => plain(held(part, count)),
    figureOf: percentRight,
    async known(judge) {
      const x = (files["quickdraw/cats1000.bin"] as Uint8Array).subarray(0, 300 * PIXELS);
      const cat = textOf(files["doodlenet/class_names.txt"])
        .trim()
        .split(/\s*\n\s*/)
        .indexOf("cat");
      const y = new Uint32Array(300).fill(cat);
      const { accuracy } = await judge(model, { input, weights, batch: 20 }, (trainer) => trainer.evaluate({ x, y }));
      return { what: "% of 300 drawings of cats", published: 81.3, found: 100 * accuracy, within: 0.06 };
    },
  };
}

async function digits(files: Files): Promise<Network> {
  const { training, ...network } = await adapters.digits(files);
  const three = vitMnist({ classes: 3, patch: 7, layers: 4, heads: 4, length: 16 });
  return {
    ...network,
    learnt: training,
    async known(judge) {
      const input = [28, 28, 1];
      const { weights } = await loadWeights(
        summary(three, { input }),
        files["vit-mnist/vit_mnist_3class.pt"] as Uint8Array,
      );
      const { x, y, ...scale } = await loadDigits("test", 2000);
      const own = [...y.keys()].filter((i) => (y[i] as number) < 3);
      const images = new Uint8Array(own.flatMap((i) => [...x.subarray(i * PIXELS, (i + 1) * PIXELS)]));
      const held = { ...scale, x: images, y: Uint8Array.from(own, (i) => y[i] as number) };
      const { accuracy } = await judge(three, { input, weights, batch: 20 }, (trainer) => trainer.evaluate(held));
      return { what: "% of 628 zeros, ones and twos", published: 99.7, found: 100 * accuracy, within: 0.06 };
    },
  };
}

/** Characters of a piece of text. */
const LENGTH = 128;
/** Parts of Darwin's text: what is learnt, and where validation begins and ends; the rest is the test. */
const [FIRST, SECOND] = [0.8, 0.9] as const;

async function darwin(files: Files): Promise<Network> {
  const reader = (name: string, alphabet: string) => {
    const tokenizer = characters(JSON.parse(textOf(files[`charrnn/${name}/${alphabet}`])), { unknown: "drop" });
    const read = async (file: string) => files[`charrnn/${name}/${file}`] as Uint8Array<ArrayBuffer>;
    return { tokenizer, read, model: charLstm(tokenizer.size, 128, { characters: 128, layers: 2 }) };
  };
  const { tokenizer, read, model } = reader("shakespeare", "vocab-fixed.json");
  const weights = await readCharRnn(read);
  const book = textOf(files["charrnn/darwin-excerpt.txt"]);
  const tokens = tokenizer.encode(book);
  const [first, second] = [FIRST, SECOND].map((part) => Math.floor(part * tokens.length)) as [number, number];
  return {
    model,
    input: { shape: [LENGTH], classes: tokenizer.size },
    weights,
    factored: [],
    learnt: async ({ steps, batch }, seed) => drawnPieces(tokens.subarray(0, first), LENGTH, steps * batch, seed),
    held(part, count) {
      const own = tokens.subarray(part === "test" ? second : first);
      return { x: own.slice(0, count * LENGTH), y: own.slice(1, count * LENGTH + 1) };
    },
    figureOf: ({ loss }) => loss,
    async known(judge) {
      const own = tokenizer.encode(book.slice(0, 4000));
      const input = { shape: [own.length - 1], classes: tokenizer.size };
      const { loss } = await judge(model, { input, weights, batch: 1 }, (trainer) =>
        trainer.evaluate({ x: own.subarray(0, -1), y: own.subarray(1) }),
      );
      return { what: "nats a character of Darwin's first 4,000", published: 1.805, found: loss, within: 0.0006 };
    },
    async rival(judge, { x, y }) {
      const own = reader("darwin", "vocab.json");
      const again = (some: unknown): Uint32Array => own.tokenizer.encode(tokenizer.decode(some as Uint32Array));
      const options = { input: { shape: [LENGTH], classes: own.tokenizer.size }, batch: 8 };
      const { loss } = await judge(own.model, { ...options, weights: await readCharRnn(own.read) }, (trainer) =>
        trainer.evaluate({ x: again(x), y: again(y) }),
      );
      return loss;
    },
  };
}

/** The token that a text begins with, and how many follow it in a window of what was published. */
const [BOS, WINDOW] = [1, 256] as const;

async function shakespeare(files: Files): Promise<Network> {
  const { training, ...network } = await adapters.shakespeare(files);
  const { model, weights } = network;
  const tokenizer = fromTokenizerBin(files["tinystories-260k/tok512.bin"] as Uint8Array);
  return {
    ...network,
    learnt: training,
    async known(judge) {
      const tokens = tokenizer.encode(textOf(files["charrnn/shakespeare-excerpt.txt"]).slice(0, 4000));
      const batch = Math.ceil(tokens.length / WINDOW);
      const at = (given: (i: number) => number) => Uint32Array.from({ length: batch * WINDOW }, (_, i) => given(i));
      const x = at((i) => (i % WINDOW === 0 ? BOS : (tokens[i - 1] ?? 0)));
      const y = at((i) => tokens[i] ?? 0);
      const weight = Float32Array.from(y, (_, i) => Number(i < tokens.length));
      const options = { input: { shape: [WINDOW], classes: tokenizer.size }, weights, batch };
      const { loss } = await judge(model, options, (trainer) => trainer.evaluate({ x, y, weight }));
      return {
        what: "nats a token of Shakespeare's first 4,000 characters",
        published: 4.66,
        found: loss,
        within: 0.005,
      };
    },
  };
}

/** Images that what a validation judges by is not learnt from: the last ones of those to learn from, whose classes alternate. */
const JUDGED = 200;
const IMAGE = 32 * 32 * 3;

/** Photographs of ten classes behind a strong JPEG, scaled as a network wants them. */
function photographs(files: Files, scale: { readonly mean: readonly number[]; readonly std: readonly number[] }) {
  const of = (part: string, kind: string) => files[`cifar10-jpeg/${part}-${kind}.u8`] as Uint8Array;
  const some = (part: string, from: number, to: number): Held => ({
    ...scale,
    x: of(part, "images").subarray(from * IMAGE, to * IMAGE),
    y: of(part, "labels").subarray(from, to),
  });
  const all = of("train", "labels").length;
  return {
    // All there are: a seed decides their order.
    learnt: async (_: unknown, __: number, part: "validation" | "test") =>
      some("train", 0, part === "test" ? all : all - JUDGED),
    held: (part: "validation" | "test", count: number) =>
      part === "test" ? some("test", 0, count) : some("train", all - JUDGED, all - JUDGED + count),
    figureOf: percentRight,
  };
}

/** Behind an enlargement of three, under the same names. */
const enlarged = (body: Model): Model => ({
  kind: "enlarged",
  apply: (scope, x) => body.apply(scope, enlarge.apply(scope, x)),
});
const enlarge = upSampling2d({ size: 3, interpolation: "bilinear" });

async function classes(files: Files): Promise<Network> {
  const { model, weights } = await readNetwork("mobilenet", getOf(files));
  const { mean, std } = yours.mobilenet satisfies Body;
  const [golden] = JSON.parse(textOf(files["mobilenet-v1-025/golden.json"]));
  return {
    model: enlarged(withHead("mobilenet", model, 10)),
    input: [32, 32, 3],
    weights,
    factored: ["conv_pw_*"],
    ...photographs(files, { mean: [mean, mean, mean], std: [std, std, std] }),
    async known(judge) {
      const [, ...input] = golden.input_shape as number[];
      // The input of the published rule.
      const x = Float32Array.from(
        { length: input.reduce((a, b) => a * b) },
        (_, i) => (2 * ((i * 7919) % 1009)) / 1009 - 1,
      );
      const { data } = await judge(model, { input, weights, batch: 1 }, (trainer) =>
        trainer.predict(x, { activation: "softmax" }),
      );
      const published = Math.max(...golden.output);
      const found = data[golden.output.indexOf(published)] as number;
      return { what: "of its likeliest class for a made image", published, found, within: 1e-4 };
    },
  };
}

async function jpeg(files: Files): Promise<Network> {
  const [model, input] = [resnet20(), [32, 32, 3]];
  const { weights } = await loadWeights(
    summary(model, { input }),
    files["resnet20-cifar10/model.safetensors"] as Uint8Array,
  );
  const data = photographs(files, { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] });
  return {
    ...{ model, input, weights },
    factored: ["layer*.*.conv*"],
    ...data,
    async known(judge) {
      const held = data.held("test", 500);
      const { accuracy } = await judge(model, { input, weights, batch: 50 }, (trainer) => trainer.evaluate(held));
      return { what: "% of 500 JPEG images", published: 79.8, found: 100 * accuracy, within: 0.06 };
    },
  };
}
