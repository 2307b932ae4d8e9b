// A network of llama2.c from its file: seven whole numbers, then f32 matrices [out, in], those of all blocks one after the other by kind;
// and the names that weights of a Llama have in demo/models/llama.ts.

import type { HostTensor } from "../src/index.ts";
import type { LlamaSize } from "./models/llama.ts";

type Tensors = Map<string, HostTensor>;

/** Weights of a block in the order of the file, [out, in]: d units, h of the feed-forward part, k of keys and values. */
const KINDS =
  "attention_norm:d attention.wq:d,d attention.wk:k,d attention.wv:k,d attention.wo:d,d ffn_norm:d feed_forward.w1:h,d feed_forward.w2:d,h feed_forward.w3:h,d";

/** What a file of llama2.c (version 0) with one table of tokens for both ends holds, under the names of the safetensors form. */
export function readLlama(bytes: Uint8Array<ArrayBuffer>): { readonly size: LlamaSize; readonly tensors: Tensors } {
  const [d = 0, h = 0, blocks = 0, heads = 0, keyHeads = 0, v = 0] = new Int32Array(bytes.buffer, bytes.byteOffset, 7);
  const lengths: Readonly<Record<string, number>> = { d, h, v, k: (d / heads) * keyHeads };
  const inBlocks = KINDS.split(" ").flatMap((kind) => Array.from({ length: blocks }, (_, i) => `layers.${i}.${kind}`));
  const tensors: Tensors = new Map();
  let at = bytes.byteOffset + 4 * 7;
  for (const kind of ["tok_embeddings:v,d", ...inBlocks, "norm:d"]) {
    const [name, letters = ""] = kind.split(":");
    const shape = letters.split(",").map((letter) => lengths[letter] as number);
    const length = shape.reduce((a, b) => a * b);
    const data = new Float32Array(bytes.buffer, at, length);
    tensors.set(`${name}.weight`, { shape, data });
    at += data.byteLength;
  }
  return { size: { vocabulary: v, units: d, hidden: h, blocks, heads, keyHeads }, tensors };
}

/** What parts of names become, in order. */
const names: readonly (readonly [RegExp, string])[] = [
  [/^tok_embeddings/, "tokens"],
  [/^layers\.(\d+)\./, "block$1."],
  [/\.attention\./, ".look.attention."],
  [/\.wq\./, ".query."],
  [/\.wk\./, ".key."],
  [/\.wv\./, ".value."],
  [/\.wo\./, ".output."],
  [/\.attention_norm\.weight/, ".look.norm.gamma"],
  [/\.ffn_norm\.weight/, ".think.norm.gamma"],
  [/^norm\.weight/, "norm.gamma"],
  [/\.feed_forward\.w1/, ".think.hidden.gate"],
  [/\.feed_forward\.w3/, ".think.hidden.value"],
  [/\.feed_forward\.w2/, ".think.output"],
];

/** The same weights as the model has them: matrices are [in, out] here, but for the table. */
export function llamaWeights(tensors: ReadonlyMap<string, HostTensor>): Map<string, HostTensor> {
  return new Map(
    [...tensors].map(([name, tensor]) => [
      names.reduce((now, [from, to]) => now.replace(from, to), name),
      tensor.shape.length === 2 && !name.startsWith("tok") ? transposed(tensor) : tensor,
    ]),
  );
}

function transposed({ shape, data }: HostTensor): HostTensor {
  const [rows, columns] = shape as [number, number];
  const made = Float32Array.from(data, (_, i) => data[(i % rows) * columns + Math.floor(i / rows)] as number);
  return { shape: [columns, rows], data: made };
}
