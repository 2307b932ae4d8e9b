// Networks that learn to write: each character of a book from those before it.

import { crossEntropy, type Layer } from "../../src/index.ts";
import { charGpt as gpt } from "../models/char-gpt.ts";
import { charGru as gru } from "../models/char-gru.ts";
import { charLstm as lstm } from "../models/char-lstm.ts";
import { type Corpus, loadCorpus, pieces } from "../text.ts";
import { written } from "../text-sampling.ts";
import { fitting } from "./fit.ts";
import type { Run, Settings } from "./task.ts";

/** Characters that a network reads at once. */
const LENGTH = 64;
/** A quarter of the model's own size, for which a CPU too has the time. */
const GPT = { units: 64, heads: 4, blocks: 4 };
/** Of what is shown. */
const SHOWN = { start: "The whale ", characters: 160 };

export interface TextRun extends Run {
  readonly corpus: Corpus;
}

async function open(model: (vocabulary: number) => Layer, settings: Settings): Promise<TextRun> {
  const corpus = await loadCorpus();
  const classes = corpus.vocabulary.length;
  const { count: samples, ...data } = pieces(corpus.train, LENGTH, settings.samples);
  const run = await fitting(
    { model: model(classes), input: { shape: [LENGTH], classes }, loss: crossEntropy(), data, samples, accuracy: true },
    settings,
  );
  const { network } = run.trainer;
  return {
    ...run,
    corpus,
    async test() {
      const { count, ...heldOut } = pieces(corpus.heldOut, LENGTH, settings.samples);
      const { loss, accuracy } = await run.trainer.evaluate(heldOut);
      const byFrequency = surprise(corpus);
      const characters = count * LENGTH;
      const verdict = `${loss.toFixed(3)} nats a character on ${characters.toLocaleString("en-US")} characters that it never saw; who knows only how frequent each is needs ${byFrequency.toFixed(3)}`;
      return { verdict, figures: { loss, accuracy, byFrequency }, samples: count };
    },
    async show() {
      const { start, characters } = SHOWN;
      const writer = { network, vocabulary: corpus.vocabulary };
      return { text: start + (await written(writer, characters, start, { seed: settings.seed ?? 0 })) };
    },
  };
}

/** Nats a character of the held-out part, guessed by how frequent each is in the other. */
function surprise({ vocabulary, train, heldOut }: Corpus): number {
  const counts = new Float64Array(vocabulary.length).fill(1); // none is impossible
  for (const token of train) counts[token]!++;
  const all = counts.reduce((sum, count) => sum + count, 0);
  return heldOut.reduce((sum, token) => sum - Math.log(counts[token]! / all), 0) / heldOut.length;
}

export const charGpt = (settings: Settings): Promise<TextRun> =>
  open((vocabulary) => gpt({ vocabulary, length: LENGTH, ...GPT }), settings);
export const charLstm = (settings: Settings): Promise<TextRun> => open((vocabulary) => lstm(vocabulary), settings);
export const charGru = (settings: Settings): Promise<TextRun> => open((vocabulary) => gru(vocabulary), settings);
