// Text that a network over characters goes on with: one character after the other, drawn by the probabilities that it gives.

import type { Network } from "../src/index.ts";
import { characters } from "../src/text/index.ts";
import { uniforms } from "./random.ts";

export interface Sampling {
  /** Below 1 what is likely becomes likelier, above 1 all become more alike; 0 takes the likeliest. At least 0, default 0.8. */
  readonly temperature?: number;
  /** Only so many of the likeliest are drawn from. From 1, default 40. */
  readonly topK?: number;
  /** Default 0. */
  readonly seed?: number;
}

/** A token by its logit; `at` is a number from 0 to below 1 that decides which. */
export function draw(logits: ArrayLike<number>, at: number, { temperature = 0.8, topK = 40 }: Sampling = {}): number {
  const best = Array.from(logits, (logit, token) => ({ logit, token }))
    .sort((a, b) => b.logit - a.logit || a.token - b.token)
    .slice(0, temperature === 0 ? 1 : topK);
  const highest = best[0]?.logit ?? 0;
  const weights = best.map(({ logit }) => Math.exp((logit - highest) / (temperature || 1)));
  let left = at * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [i, { token }] of best.entries()) {
    left -= weights[i] as number;
    if (left < 0) return token;
  }
  return best.at(-1)?.token ?? 0; // what rounding left
}

/** What reads text: a network or a trainer, with the length of what it reads and the vocabulary. */
export interface Writer {
  readonly network: Pick<Network, "predict" | "inputShape">;
  readonly vocabulary: readonly string[];
}

/**
 * Goes on with `start` without end, character by character: break off when there is enough. The network reads the last characters,
 * as many as its input holds; what comes behind them it must not look at, so it must be causal or recurrent.
 */
export async function* write(
  { network, vocabulary }: Writer,
  start = "\n",
  sampling: Sampling = {},
): AsyncGenerator<string> {
  const [length = 0] = network.inputShape;
  const next = uniforms(`text ${sampling.seed ?? 0}`);
  const tokens = [...characters(vocabulary, { unknown: "drop" }).encode(start)];
  if (tokens.length === 0) tokens.push(0);
  for (;;) {
    const seen = tokens.slice(-length);
    const last = seen.length - 1;
    const { data } = await network.predict(Uint8Array.from({ length }, (_, at) => seen[at] ?? 0));
    const logits = data.subarray(last * vocabulary.length, (last + 1) * vocabulary.length);
    const token = draw(logits, next(), sampling);
    tokens.push(token);
    yield vocabulary[token] as string;
  }
}

/** `characters` of it in one piece. */
export async function written(
  writer: Writer,
  characters: number,
  start?: string,
  sampling?: Sampling,
): Promise<string> {
  let text = "";
  for await (const character of write(writer, start, sampling)) {
    text += character;
    if (text.length >= characters) break;
  }
  return text;
}
