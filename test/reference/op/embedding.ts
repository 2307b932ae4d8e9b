// Y[k] = table[ids[k]]. dTable: each row adds up what came for its tokens, those beyond a short batch left out.

import { size } from "../../../src/op/tensor.ts";
import type { Twin } from "../twin.ts";

export const embedding: Twin = ([ids, table], { outputs }) => {
  const units = outputs[0]!.shape.at(-1)!;
  const y = new Float64Array(ids!.length * units);
  for (const [k, id] of ids!.entries()) y.set(table!.subarray(id * units, (id + 1) * units), k * units);
  return [y];
};

const NONE = 2 ** 32 - 1;

export const tokenChains: Twin = ([ids], { inputs, outputs, attributes }, { count }) => {
  const [tokens, rows, splits] = [ids!.length, attributes.rows as number, attributes.splits as number];
  const real = Math.min(tokens, (tokens / inputs[0]!.shape[0]!) * count);
  const height = Math.ceil(tokens / splits);
  const next = new Float64Array(tokens).fill(NONE);
  const head = new Float64Array(size(outputs[1]!.shape)).fill(NONE);
  for (let k = 0; k < real; k++) {
    const part = Math.floor(k / height);
    const place = part * rows + ids![k]!;
    if (head[place] === NONE) head[place] = k;
    const end = Math.min(real, (part + 1) * height);
    const after = ids!.subarray(0, end).indexOf(ids![k]!, k + 1);
    if (after >= 0) next[k] = after;
  }
  return [next, head];
};

/** So many terms are added before their sum is, so that a long sum of equal numbers keeps its digits. */
const BLOCK = 256;

export const embeddingBackward: Twin = ([dy, next, head], { outputs }, _step, round) => {
  const dtable = new Float64Array(size(outputs[0]!.shape));
  const units = outputs[0]!.shape.at(-1)!;
  for (const [row, first] of head!.entries()) {
    const tokens: number[] = [];
    for (let k = first; k !== NONE; k = next![k]!) tokens.push(k);
    for (let c = 0; c < units; c++) {
      for (let from = 0; from < tokens.length; from += BLOCK) {
        const block = tokens.slice(from, from + BLOCK).reduce((sum, k) => round(sum + dy![k * units + c]!), 0);
        dtable[row * units + c] = round(dtable[row * units + c]! + block);
      }
    }
  }
  return [dtable];
};
