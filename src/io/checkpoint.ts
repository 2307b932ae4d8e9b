// A checkpoint, "gradus-2": a safetensors file with the weights under their own names and all else that belongs to a tensor
// under "role/name". One JSON in the metadata has { sections, signature, training }: which roles the file has in which
// type, all that decides the bits of the training, and where it stands. Later work adds roles, types and keys.

import { CheckpointError } from "../errors.ts";
import { checksumOf } from "./checksum.ts";
import { firstForm } from "./first-form.ts";
import { canonical, isRecord, parseJson } from "./json.ts";
import { decodeSafetensors, encodeSafetensors, type FileTensor, type StoredTensor } from "./safetensors.ts";
import { ownValue, type Signature } from "./signature.ts";
import { type Training, unreadable } from "./training.ts";

/** Tensors by name, by role: "parameters", "moment1", "average", "control" and whatever comes. */
export type Sections<Tensor extends StoredTensor = StoredTensor> = ReadonlyMap<string, ReadonlyMap<string, Tensor>>;

export interface Checkpoint {
  readonly sections: Sections;
  readonly signature: Signature;
  readonly training: Training;
}

const FORMAT = "gradus-2";
const FIRST = "gradus-1";
export const WEIGHTS = "parameters";
export const BASE = "base";
export const STATES = "states";

/** What a tensor is called in the file. */
export const keyOf = (role: string, name: string): string => (role === WEIGHTS ? name : `${role}/${name}`);

/** Role and name of what is called `key` in the file. */
function split(key: string): [role: string, name: string] {
  const at = key.indexOf("/");
  return at < 0 ? [WEIGHTS, key] : [key.slice(0, at), key.slice(at + 1)];
}

/** The same checkpoint gives the same bytes. */
export const encodeCheckpoint = ({ sections, signature, training }: Checkpoint): Uint8Array<ArrayBuffer> =>
  encode(sections, { signature, training });

/** The weights alone, for any reader of safetensors, with the shape of one sample in the metadata. */
export const encodeWeights = (weights: ReadonlyMap<string, StoredTensor>, input: unknown): Uint8Array<ArrayBuffer> =>
  encode(new Map([[WEIGHTS, weights]]), { signature: { input } });

function encode(sections: Sections, record: Partial<Checkpoint>): Uint8Array<ArrayBuffer> {
  const tensors = [...sections].flatMap(([role, byName]) =>
    [...byName].map(([name, { shape, data }]) => {
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      return [keyOf(role, name), { dtype: "F32", shape, data, bytes }] as const;
    }),
  );
  const gradus = canonical({ ...record, sections: rolesOf(tensors) });
  const metadata = { format: FORMAT, gradus, checksum: contentSum(tensors, gradus) };
  return encodeSafetensors({ tensors: new Map(tensors), metadata });
}

type Entries = readonly (readonly [key: string, tensor: FileTensor])[];

/** The sections of a file: each role and type once. */
const rolesOf = (tensors: Entries): unknown[] =>
  [...new Set(tensors.map(([key, { dtype }]) => canonical({ role: split(key)[0], dtype })))]
    .sort()
    .map((text) => JSON.parse(text));

function contentSum(tensors: Entries, gradus: string): string {
  const sorted = tensors.toSorted(([a], [b]) => (a < b ? -1 : 1));
  const heads = sorted.map(([key, { dtype, shape }]) => [key, dtype, shape]);
  return checksumOf([gradus, JSON.stringify(heads), ...sorted.map(([, { bytes }]) => bytes)]);
}

/** A safetensors file without a model to hold it against. */
export interface Opened {
  /** Of the checkpoint; 0 for a file of somebody else, whose tensors are all taken for weights. */
  readonly form: 0 | 1 | 2;
  readonly sections: Sections<FileTensor>;
  /** Nothing in a file of somebody else. */
  readonly signature: Signature;
  /** As it stands in the file; undefined where it holds weights alone. */
  readonly training: unknown;
}

/** Reads any safetensors file. `place` begins its errors. Throws CheckpointError where it is none, or damaged. */
export function openCheckpoint(given: Uint8Array | ArrayBuffer, place = "checkpoint"): Opened {
  const file = decodeSafetensors(given, place);
  const { format, gradus = "", checksum } = file.metadata;
  if (format !== FORMAT && format !== FIRST) {
    return { form: 0, sections: new Map([[WEIGHTS, file.tensors]]), signature: {}, training: undefined };
  }
  const tensors = [...file.tensors];
  const sections = new Map<string, Map<string, FileTensor>>();
  for (const [key, tensor] of tensors) {
    const [role, name] = split(key);
    sections.set(role, (sections.get(role) ?? new Map()).set(name, tensor));
  }
  // Schedules made of schedules, in a change, in a list, are as deep as anything here.
  const record = parseJson(gradus, 64, () => unreadable("its training state"));
  if (format === FIRST) return { form: 1, sections, ...firstForm(record) };
  const sum = contentSum(tensors, gradus);
  if (sum !== checksum) {
    throw new CheckpointError(
      `${place}: its checksum is ${checksum}, its content gives ${sum}. The file is damaged, or somebody changed it; use another copy.`,
    );
  }
  if (canonical(ownValue(record, "sections")) !== canonical(rolesOf(tensors))) unreadable("its list of sections");
  const signature = ownValue(record, "signature");
  if (!isRecord(signature)) return unreadable("its signature");
  return { form: 2, sections, signature, training: ownValue(record, "training") };
}

/** The weights and states of a safetensors file, of whatever model. Throws CheckpointError where it is none, or damaged. */
export function weightsOf(bytes: Uint8Array | ArrayBuffer, place = "transfer"): ReadonlyMap<string, FileTensor> {
  const { sections } = openCheckpoint(bytes, place);
  return new Map([WEIGHTS, BASE, STATES].flatMap((role) => [...(sections.get(role) ?? [])]));
}
