// A recurrent network over characters (Sutskever, Martens and Hinton 2011).

import { dense, embedding, type Layer, lstm, sequential } from "../../src/index.ts";

/** Characters [T] -> logits of the next one at each place, [T, vocabulary]. */
export const charLstm = (vocabulary: number, units = 128): Layer =>
  sequential({
    tokens: embedding(vocabulary, 64),
    read: lstm(units, { returnSequences: true }),
    head: dense(vocabulary),
  });
