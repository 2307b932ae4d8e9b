// A file of PyTorch as its tensors by name and whatever else it holds as plain data.

import { rowMajor, sizeOf } from "../foreign/strided.ts";
import { decodeSafetensors, OptionError } from "../index.ts";
import { readArchive } from "./archive.ts";
import type { FileTensor } from "./file-tensor.ts";
import { type Contents, readLegacy } from "./legacy.ts";
import { floatsOf, numberType } from "./number-types.ts";
import { isA, isDict, isList, type Pickled, type TensorRef } from "./pickle-value.ts";
import { bytesOf, named, type Refuse, refuser } from "./refuse.ts";
import { isZip } from "./zip.ts";

/** What a file holds beside tensors. Keys of dicts are names here, and whole numbers beyond 2^53 are bigints. */
export type PlainValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | readonly PlainValue[]
  | { readonly [name: string]: PlainValue };

/** What was read of a file of PyTorch. */
export interface PyTorchReport {
  /** How the file is written: what `torch.save` makes now, what it made before 1.6, or safetensors. */
  readonly format: "zip" | "legacy" | "safetensors";
  /** Each with the type that the file has it in. */
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[]; readonly dtype: string }[];
  /** A line for each tensor. */
  toString(): string;
}

/** Options of `fromPyTorch`. */
export interface FromPyTorchOptions {
  /** The part of the file that is meant, "state_dict" of a checkpoint that has more: names begin below it. Default: all of it. */
  readonly part?: string;
}

/** What `fromPyTorch` gives. */
export interface FromPyTorch {
  /** By the keys that lead to them, joined by dots. */
  readonly tensors: Map<string, FileTensor>;
  /** The rest: the same nesting without the tensors. */
  readonly values: PlainValue;
  /** What was read, for people: `console.log(String(report))`. */
  readonly report: PyTorchReport;
}

/** Eight bytes of length, then a JSON object. */
const isSafetensors = (bytes: Uint8Array): boolean => bytes.length > 8 && bytes[8] === 0x7b;

/** More than any checkpoint nests. */
const MOST_DEPTH = 64;

/**
 * Tensors and values of a `.pt` or `.pth` file that holds a state dict, or a checkpoint with one: as archive or in the form before
 * PyTorch 1.6; a safetensors file is read too. Nothing of the file is executed: what is no dict, list, number, text or tensor is refused
 * with its place. A state dict has no architecture; `loadWeights` brings the tensors into a model. Memory: views of the file, and of
 * each tensor 4 bytes a number once its `data` is asked for. Throws CheckpointError for a file that is damaged, hostile or holds more.
 *
 * @example
 * const { tensors, values } = await fromPyTorch(bytes, { part: "state_dict" });
 * console.log(tensors.get("conv1.weight")?.shape);
 */
export async function fromPyTorch(
  source: Uint8Array | ArrayBuffer,
  options: FromPyTorchOptions = {},
): Promise<FromPyTorch> {
  const place = "fromPyTorch";
  const odd = Object.keys(options).find((key) => key !== "part");
  if (odd !== undefined) throw new OptionError(`${place}: there is no option "${odd}". Options: part.`);
  const bytes = bytesOf(place, source);
  const refuse = refuser(place);
  const { part } = options;
  if (isSafetensors(bytes))
    return finished("safetensors", below(part, new Map(decodeSafetensors(bytes, place).tensors), refuse), {});
  const format = isZip(bytes) ? "zip" : "legacy";
  if (format === "legacy" && bytes[0] !== 0x80)
    refuse(
      `its ${bytes.length} bytes begin with ${[...bytes.subarray(0, 4)].join(" ")}, neither an archive (80 75 3 4) nor a pickle (128)`,
      "Give what torch.save wrote, or a safetensors file.",
    );
  const contents = format === "zip" ? await readArchive(bytes, refuse) : readLegacy(bytes, refuse);
  const { tensors, values } = tell(contents, bytes.length, refuse);
  return finished(format, below(part, tensors, refuse), valuesBelow(part, values));
}

function finished(format: PyTorchReport["format"], tensors: Map<string, FileTensor>, values: PlainValue): FromPyTorch {
  const list = [...tensors].map(([name, { shape, dtype }]) => ({ name, shape, dtype }));
  const widest = Math.max(0, ...list.map(({ name }) => name.length));
  const text = () =>
    [
      `${format}: ${list.length} tensors, ${list.reduce((sum, { shape }) => sum + sizeOf(shape), 0)} numbers`,
      ...list.map(({ name, shape, dtype }) => `${name.padEnd(widest)}  ${dtype.padEnd(4)}  [${shape.join(", ")}]`),
    ].join("\n");
  return { tensors, values, report: { format, tensors: list, toString: text } };
}

