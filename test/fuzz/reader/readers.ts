// Every reader of files, with sound files that it takes and the ways in which each becomes wrong by what it is made of. A new reader is a
// row here.

import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { loadAdapters, saveAdapters } from "../../../src/adapter/index.ts";
import {
  decodeSafetensors,
  encodeSafetensors,
  GradusError,
  type HostTensor,
  type Model,
  summary,
} from "../../../src/index.ts";
import { fromKeras, type KerasSource } from "../../../src/keras/index.ts";
import { modelSchema } from "../../../src/onnx/file.ts";
import { fromOnnx } from "../../../src/onnx/index.ts";
import { decode } from "../../../src/onnx/wire.ts";
import { encode } from "../../../src/onnx-out/encode.ts";
import { fromPyTorch } from "../../../src/pytorch/index.ts";
import { fromTokenizerBin, fromTokenizerJson, type Tokenizer } from "../../../src/text/index.ts";
import {
  archiveFields,
  archiveOf,
  type Entry,
  entriesOf,
  hdf5Fields,
  headed,
  headerOf,
  instructionsOf,
  tokenizerBin,
} from "./pieces.ts";
import { type Chance, joined, wrongBytes, wrongFields, wrongParts, wrongTree } from "./wrong.ts";

/** A file, or several with what is said of them. */
export type Given = Uint8Array<ArrayBuffer> | { readonly json: unknown; readonly weights: Uint8Array<ArrayBuffer> };

export interface Reader {
  readonly name: string;
  /** Sound files. */
  readonly files: readonly Given[];
  /** How a file of `files`, by its number, becomes a wrong one. */
  readonly ways: readonly ((file: number, chance: Chance) => Given)[];
  /** Bytes that it may take whatever the file: of constants that it reckons. Default: those of all readers. */
  readonly floor?: number;
  /** Reads a file and uses all that comes of it. */
  read(given: Given): unknown;
}

const golden = (name: string): Buffer => readFileSync(`test/golden/${name}`);
const json = (name: string) => JSON.parse(golden(name).toString());
const bytesOf = (base64: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(base64, "base64"));
const text = (value: unknown): Uint8Array<ArrayBuffer> => new TextEncoder().encode(JSON.stringify(value) ?? "");
/** The first so many bytes. */
const cut =
  (chance: Chance) =>
  (part: Uint8Array): Uint8Array =>
    part.subarray(0, chance.below(part.length + 1));

/** The way of files that are bytes. */
const anyBytes =
  (files: readonly Uint8Array[]) =>
  (file: number, chance: Chance): Given =>
    wrongBytes(files[file] as Uint8Array, chance);

async function useTensors(given: Given): Promise<void> {
  for (const { data } of (await fromPyTorch(given as Uint8Array)).tensors.values()) void data.length;
}

const pytorch: { readonly files: Record<string, string> }[] = Object.values(json("pytorch.json").objects);
const formOf = (...forms: string[]): Uint8Array<ArrayBuffer>[] =>
  pytorch.flatMap(({ files }) => forms.filter((form) => form in files).map((form) => bytesOf(files[form] as string)));
const [archives, legacy] = [formOf("zip", "packed"), formOf("legacy")];
const entries = archives.map(entriesOf);

/** An archive whose object has wrong instructions. */
const wrongObject = (file: number, chance: Chance): Given =>
  archiveOf(
    (entries[file] as Entry[]).map((entry) => {
      if (!entry.name.endsWith("data.pkl") || entry.method !== 0) return entry;
      const data = joined(...wrongParts(instructionsOf(entry.data), chance, cut(chance)));
      return { ...entry, data, size: data.length };
    }),
  );

const numbers = (count: number): Float32Array<ArrayBuffer> => Float32Array.from({ length: count }, (_, i) => i / 8 - 1);
const tensor = (...shape: number[]): HostTensor => ({ shape, data: numbers(shape.reduce((a, b) => a * b, 1)) });
const plain = encodeSafetensors({
  tensors: new Map([
    ["body.weight", tensor(4, 3)],
    ["body.bias", tensor(3)],
    ["scale", tensor()],
    ["none", tensor(0, 5)],
  ]),
  metadata: { made: "for tests" },
});
/** The same bytes as numbers of another type. */
const retyped = (dtype: string, width: number): Uint8Array<ArrayBuffer> =>
  headed({ a: { dtype, shape: [8 / width, 2], data_offsets: [0, 16] } }, plain.subarray(0, 16));
