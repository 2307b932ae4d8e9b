// Reads a pickle as a list of instructions of which only those are known that state dicts need: each is a row of a table. Whatever else
// stands there is refused with its byte, and nothing is ever executed (the Python library reference, pickletools, describes them).

import { type ByteReader, byteReader } from "./byte-reader.ts";
import {
  called,
  type Dict,
  globalOf,
  isA,
  isDict,
  isList,
  keyOf,
  type Pickled,
  type StorageRef,
  storageOf,
  told,
} from "./pickle-value.ts";
import type { Refuse } from "./refuse.ts";

/** What an instruction works on. */
interface Machine {
  readonly read: ByteReader;
  readonly stack: Pickled[];
  /** Heights of the stack at marks. */
  readonly marks: number[];
  readonly memo: Map<number, Pickled>;
  /** Storages by their keys. */
  readonly storages: Map<string, StorageRef>;
  /** Where the instruction stands. */
  readonly at: () => number;
  readonly refuse: Refuse;
  readonly pop: () => Pickled;
  readonly top: () => Pickled;
  /** What lies above the last mark, taken off. */
  readonly marked: () => Pickled[];
}

interface Instruction {
  readonly name: string;
  run(machine: Machine): void;
}

/** Puts one value on the stack. */
const push = (name: string, value: (machine: Machine) => Pickled): Instruction => ({
  name,
  run: (machine) => void machine.stack.push(value(machine)),
});

const tuple = (count: number): ((machine: Machine) => Pickled) => {
  return (machine) => Array.from({ length: count }, () => machine.pop()).reverse();
};

const get = (name: string, place: (machine: Machine) => number): Instruction =>
  push(name, (machine) => {
    const at = place(machine);
    return machine.memo.has(at) ? machine.memo.get(at) : machine.refuse(`it takes ${at} from the memo, which has none`);
  });

const put = (name: string, place: (machine: Machine) => number): Instruction => ({
  name,
  run: (machine) => void machine.memo.set(place(machine), machine.top()),
});

/** Sets the pairs in the dict on top. */
function setItems(machine: Machine, items: readonly Pickled[]): void {
  const dict = machine.top();
  if (items.length % 2 !== 0) machine.refuse(`it sets ${items.length} keys and values, they must be pairs`);
  if (!isDict(dict)) machine.refuse(`it sets items of ${told(dict)}, it must be a dict`);
  else for (let i = 0; i < items.length; i += 2) dict.set(keyOf(items[i], machine.refuse), items[i + 1]);
}

function append(machine: Machine, items: readonly Pickled[]): void {
  const list = machine.top();
  if (!isList(list)) machine.refuse(`it appends to ${told(list)}, it must be a list`);
  else for (const item of items) (list as Pickled[]).push(item);
}

/** A whole number of any length, little-endian with a sign. */
function long(machine: Machine, count: number): Pickled {
  // 2^53 takes 7 bytes, and a magic number 10.
  if (count > 64) return machine.refuse(`a number has ${count} bytes, at most 64 are read`);
  const bytes = machine.read.bytes(count, "a number");
  let value = 0n;
  for (let i = count - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] as number);
  if (count > 0 && (bytes[count - 1] as number) >= 128) value -= 1n << BigInt(8 * count);
  return BigInt.asIntN(54, value) === value ? Number(value) : value;
}