/** Tensors of a part, by what follows its name. */
function below(part: string | undefined, tensors: Map<string, FileTensor>, refuse: Refuse): Map<string, FileTensor> {
  if (part === undefined) return tensors;
  const found = [...tensors].filter(([name]) => name.startsWith(`${part}.`));
  if (found.length === 0)
    refuse(`no tensor lies below "${part}"; it has ${named([...tensors.keys()])}`, "Correct part, or leave it out.");
  return new Map(found.map(([name, tensor]) => [name.slice(part.length + 1), tensor]));
}

/** Values of a part; keys within it may have dots themselves. */
function valuesBelow(part: string | undefined, values: PlainValue): PlainValue {
  if (part === undefined) return values;
  for (const [name, value] of Object.entries(Object(values) as Record<string, PlainValue>)) {
    if (name === part) return value;
    if (part.startsWith(`${name}.`)) return valuesBelow(part.slice(name.length + 1), value);
  }
  return {};
}

/** The object as tensors by name and plain data. What it refers to many times over counts each time. */
function tell(contents: Contents, fileBytes: number, refuse: Refuse) {
  const tensors = new Map<string, FileTensor>();
  let left = fileBytes;
  const visit = (given: Pickled, path: string, depth: number): PlainValue | undefined => {
    if (--left < 0 || depth > MOST_DEPTH)
      return refuse(
        `"${path.slice(0, 60)}": it is nested ${depth > MOST_DEPTH ? `more than ${MOST_DEPTH} deep` : `into more than ${fileBytes} values, one for each byte of the file`}`,
      );
    const within = (key: string): string => (path === "" ? key : `${path}.${key}`);
    if (isA("tensor", given)) {
      if (tensors.has(path)) refuse(`two tensors are called "${path}"`, "Rename one of the keys before saving.");
      tensors.set(path, fileTensor(path, given, contents, fileBytes, refuse));
      return undefined;
    }
    if (isA("storage", given)) return refuse(`"${path}" is a storage without a tensor`, "Save the tensor.");
    if (isA("global", given)) return given.name;
    if (isList(given))
      return given.map((one, i) => visit(one, within(String(i)), depth + 1)).filter((one) => one !== undefined);
    if (isDict(given)) {
      const entries: [string, PlainValue][] = [];
      for (const [key, one] of given) {
        const told = visit(one, within(String(key)), depth + 1);
        if (told !== undefined) entries.push([String(key), told]);
      }
      return Object.fromEntries(entries);
    }
    return given as PlainValue;
  };
  const values = visit(contents.value, "", 0) ?? {};
  return { tensors, values };
}

/** A tensor held against its storage. */
function fileTensor(
  name: string,
  { storage, dtype, offset, shape, strides, at }: TensorRef,
  { storages }: Contents,
  fileBytes: number,
  refuse: Refuse,
): FileTensor {
  const here: Refuse = (what, advice) => refuse(`"${name}", made at byte ${at} of its pickle: ${what}`, advice);
  const bytes = storages.get(storage.key);
  if (bytes === undefined) return here(`its storage "${storage.key}" is not in the file`);
  const width = numberType(dtype)?.bytes as number;
  const held = Math.floor((storage.dtype === undefined ? storage.count : storage.count * width) / width);
  const count = sizeOf(shape);
  const reach = count === 0 ? 0 : shape.reduce((sum, length, axis) => sum + (length - 1) * (strides[axis] ?? 0), 1);
  if (!(offset + reach <= held))
    here(
      `shape [${shape}] with strides [${strides}] from ${offset} on reaches number ${offset + reach}, the storage has ${held}`,
    );
  // A stride of 0 repeats numbers without storing them.
  if (!(count <= Math.max(held, fileBytes)))
    here(`shape [${shape}] repeats ${held} stored numbers to ${count}, more than the ${fileBytes} bytes of the file`);
  let data: Float32Array<ArrayBuffer> | undefined;
  return {
    shape,
    dtype,
    get data() {
      data ??= floatsOf(dtype, bytes, { shape, offset, strides: shape.length === 0 ? rowMajor(shape) : strides }, here);
      return data;
    },
  };
}
