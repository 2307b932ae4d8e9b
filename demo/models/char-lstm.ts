// A recurrent network over characters (Sutskever, Martens and Hinton 2011).

import { dense, embedding, type Layer, lstm, sequential } from "../../src/index.ts";

/** Lengths of a network of other ones: numbers that stand for a character, and layers that read. */
export interface CharLstmOptions {
  readonly characters?: number;
  readonly layers?: number;
}

/** Characters [T] -> logits of the next one at each place, [T, vocabulary]. */
export const charLstm = (
  vocabulary: number,
  units = 128,
  { characters = 64, layers = 1 }: CharLstmOptions = {},
): Layer =>
  sequential({
    tokens: embedding(vocabulary, characters),
    ...Object.fromEntries(
      Array.from({ length: layers }, (_, i) => [
        i === 0 ? "read" : `read${i + 1}`,
        lstm(units, { returnSequences: true }),
      ]),
    ),
    head: dense(vocabulary),
  });
