// A network of llama2.c from its file: seven whole numbers, then f32 matrices [out, in], those of all blocks one after the other by kind;
// and the names that weights of a Llama have in demo/models/llama.ts.

import type { HostTensor } from "../src/index.ts";
import type { LlamaSize } from "./models/llama.ts";

type Tensors = Map<string, HostTensor>;

/** What a file of llama2.c (version 0) with one table of tokens for both ends holds, under the names of the safetensors form. */
export function readLlama(bytes: Uint8Array<ArrayBuffer>): { readonly size: LlamaSize; readonly tensors: Tensors } {
  const whole = new Int32Array(bytes.buffer, bytes.byteOffset, 7) as ArrayLike<number> as number[];
  const [units, hidden, blocks, heads, keyHeads, vocabulary] = whole as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const keys = (units / heads) * keyHeads;
  const tensors: Tensors = new Map();
  let at = bytes.byteOffset + 4 * whole.length;
  const take = (name: string, ...shape: number[]): void => {
    const length = shape.reduce((a, b) => a * b);
    tensors.set(name, { shape, data: new Float32Array(bytes.buffer, at, length) });
    at += 4 * length;
  };
  const each = (name: string, ...shape: number[]): void => {
    for (let i = 0; i < blocks; i++) take(`layers.${i}.${name}.weight`, ...shape);
  };
  take("tok_embeddings.weight", vocabulary, units);
  each("attention_norm", units);
  for (const [name, rows] of Object.entries({ wq: units, wk: keys, wv: keys, wo: units }))
    each(`attention.${name}`, rows, units);
  each("ffn_norm", units);
  each("feed_forward.w1", hidden, units);
  each("feed_forward.w2", units, hidden);
  each("feed_forward.w3", hidden, units);
  take("norm.weight", units);
  return { size: { vocabulary, units, hidden, blocks, heads, keyHeads }, tensors };
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