/** Instructions by their byte. */
const instructions: Readonly<Record<number, Instruction>> = {
  128: {
    name: "PROTO",
    run({ read, refuse }) {
      const protocol = read.byte("a protocol");
      if (protocol < 2 || protocol > 5) refuse(`it has the protocol ${protocol}, 2 to 5 are read`);
    },
  },
  149: { name: "FRAME", run: ({ read }) => void read.unsigned64("a frame") },
  40: { name: "MARK", run: ({ marks, stack }) => void marks.push(stack.length) },
  48: { name: "POP", run: (machine) => void machine.pop() },
  78: push("NONE", () => null),
  136: push("NEWTRUE", () => true),
  137: push("NEWFALSE", () => false),
  74: push("BININT", ({ read }) => read.int32("a number")),
  75: push("BININT1", ({ read }) => read.byte("a number")),
  77: push("BININT2", ({ read }) => read.unsigned(2, "a number")),
  138: push("LONG1", (machine) => long(machine, machine.read.byte("a length"))),
  71: push("BINFLOAT", ({ read }) => read.float64("a number")),
  88: push("BINUNICODE", ({ read }) => read.text(read.unsigned(4, "a length"), "a text")),
  140: push("SHORT_BINUNICODE", ({ read }) => read.text(read.byte("a length"), "a text")),
  85: push("SHORT_BINSTRING", ({ read }) => read.text(read.byte("a length"), "a text")),
  84: push("BINSTRING", ({ read }) => read.text(read.unsigned(4, "a length"), "a text")),
  125: push("EMPTY_DICT", (): Dict => new Map()),
  93: push("EMPTY_LIST", () => []),
  41: push("EMPTY_TUPLE", () => []),
  133: push("TUPLE1", tuple(1)),
  134: push("TUPLE2", tuple(2)),
  135: push("TUPLE3", tuple(3)),
  116: push("TUPLE", (machine) => machine.marked()),
  97: {
    name: "APPEND",
    run(machine) {
      const item = machine.pop();
      append(machine, [item]);
    },
  },
  101: { name: "APPENDS", run: (machine) => append(machine, machine.marked()) },
  115: {
    name: "SETITEM",
    run(machine) {
      const [value, key] = [machine.pop(), machine.pop()];
      setItems(machine, [key, value]);
    },
  },
  117: { name: "SETITEMS", run: (machine) => setItems(machine, machine.marked()) },
  113: put("BINPUT", ({ read }) => read.byte("a place")),
  114: put("LONG_BINPUT", ({ read }) => read.unsigned(4, "a place")),
  148: put("MEMOIZE", ({ memo }) => memo.size),
  104: get("BINGET", ({ read }) => read.byte("a place")),
  106: get("LONG_BINGET", ({ read }) => read.unsigned(4, "a place")),
  99: push("GLOBAL", ({ read, refuse }) => {
    const module = read.line("a module");
    return globalOf(`${module}.${read.line("a name")}`, refuse);
  }),
  147: push("STACK_GLOBAL", (machine) => {
    const [name, module] = [machine.pop(), machine.pop()];
    return globalOf(`${module}.${name}`, machine.refuse);
  }),
  81: push("BINPERSID", ({ pop, storages, refuse }) => {
    const storage = storageOf(pop(), refuse);
    const before = storages.get(storage.key) ?? storage;
    storages.set(storage.key, before);
    if (before.count === storage.count && before.dtype === storage.dtype) return before;
    return refuse(
      `the storage "${storage.key}" has ${storage.count} numbers of ${storage.dtype}, and had ${before.count} of ${before.dtype}`,
    );
  }),
  82: push("REDUCE", (machine) => {
    const [args, what] = [machine.pop(), machine.pop()];
    return called(what, args, machine.at(), machine.refuse);
  }),
  98: {
    name: "BUILD",
    run(machine) {
      const [state, built] = [machine.pop(), machine.top()];
      // The attributes of an OrderedDict: `_metadata` of a state dict, which says nothing about weights.
      if (!isDict(built) || !isDict(state))
        machine.refuse(`it builds ${told(built)} of ${told(state)}, only a dict has attributes here`);
    },
  },
};

/** Names of instructions that are known not to be read, so that they can be told. */
const foreign: Readonly<Record<number, string>> = {
  ...{ 105: "INST", 111: "OBJ", 129: "NEWOBJ", 146: "NEWOBJ_EX", 130: "EXT1", 131: "EXT2", 132: "EXT4" },
  ...{ 80: "PERSID", 66: "BINBYTES", 67: "SHORT_BINBYTES", 142: "BINBYTES8", 141: "BINUNICODE8" },
  ...{ 139: "LONG4", 73: "INT", 76: "LONG", 70: "FLOAT", 83: "STRING", 86: "UNICODE", 143: "EMPTY_SET" },
  ...{ 144: "ADDITEMS", 145: "FROZENSET", 150: "BYTEARRAY8", 151: "NEXT_BUFFER", 152: "READONLY_BUFFER" },
  ...{ 49: "POP_MARK", 50: "DUP", 100: "DICT", 108: "LIST", 103: "GET", 112: "PUT" },
};

const STOP = 0x2e;

/** A value, and where its pickle ends. */
export interface Unpickled {
  readonly value: Pickled;
  readonly storages: ReadonlyMap<string, StorageRef>;
  readonly end: number;
}

/** The value of the pickle that begins at `start`. Its memory is a small multiple of the bytes that it takes. */
export function unpickle(bytes: Uint8Array, refuse: Refuse, start = 0): Unpickled {
  const read = byteReader(bytes, refuse, start);
  const stack: Pickled[] = [];
  const marks: number[] = [];
  let at = start;
  const here: Refuse = (what, advice) => refuse(`byte ${at}: ${what}`, advice);
  const floor = (): number => marks.at(-1) ?? 0;
  const machine: Machine = {
    ...{ read, stack, marks, memo: new Map(), storages: new Map(), at: () => at, refuse: here },
    pop: () => (stack.length > floor() ? stack.pop() : here("it takes a value from an empty stack")),
    top: () => (stack.length > floor() ? stack.at(-1) : here("it looks at the top of an empty stack")),
    marked: () => stack.splice(marks.pop() ?? here("it takes values down to a mark, and there is none")),
  };
  for (;;) {
    at = read.at();
    const byte = read.byte("an instruction");
    if (byte === STOP) break;
    const instruction = instructions[byte];
    if (instruction === undefined) {
      const name = foreign[byte] ?? "unknown";
      here(`the instruction 0x${byte.toString(16).padStart(2, "0")} (${name}) is no part of a state dict`, adviceFor);
    } else instruction.run(machine);
  }
  if (stack.length !== 1 || marks.length > 0) here(`it ends with ${stack.length} values and ${marks.length} marks`);
  const [value] = stack;
  if (isA("global", value)) here(`it is the global "${value.name}" alone`);
  return { value, storages: machine.storages, end: read.at() };
}

const adviceFor =
  "Save tensors, numbers and texts in dicts and lists alone, such as module.state_dict(); or the file is damaged.";