const tensorFiles = [
  plain,
  retyped("F16", 2),
  retyped("BF16", 2),
  retyped("I64", 8),
  retyped("F64", 8),
  retyped("BOOL", 1),
];
const adapterFiles = [
  saveAdapters(
    new Map([
      ["body.loraA", tensor(4, 2)],
      ["body.loraB", tensor(2, 3)],
      ["conv.loraA", tensor(3, 3, 5, 2)],
      ["conv.loraB", tensor(1, 1, 2, 4)],
    ]),
  ).bytes,
  saveAdapters(new Map([["words.loraA", tensor(7, 2)], ["words.loraB", tensor(2, 4)]]), { tables: "words" }).bytes, // biome-ignore format: a file a line
];
const wrongHeader =
  (files: readonly Uint8Array[]) =>
  (file: number, chance: Chance): Given => {
    const { header, data } = headerOf(files[file] as Uint8Array);
    return headed(wrongTree(header, chance), data);
  };
const wrongData =
  (files: readonly Uint8Array[]) =>
  (file: number, chance: Chance): Given => {
    const { header, data } = headerOf(files[file] as Uint8Array);
    return headed(header, wrongBytes(data, chance));
  };

const h5 = ["keras.h5", "keras-new.h5"].map((name) => Uint8Array.from(golden(name)));
const hdf5Places = h5.map(hdf5Fields);
/** The plan in an HDF5 file with something wrong in it, in as many bytes. */
function wrongPlan(file: number, chance: Chance): Given {
  const bytes = (h5[file] as Uint8Array<ArrayBuffer>).slice();
  const at = Buffer.from(bytes.buffer).indexOf('{"class_name"');
  let [end, depth] = [at, 0];
  do {
    depth += { 123: 1, 125: -1 }[bytes[end++] as number] ?? 0;
  } while (depth > 0);
  const plan = text(wrongTree(JSON.parse(Buffer.from(bytes.subarray(at, end)).toString()), chance));
  bytes.fill(0x20, at, end);
  bytes.set(plan.subarray(0, end - at), at);
  return bytes;
}

type Layers = Exclude<Given, Uint8Array>;
const layersModels: Layers[] = Object.values(
  json("keras.json") as Record<string, { json: object; weights: string }>,
).map((one) => ({ json: one.json, weights: bytesOf(one.weights) }));
const layersOf = (file: number): Layers => layersModels[file] as Layers;

async function useKeras(given: Given): Promise<void> {
  const { model, input, weights } = await fromKeras(given as KerasSource);
  for (const { data } of weights.values()) void data.length;
  if (input !== undefined) summary(model, { input });
}

interface OnnxCase {
  readonly op: string;
  readonly models: readonly { readonly keep: readonly number[]; readonly model: string }[];
}

/** A file of each operator. */
const onnxFiles = [
  ...new Map(
    (JSON.parse(gunzipSync(golden("onnx-cases.json.gz")).toString()) as OnnxCase[]).flatMap(({ op, models }) =>
      models
        .filter(({ keep, model }) => keep.length > 0 && model.length < 4000)
        .map(({ model }) => [op, bytesOf(model)]),
    ),
  ).values(),
];
const messages = onnxFiles.map((bytes) => decode(modelSchema, bytes));

/** With a weight, since most files have none and nothing could be trained. */
const withWeight = (model: Model): Model => ({
  kind: "withWeight",
  takesValues: true,
  apply(scope, x) {
    scope.parameter("nothing", [1], "zeros");
    return model.apply(scope, x);
  },
});

async function useOnnx(given: Given): Promise<void> {
  const read = async (batch: "free" | "none"): Promise<void> => {
    const { model, input, weights } = await fromOnnx(given as Uint8Array, { batch });
    for (const { data } of weights.values()) void data.length;
    summary(withWeight(model), { input });
  };
  // Whatever comes of samples first, the file is read without them too.
  await read("free").catch((error: unknown) => {
    if (!(error instanceof GradusError) || /internal:/.test(error.message)) throw error;
  });
  await read("none");
}

