// What a pickle of a state dict can hold, and the globals that it may name. Nothing of a file is ever called: a global is a row of
// these tables, or it is refused.

import type { Refuse } from "./refuse.ts";

/** A storage that a pickle refers to; its bytes lie elsewhere in the file. */
export interface StorageRef {
  readonly kind: "storage";
  readonly key: string;
  /** Name of the number type; undefined where tensors say it themselves. */
  readonly dtype: string | undefined;
  /** Numbers, or bytes where there is no type. */
  readonly count: number;
}

/** A tensor: a view of a storage. */
export interface TensorRef {
  readonly kind: "tensor";
  readonly storage: StorageRef;
  readonly dtype: string;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  /** Where in the pickle it is made. */
  readonly at: number;
}

export interface GlobalRef {
  readonly kind: "global";
  /** "torch.FloatStorage". */
  readonly name: string;
}

export type Key = string | number | boolean | bigint | null;
export type Pickled = Key | undefined | readonly Pickled[] | Dict | StorageRef | TensorRef | GlobalRef;
export type Dict = Map<Key, Pickled>;

/** Number types of storages, by PyTorch's names; undefined where tensors say it themselves. */
const storages: Readonly<Record<string, string | undefined>> = {
  ...{ "torch.FloatStorage": "F32", "torch.DoubleStorage": "F64", "torch.HalfStorage": "F16" },
  ...{ "torch.BFloat16Storage": "BF16", "torch.LongStorage": "I64", "torch.IntStorage": "I32" },
  ...{ "torch.ShortStorage": "I16", "torch.CharStorage": "I8", "torch.ByteStorage": "U8", "torch.BoolStorage": "BOOL" },
  ...{ "torch.storage.UntypedStorage": undefined, "torch.UntypedStorage": undefined },
};

/** Number types of tensors that say it themselves. */
const dtypes: Readonly<Record<string, string>> = {
  ...{ "torch.float32": "F32", "torch.float64": "F64", "torch.float16": "F16", "torch.bfloat16": "BF16" },
  ...{ "torch.int64": "I64", "torch.int32": "I32", "torch.int16": "I16", "torch.int8": "I8", "torch.uint8": "U8" },
  ...{ "torch.bool": "BOOL", "torch.uint16": "U16", "torch.uint32": "U32", "torch.uint64": "U64" },
};

export const isList = (value: Pickled): value is readonly Pickled[] => Array.isArray(value);
export const isDict = (value: Pickled): value is Dict => value instanceof Map;
export const isA = <Kind extends "storage" | "tensor" | "global">(
  kind: Kind,
  value: Pickled,
): value is Extract<Pickled, { readonly kind: Kind }> =>
  typeof value === "object" && value !== null && "kind" in value && value.kind === kind;

/** What a value is called in a message. */
export const told = (value: Pickled): string =>
  isList(value)
    ? "a list"
    : isDict(value)
      ? "a dict"
      : typeof value === "object" && value !== null
        ? `a ${value.kind}`
        : value === undefined
          ? "a mark"
          : JSON.stringify(typeof value === "bigint" ? String(value) : value).slice(0, 60);

const isCount = (value: Pickled): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** Refuses at the byte that is worked on. */
type Make = (args: readonly Pickled[], at: number, refuse: Refuse) => Pickled;

function lengths(what: string, given: Pickled, refuse: Refuse): readonly number[] {
  if (!isList(given) || !given.every(isCount)) return refuse(`a tensor's ${what} is ${told(given)}, it must be counts`);
  return given as readonly number[];
}

/** A tensor of storage, offset, size and strides. */
function tensor(dtype: string | undefined, args: readonly Pickled[], at: number, refuse: Refuse): Pickled {
  const [storage, offset, size, stride] = args;
  if (!isA("storage", storage)) return refuse(`a tensor is made of ${told(storage)}, it must be a storage`);
  if (!isCount(offset)) return refuse(`a tensor begins at ${told(offset)}, it must be a count`);
  const [shape, strides] = [lengths("size", size, refuse), lengths("strides", stride, refuse)];
  if (shape.length !== strides.length)
    return refuse(`a tensor has ${shape.length} lengths and ${strides.length} strides`);
  const type = dtype ?? storage.dtype;
  if (type === undefined) return refuse("a tensor of a storage without a type does not say its own");
  return { kind: "tensor", storage, dtype: type, offset, shape, strides, at };
}

