// What networks of others are known to reach on their own data, and how each figure is measured, on all of that data: what the soak runs.
// The tests have short forms of most.

import { readCharRnn } from "../../demo/char-rnn-file.ts";
import { llamaWeights, readLlama } from "../../demo/llama-file.ts";
import { charLstm } from "../../demo/models/char-lstm.ts";
import { llama } from "../../demo/models/llama.ts";
import { BLOCK, sileroVad } from "../../demo/models/silero-vad.ts";
import { readWav, speechBlocks } from "../../demo/speech-file.ts";
import {
  binaryCrossEntropy,
  type CompileOptions,
  compile,
  crossEntropy,
  type Model,
  meanSquaredError,
  summary,
  type Trainer,
} from "../../src/index.ts";
import { fromOnnx } from "../../src/onnx/index.ts";
import { loadWeights } from "../../src/pytorch/index.ts";
import { characters, fromTokenizerBin, type Tokenizer } from "../../src/text/index.ts";
import { type Golden, relativeError } from "../reference/golden-data.ts";
import { kerasNetworks } from "../reference/keras-networks.ts";
import { featureFigures } from "./features.ts";
import { type KerasFigure, kerasFigures, hitsOf as kerasHits } from "./keras.ts";
import { cartPole, hitsOf, type PyTorchFigure, pytorchFigures, pytorchNetworks } from "./pytorch.ts";

/** The bytes of a file of the manifest. */
export type Get = (path: string) => Promise<Uint8Array>;

/** A figure beside the published one. */
export interface Measured {
  readonly what: string;
  readonly found: number;
  readonly published: number;
  /** How far both may be apart: half of the last digit that was published, or what is said in `what`. */
  readonly within: number;
}

export interface Figure {
  readonly name: string;
  measure(get: Get, device: GPUDevice): Promise<readonly Measured[]>;
}

/** Runs with a trainer, which is gone afterwards. */
async function using<T>(model: Model, options: CompileOptions, use: (trainer: Trainer) => Promise<T>): Promise<T> {
  const trainer = await compile(model, { batch: 20, ...options });
  try {
    return await use(trainer);
  } finally {
    trainer.dispose();
  }
}

const textOf = async (get: Get, path: string): Promise<string> => new TextDecoder().decode(await get(path));
/** Digits that were published as a part of all with one place behind the point of per cent. */
const PART = 0.0006;

const keras = (figure: KerasFigure): Figure => ({
  name: figure.network,
  async measure(get, device) {
    const { model, weights, input } = await kerasNetworks[figure.network].read(get);
    const rows = await using(model, { device, input: input!, weights, loss: crossEntropy() }, (trainer) =>
      kerasHits(figure, async (x) => (await trainer.predict(x)).data, get),
    );
    return rows.flatMap(({ name, count, top1, top5 }, i) => {
      const { top1: first, top5: five } = figure.groups[i] as KerasFigure["groups"][number];
      return [
        { what: `${name}: right among ${count}`, found: top1 / count, published: first, within: PART },
        ...(five === undefined
          ? []
          : [{ what: `${name}: among the first five`, found: top5 / count, published: five, within: PART }]),
      ];
    });
  },
});

/** What networks without data of their own make of the input of golden.json's rule, on the GPU. */
const goldens: Figure = {
  name: "networks of golden.json",
  async measure(get, device) {
    const told: Measured[] = [];
    for (const network of [kerasNetworks.mobilenet, kerasNetworks.darknet, kerasNetworks.person]) {
      const { folder, net, inputs } = network;
      const all: readonly Golden[] = JSON.parse(await textOf(get, `${folder}/golden.json`));
      const golden = all.find((one) => one.net === net)!;
      const { model, weights, input } = await network.read(get);
      const x = Float32Array.from(inputs(golden.input_shape).get("")!.data);
      const options = { device, input: input!, weights, loss: crossEntropy(), batch: 1 };
      const { data } = await using(model, options, (trainer) => trainer.predict(x));
      const what = `${net}: the largest difference as a part of the largest output`;
      told.push({ what, found: relativeError(data, golden.output), published: 0, within: 1e-4 });
    }
    return told;
  },
};

const pytorch = ([name, figure]: readonly [string, PyTorchFigure]): Figure => ({
  name,
  async measure(get, device) {
    const { file, options, model, input } = figure;
    const { weights } = await loadWeights(summary(model, { input }), await get(file), options);
    const { hits, samples } = await using(model, { device, input, weights, loss: crossEntropy() }, (trainer) =>
      hitsOf(figure, async (x) => (await trainer.predict(x)).data, get),
    );
    return [{ what: `right among ${samples}`, found: hits / samples, published: figure.accuracy, within: PART }];
  },
});

