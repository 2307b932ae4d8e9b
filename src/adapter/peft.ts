// Adapters alone, in the names and axes of PEFT: `base_model.model.PATH.lora_A.weight` [rank, in] and `.lora_B.weight` [out, rank], convolutions
// with their window behind, tables as `lora_embedding_A` and `_B`; and the configuration that lies beside the file.

import {
  CheckpointError,
  decodeSafetensors,
  encodeSafetensors,
  type HostTensor,
  NameError,
  OptionError,
} from "../index.ts";
import { checkAlpha } from "./lora.ts";
import { below, pairsOf } from "./merge.ts";
import { checkKeys, chosen } from "./names.ts";

/** Options of `saveAdapters`. */
export interface SaveAdaptersOptions {
  /** As it was given to lora. Default: the rank. */
  readonly alpha?: number;
  /** Paths of tables, `embedding` layers, by pattern: PEFT calls their factors by other names. Default: none. */
  readonly tables?: string | readonly string[];
  /** What a path is called in PyTorch's model. Default: as here. */
  readonly rename?: (path: string) => string;
}

/** Both files of adapters in PEFT's form. */
export interface SavedAdapters {
  /** adapter_model.safetensors. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** adapter_config.json. */
  readonly config: string;
}

const PREFIX = "base_model.model.";

/** Axes of PyTorch, [out, in, ..], of those here, [.., in, out], and back. */
function turned({ shape, data }: HostTensor, toPyTorch: boolean): HostTensor {
  const window = toPyTorch ? shape.slice(0, -2) : shape.slice(2);
  const [inputs, outputs] = (toPyTorch ? shape.slice(-2) : [shape[1], shape[0]]) as [number, number];
  const made = new Float32Array(data.length);
  // Where another length is 0, a window may claim to be as large as it likes.
  const places = made.length === 0 ? 0 : window.reduce((a, b) => a * b, 1);
  for (let place = 0; place < places; place++) {
    for (let i = 0; i < inputs; i++) {
      for (let o = 0; o < outputs; o++) {
        const here = (place * inputs + i) * outputs + o;
        const there = (o * inputs + i) * places + place;
        if (toPyTorch) made[there] = data[here] as number;
        else made[here] = data[there] as number;
      }
    }
  }
  return { shape: toPyTorch ? [outputs, inputs, ...window] : [...window, inputs, outputs], data: made };
}

/**
 * The adapters among weights as PEFT's two files. Throws CheckpointError where there are none, OptionError for options that there are not.
 *
 * @example const { bytes, config } = saveAdapters(await trainer.weights(), { alpha: 16 });
 */
export function saveAdapters(
  weights: ReadonlyMap<string, HostTensor>,
  options: SaveAdaptersOptions = {},
): SavedAdapters {
  const place = "saveAdapters";
  checkKeys(place, options, ["alpha", "tables", "rename"]);
  const { tables, rename = (path: string) => path } = options;
  if (typeof rename !== "function") throw new OptionError(`${place}: rename is no function. Write (path) => path.`);
  const isTable = tables === undefined ? () => false : chosen(place, tables);
  const pairs = pairsOf(place, weights);
  const tensors = new Map<string, HostTensor>();
  for (const { path, a, b } of pairs) {
    const [first, second] = isTable(path)
      ? ["lora_embedding_A", "lora_embedding_B"]
      : ["lora_A.weight", "lora_B.weight"];
    const name = PREFIX + rename(path);
    tensors.set(`${name}.${first}`, turned(a, true));
    tensors.set(`${name}.${second}`, turned(b, true));
  }
  const ranks = pairs.map(({ path, a }) => [rename(path), a.shape.at(-1) as number] as const);
  const rank = ranks[0]?.[1] as number;
  const { alpha = rank } = options;
  checkAlpha(place, alpha);
  const config = {
    ...{ peft_type: "LORA", r: rank, lora_alpha: alpha, lora_dropout: 0, bias: "none", fan_in_fan_out: false },
    target_modules: ranks.map(([path]) => path),
    rank_pattern: Object.fromEntries(ranks.filter(([, own]) => own !== rank)),
    inference_mode: true,
  };
  return {
    bytes: encodeSafetensors({ tensors, metadata: { format: "pt" } }),
    config: `${JSON.stringify(config, null, 2)}\n`,
  };
}

/** Options of `loadAdapters`. */
export interface LoadAdaptersOptions {
  /** What a path of PyTorch's model is called here. Default: the same. */
  readonly rename?: (path: string) => string;
}

const NAME = /^(?:base_model\.model\.)?(.+)\.(?:lora_(A|B)(?:\.default)?\.weight|lora_embedding_(A|B)(?:\.default)?)$/;

/**
 * Adapters of PEFT's adapter_model.safetensors, by the names of lora: for `setWeights`, `compile`'s weights or unmerge. The file as its bytes, of
 * whatever number type, or its tensors by name. Throws CheckpointError where the file is
 * damaged or holds something else, NameError where two names become one.
 *
 * @example trainer.setWeights(loadAdapters(bytes, { rename: (path) => path.replace("layers.", "block") }));
 */
export function loadAdapters(
  source: Uint8Array | ArrayBuffer | ReadonlyMap<string, HostTensor>,
  options: LoadAdaptersOptions = {},
): Map<string, HostTensor> {
  const place = "loadAdapters";
  checkKeys(place, options, ["rename"]);
  const { rename = (path: string) => path } = options;
  if (typeof rename !== "function") throw new OptionError(`${place}: rename is no function. Write (path) => path.`);
  const made = new Map<string, HostTensor>();
  for (const [name, tensor] of source instanceof Map
    ? source
    : decodeSafetensors(source as Uint8Array, place).tensors) {
    const found = NAME.exec(name);
    if (found === null)
      throw new CheckpointError(`${place}: "${name}" is no factor of LoRA, such as "${PREFIX}PATH.lora_A.weight".`);
    if (tensor.shape.length < 2)
      throw new CheckpointError(`${place}: "${name}" is [${tensor.shape}], it must have 2 axes at least.`);
    const own = below(rename(found[1] as string), `lora${found[2] ?? found[3]}`);
    if (made.has(own)) throw new NameError(`${place}: "${name}" becomes "${own}", which another is. Correct rename.`);
    made.set(own, turned(tensor, false));
  }
  pairsOf(place, made);
  return made;
}