const sound = "The file may be sound, but this is not read. Convert the tensor in PyTorch.";

/** What may be called, and what stands for the call. */
const calls: Readonly<Record<string, Make>> = {
  "collections.OrderedDict": ([pairs = []], _, refuse) => {
    const made: Dict = new Map();
    if (!isList(pairs)) return refuse(`an OrderedDict is made of ${told(pairs)}, it must be pairs`);
    for (const pair of pairs) {
      if (!isList(pair) || pair.length !== 2)
        return refuse(`an OrderedDict is made of ${told(pair)}, it must be a pair`);
      made.set(keyOf(pair[0], refuse), pair[1]);
    }
    return made;
  },
  "torch._utils._rebuild_tensor": (args, at, refuse) => tensor(undefined, args, at, refuse),
  "torch._utils._rebuild_tensor_v2": (args, at, refuse) => tensor(undefined, args, at, refuse),
  "torch._utils._rebuild_tensor_v3": (args, at, refuse) => {
    const dtype = args[6];
    const name = isA("global", dtype) ? dtypes[dtype.name] : undefined;
    return name === undefined
      ? refuse(`a tensor has the type ${told(dtype)}, which is not read`, sound)
      : tensor(name, args, at, refuse);
  },
  "torch._utils._rebuild_parameter": ([data], _, refuse) =>
    isA("tensor", data) ? data : refuse(`a parameter is made of ${told(data)}, it must be a tensor`),
  "torch.Size": ([list], _, refuse) => lengths("Size", list, refuse),
};

/** What a pickle may name. Refuses all else, with what to do. */
export function globalOf(name: string, refuse: Refuse): GlobalRef {
  const isKnown = [calls, storages, dtypes].some((table) => Object.hasOwn(table, name));
  if (isKnown) return { kind: "global", name };
  return refuse(
    `it names "${name}", which is no part of a state dict, and nothing of a file is executed`,
    adviceFor(name),
  );
}

function adviceFor(name: string): string {
  if (/^torch\.\w+Storage$|^torch\.(q|complex|float8|bits)/.test(name)) return sound;
  if (name.startsWith("torch.nn.") || name.startsWith("__main__."))
    return "The file holds a whole module: save module.state_dict() in its place.";
  if (name.startsWith("__torch__.")) return "The file is TorchScript: save module.state_dict() in its place.";
  if (name.startsWith("numpy.")) return "Make plain numbers of NumPy's before saving: float(value).";
  return "Save tensors, numbers and texts in dicts and lists alone, such as module.state_dict().";
}

/** What a call of a global stands for. */
export function called(what: Pickled, args: Pickled, at: number, refuse: Refuse): Pickled {
  if (!isA("global", what)) return refuse(`it calls ${told(what)}, which is no global`);
  if (!isList(args)) return refuse(`it calls "${what.name}" with ${told(args)}, it must be a tuple`);
  const make = Object.hasOwn(calls, what.name) ? calls[what.name] : undefined;
  return make === undefined ? refuse(`it calls "${what.name}", which is not to be called`) : make(args, at, refuse);
}

export function keyOf(key: Pickled, refuse: Refuse): Key {
  if (key === null || (typeof key !== "object" && key !== undefined)) return key;
  return refuse(`a dict has ${told(key)} as a key`, "Use names or numbers as keys.");
}

/** The storage that a persistent id tells of: ("storage", type, key, device, count). */
export function storageOf(id: Pickled, refuse: Refuse): StorageRef {
  if (!isList(id) || id[0] !== "storage") return refuse(`it refers to ${told(id)}, it must be a storage`);
  const [, type, key, , count] = id;
  if (!isA("global", type) || !Object.hasOwn(storages, type.name))
    return refuse(`a storage has ${isA("global", type) ? `the type "${type.name}"` : told(type)}, which is none`);
  if (typeof key !== "string" && typeof key !== "number") return refuse(`a storage has the key ${told(key)}`);
  if (!isCount(count)) return refuse(`a storage has ${told(count)} numbers, it must be a count`);
  // A view of another storage, as versions before 0.4 had them.
  if (id[5] !== undefined && id[5] !== null) return refuse("a storage is a view of another one", sound);
  return { kind: "storage", key: String(key), dtype: storages[type.name], count };
}