const EPISODES = 20;
const agent: Figure = {
  name: "agent of CartPole",
  async measure(get, device) {
    const { file, model, input } = pytorchNetworks.agent;
    const { weights } = await loadWeights(summary(model, { input }), await get(file));
    const loss = { action: crossEntropy(), value: meanSquaredError() };
    return using(model, { device, input, weights, loss, batch: EPISODES }, async (trainer) => {
      // All episodes side by side, from starts within the 0.05 that the task allows.
      const starts = Array.from({ length: EPISODES }, (_, i) =>
        [0, 1, 2, 3].map((j) => (((i * 4 + j) * 37) % 21) / 210 - 0.05),
      );
      let states: (readonly number[] | undefined)[] = starts;
      for (let step = 0; step < 500; step++) {
        const { data } = await trainer.predict(
          states.flatMap((state) => state ?? [0, 0, 0, 0]),
          { output: "action" },
        );
        states = states.map((state, i) => state && cartPole(state, data[2 * i + 1]! > data[2 * i]!));
      }
      const up = states.filter((state) => state !== undefined).length;
      return [{ what: `episodes of ${EPISODES} that reach 500 steps`, found: up, published: EPISODES, within: 0 }];
    });
  },
};

const magika: Figure = {
  name: "Magika",
  async measure(get, device) {
    const { model, input, weights } = await fromOnnx(await get("magika/model.onnx"));
    const labels = new Uint16Array((await get("magika/sample-labels.u16")).slice().buffer);
    const samples = Uint32Array.from(new Uint16Array((await get("magika/samples.u16")).slice().buffer));
    return using(model, { device, input: input!, weights, loss: crossEntropy(), batch: 4 }, async (trainer) => {
      const { data } = await trainer.predict(samples, { argmax: true });
      const hits = labels.reduce((sum, label, i) => sum + Number(data[i] === label), 0);
      return [{ what: `files of ${labels.length} that it knows`, found: hits, published: 76, within: 0 }];
    });
  },
};

const basicPitch: Figure = {
  name: "basic-pitch",
  async measure(get, device) {
    const { model, input, weights } = await fromOnnx(await get("basic-pitch/nmp.onnx"));
    const names = ["contour", "note", "onset"];
    const loss = Object.fromEntries(names.map((_, i) => [`StatefulPartitionedCall_${i}`, meanSquaredError()]));
    const x = new Float32Array((await get("basic-pitch/window0-input.f32")).slice().buffer);
    return using(model, { device, input: input!, weights, loss, batch: 1 }, async (trainer) => {
      const told: Measured[] = [];
      for (const [i, name] of names.entries()) {
        const wanted = new Float32Array((await get(`basic-pitch/window0-${name}.f32`)).slice().buffer);
        const { data } = await trainer.predict(x, { output: `StatefulPartitionedCall_${i}` });
        const far = wanted.reduce((most, value, k) => Math.max(most, Math.abs(value - data[k]!)), 0);
        told.push({ what: `${name}: the largest difference`, found: far, published: 0, within: 1e-4 });
      }
      return told;
    });
  },
};

/** Networks of characters: their own alphabet, the book, how many of its characters, and nats of each. */
const readers = [
  ["shakespeare", "shakespeare", 4000, 1.353],
  ["shakespeare", "shakespeare", 20_000, 1.326],
  ["shakespeare", "darwin", 4000, 1.805],
  ["shakespeare", "darwin", 20_000, 1.933],
  ["darwin", "darwin", 4000, 1.537],
  ["darwin", "darwin", 20_000, 1.627],
  ["darwin", "shakespeare", 4000, 2.524],
] as const;
const charRnn: Figure = {
  name: "char-rnn",
  async measure(get, device) {
    const told: Measured[] = [];
    for (const [name, book, count, published] of readers) {
      const alphabet = name === "shakespeare" ? "vocab-fixed.json" : "vocab.json";
      const tokenizer = characters(JSON.parse(await textOf(get, `charrnn/${name}/${alphabet}`)), { unknown: "drop" });
      const tokens = tokenizer.encode((await textOf(get, `charrnn/${book}-excerpt.txt`)).slice(0, count));
      const weights = await readCharRnn(async (file) => new Uint8Array(await get(`charrnn/${name}/${file}`)));
      const input = { shape: [tokens.length - 1], classes: tokenizer.size };
      const model = charLstm(tokenizer.size, 128, { characters: 128, layers: 2 });
      const nats = await using(model, { device, input, weights, loss: crossEntropy(), batch: 1 }, async (trainer) => {
        const { loss } = await trainer.evaluate({ x: tokens.subarray(0, -1), y: tokens.subarray(1) });
        return loss;
      });
      const what = `${name}'s network on the first ${count} characters of ${book}-excerpt.txt: nats a character`;
      // Of the longer passages the last published digit is rounded otherwise.
      told.push({ what, found: nats, published, within: count > 4000 ? 0.001 : 0.0006 });
    }
    return told;
  },
};

