// A recurrent network over characters with gated units (Cho et al. 2014).

import { dense, embedding, gru, type Layer, sequential } from "../../src/index.ts";

/** Characters [T] -> logits of the next one at each place, [T, vocabulary]. */
export const charGru = (vocabulary: number, units = 128): Layer =>
  sequential({
    tokens: embedding(vocabulary, 64),
    read: gru(units, { returnSequences: true }),
    head: dense(vocabulary),
  });