const tokenizers: { file: object }[] = Object.values(json("byte-pairs.json"));
const special = ["<unk>", "<s> ", "</s>"].map((name) => name.padEnd(5));
const bytePieces = Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, "0")}>`);
const tokens = tokenizerBin([...special, ...bytePieces, " ", "a", "b", "ab", " ab", "é", "日本"]);
/** The longest piece, then score and length of the first tokens. */
const tokenPlaces = [0, ...[0, 1, 2].flatMap((i) => [4 + 13 * i, 8 + 13 * i])].map((at) => ({ at, width: 4 as const }));

function useTokenizer(tokenizer: Tokenizer): void {
  const tokens = tokenizer.encode("The king's day, 日本 12.\n abab", { special: true });
  tokenizer.decode(tokens);
  tokenizer.decode(tokens, { special: false });
}

export const readers: readonly Reader[] = [
  {
    name: "pytorch zip",
    files: archives,
    ways: [
      anyBytes(archives),
      (file, chance) => wrongFields(archives[file] as Uint8Array, archiveFields(archives[file] as Uint8Array), chance),
      wrongObject,
      wrongObject,
      (file, chance) =>
        archiveOf(wrongParts(entries[file] as Entry[], chance, (one) => ({ ...one, data: cut(chance)(one.data) }))),
      (file, chance) => archiveOf(wrongTree(entries[file] as Entry[], chance, { keepsKinds: true })),
    ],
    read: useTensors,
  },
  {
    name: "pytorch legacy",
    files: legacy,
    ways: [
      anyBytes(legacy),
      (file, chance) => joined(...wrongParts(instructionsOf(legacy[file] as Uint8Array), chance, cut(chance))),
      (file, chance) => {
        const parts = instructionsOf(legacy[file] as Uint8Array);
        const at = chance.below(parts.length);
        return joined(...parts.with(at, wrongBytes(parts[at] as Uint8Array, chance)));
      },
    ],
    read: useTensors,
  },
  {
    name: "safetensors",
    files: tensorFiles,
    ways: [anyBytes(tensorFiles), wrongHeader(tensorFiles), wrongHeader(tensorFiles), wrongData(tensorFiles)],
    read: (given) => {
      for (const { data } of decodeSafetensors(given as Uint8Array).tensors.values()) void data.length;
    },
  },
  {
    name: "adapters of PEFT",
    files: adapterFiles,
    ways: [anyBytes(adapterFiles), wrongHeader(adapterFiles), wrongHeader(adapterFiles), wrongData(adapterFiles)],
    read: (given) => loadAdapters(given as Uint8Array),
  },
  {
    name: "keras h5",
    files: h5,
    ways: [
      anyBytes(h5),
      (file, chance) => wrongFields(h5[file] as Uint8Array, hdf5Places[file] as [], chance),
      (file, chance) => wrongFields(h5[file] as Uint8Array, hdf5Places[file] as [], chance),
      wrongPlan,
    ],
    read: useKeras,
  },
  {
    name: "layers-model",
    files: layersModels,
    ways: [
      (file, chance) => ({ ...layersOf(file), json: wrongBytes(text(layersOf(file).json), chance) }),
      (file, chance) => ({ ...layersOf(file), weights: wrongBytes(layersOf(file).weights, chance) }),
      (file, chance) => ({ ...layersOf(file), json: wrongTree(layersOf(file).json, chance) }),
      (file, chance) => ({ ...layersOf(file), json: wrongTree(layersOf(file).json, chance) }),
      (file, chance) => ({ ...layersOf(file), json: wrongTree(layersOf(file).json, chance, { keepsKinds: true }) }),
    ],
    read: useKeras,
  },
  {
    name: "onnx",
    floor: 2 ** 24,
    files: onnxFiles,
    ways: [
      anyBytes(onnxFiles),
      ...[0, 1, 2].map(
        () => (file: number, chance: Chance) =>
          encode(
            modelSchema,
            wrongTree(messages[file] as object, chance, { keepsKinds: true }) as Record<string, unknown>,
          ),
      ),
    ],
    read: useOnnx,
  },
  {
    name: "tokenizer.json",
    files: tokenizers.map(({ file }) => text(file)),
    ways: [
      (file, chance) => wrongBytes(text(tokenizers[file]?.file), chance),
      (file, chance) => text(wrongTree(tokenizers[file]?.file, chance)),
      (file, chance) => text(wrongTree(tokenizers[file]?.file, chance)),
    ],
    read: (given) => useTokenizer(fromTokenizerJson(given as Uint8Array)),
  },
  {
    name: "tokenizer.bin",
    files: [joined(...tokens)],
    ways: [
      anyBytes([joined(...tokens)]),
      (_, chance) => wrongFields(joined(...tokens), tokenPlaces, chance),
      (_, chance) => joined(...wrongParts(tokens as Uint8Array[], chance, cut(chance))),
    ],
    read: (given) => useTokenizer(fromTokenizerBin(given as Uint8Array)),
  },
];