/** Places of a prediction. */
const CONTEXT = 257;
/** Nats that each token of a text takes, in windows that begin with BOS, mean over all tokens. */
async function natsOf(
  trainer: Trainer,
  tokenizer: Tokenizer,
  windows: readonly (readonly number[])[],
): Promise<number> {
  let [sum, count] = [0, 0];
  for (const window of windows) {
    const x = [...window, ...new Array(CONTEXT - window.length).fill(0)];
    const { data } = await trainer.predict(Uint32Array.from(x));
    for (const [place, token] of window.slice(1).entries()) {
      const own = data.subarray(place * tokenizer.size, (place + 1) * tokenizer.size);
      const most = own.reduce((a, b) => Math.max(a, b));
      sum += most + Math.log(own.reduce((all, logit) => all + Math.exp(logit - most), 0)) - (own[token] as number);
      count++;
    }
  }
  return sum / count;
}

const BOS = 1;
/** Tokens that the published figure was measured in; in windows of 255 it is 4.647. */
const WINDOW = 256;
const tinyStories: Figure = {
  name: "TinyStories",
  async measure(get, device) {
    const { size, tensors } = readLlama(new Uint8Array(await get("tinystories-260k/stories260K.bin")));
    const tokenizer = fromTokenizerBin(await get("tinystories-260k/tok512.bin"));
    const golden = JSON.parse(await textOf(get, "tinystories-260k/golden.json"));
    const text = (await textOf(get, "charrnn/shakespeare-excerpt.txt")).slice(0, 4000);
    const input = { shape: [CONTEXT], classes: size.vocabulary };
    const weights = llamaWeights(tensors);
    return using(llama(size), { device, input, weights, loss: crossEntropy(), batch: 1 }, async (trainer) => {
      const tokens = [...tokenizer.encode(text)];
      const windows = Array.from({ length: Math.ceil(tokens.length / WINDOW) }, (_, i) => [
        BOS,
        ...tokens.slice(WINDOW * i, WINDOW * (i + 1)),
      ]);
      const story: readonly number[] = golden.greedy_from_BOS_70_tokens;
      const { data } = await trainer.predict(Uint32Array.from({ length: CONTEXT }, (_, i) => story[i] ?? 0));
      const wrong = story.slice(1).filter((token, place) => {
        const own = data.subarray(place * tokenizer.size, (place + 1) * tokenizer.size);
        return own.indexOf(Math.max(...own)) !== token;
      });
      return [
        {
          what: "tokens of the published story that are not the likeliest",
          found: wrong.length,
          published: 0,
          within: 0,
        },
        {
          what: `the first 4000 characters of shakespeare-excerpt.txt, ${tokens.length} tokens in windows of ${WINDOW}, each behind BOS: nats a token`,
          found: await natsOf(trainer, tokenizer, windows),
          ...{ published: 4.66, within: 0.005 },
        },
      ];
    });
  },
};

const silero: Figure = {
  name: "silero-vad",
  async measure(get, device) {
    const x = speechBlocks(readWav(await get("silero-vad/speech-20s.wav")));
    const published = new Float32Array((await get("silero-vad/speech-20s.prob.f32")).slice().buffer);
    const model = sileroVad(published.length);
    const input = [published.length, BLOCK, 1];
    const file = await get("silero-vad/silero_vad_16k.safetensors");
    const { weights } = await loadWeights(summary(model, { input }), file);
    return using(model, { device, input, weights, loss: binaryCrossEntropy(), batch: 1 }, async (trainer) => {
      const { data } = await trainer.predict(x, { activation: "sigmoid" });
      const far = published.reduce((most, value, i) => Math.max(most, Math.abs(value - data[i]!)), 0);
      const speech = data.reduce((sum, value) => sum + Number(value > 0.5), 0) / published.length;
      return [
        { what: `the largest difference of ${published.length} probabilities`, found: far, published: 0, within: 1e-4 },
        { what: "blocks above 0.5", found: speech, published: 0.71, within: PART },
      ];
    });
  },
};

export const figures: readonly Figure[] = [
  ...kerasFigures.map(keras),
  { name: "features of MobileNet", measure: featureFigures },
  ...Object.entries(pytorchFigures).map(pytorch),
  ...[goldens, agent, magika, basicPitch, charRnn, tinyStories, silero],
];
