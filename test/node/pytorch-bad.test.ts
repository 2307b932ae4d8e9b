// Files that nobody in good faith wrote, and files that were cut short: each is refused by a typed error that names the place.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { fromPyTorch } from "../../src/pytorch/index.ts";

type Bytes = readonly number[];
const text = (given: string): number[] => [...new TextEncoder().encode(given)];
const u16 = (value: number): number[] => [value & 255, (value >> 8) & 255];
const u32 = (value: number): number[] => [...u16(value % 65536), ...u16(Math.floor(value / 65536))];
const u64 = (value: number): number[] => [...u32(value % 2 ** 32), ...u32(Math.floor(value / 2 ** 32))];

// Pieces of pickles.
const PROTO = [0x80, 2];
const STOP = [0x2e];
const MARK = [0x28];
const TUPLE = [0x74];
const REDUCE = [0x52];
const str = (given: string): number[] => [0x58, ...u32(text(given).length), ...text(given)];
const num = (value: number): number[] => [0x4a, ...u32(value < 0 ? value + 2 ** 32 : value)];
/** A whole number of up to 2^53. */
const long = (value: number): number[] => [0x8a, 8, ...u64(value)];
const glob = (module: string, name: string): number[] => [0x63, ...text(`${module}\n${name}\n`)];
const tuple = (...parts: Bytes[]): number[] => [...MARK, ...parts.flat(), ...TUPLE];
const dict = (...items: (readonly [Bytes, Bytes])[]): number[] => [0x7d, ...MARK, ...items.flat(2), 0x75];
const float = glob("torch", "FloatStorage");
const persistent = (...parts: Bytes[]): number[] => [...tuple(...parts), 0x51];
const storage = (count: Bytes = num(4), key = "0", type: Bytes = float): number[] =>
  persistent(str("storage"), type, str(key), str("cpu"), count);
const tensor = (from: Bytes, offset: Bytes, size: Bytes[], stride: Bytes[]): number[] => [
  ...glob("torch._utils", "_rebuild_tensor_v2"),
  ...tuple(from, offset, tuple(...size), tuple(...stride), [0x89], [...glob("collections", "OrderedDict"), 0x29, 0x52]),
  ...REDUCE,
];
const plain = tensor(storage(), num(0), [num(2), num(2)], [num(2), num(1)]);
const pickle = (...body: Bytes[]): number[] => [...PROTO, ...body.flat(), ...STOP];
const dictOf = (value: Bytes, name = "w"): number[] => pickle(dict([str(name), value]));

interface Entry {
  readonly data: Bytes;
  readonly method?: number;
  readonly flags?: number;
  readonly size?: number;
  readonly local?: number;
  readonly packed?: number;
}

function zip(entries: readonly (readonly [name: string, entry: Entry])[]): number[] {
  const files: number[] = [];
  const directory: number[] = [];
  for (const [name, { data, method = 0, flags = 0, size = data.length, packed = data.length, local }] of entries) {
    const sizes = [...u32(0), ...u32(packed), ...u32(size)];
    const fields = [...u16(flags), ...u16(method), ...u32(0), ...sizes, ...u16(name.length), ...u16(0)];
    const place = local ?? files.length;
    directory.push(...u32(0x02014b50), ...u16(20), ...u16(20), ...fields, ...u16(0), ...u16(0), ...u16(0));
    directory.push(...u32(0), ...u32(place), ...text(name));
    files.push(...u32(0x04034b50), ...u16(20), ...fields, ...text(name), ...data);
  }
  const count = u16(entries.length);
  const end = [
    ...u32(0x06054b50),
    0,
    0,
    0,
    0,
    ...count,
    ...count,
    ...u32(directory.length),
    ...u32(files.length),
    0,
    0,
  ];
  return [...files, ...directory, ...end];
}

const archive = (
  object: Bytes,
  more: Readonly<Record<string, Entry>> = { "data/0": { data: new Array(16).fill(0) } },
) =>
  zip([
    ["a/data.pkl", { data: object }],
    ...Object.entries(more).map(([name, entry]) => [`a/${name}`, entry] as const),
  ]);

const MAGIC = [0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
const legacy = ({
  magic = MAGIC,
  protocol = num(1001),
  system = dict([str("little_endian"), [0x88]]),
  keys = [0x5d, ...str("0"), 0x61] as Bytes,
  storages = [...u64(4), ...new Array(16).fill(0)] as Bytes,
} = {}): number[] => [
  ...pickle(magic),
  ...pickle(protocol),
  ...pickle(system),
  ...dictOf(plain),
  ...pickle(keys),
  ...storages,
];

const safetensors = (header: string, data: Bytes = [0, 0, 0, 0], length = text(header).length): number[] => [
  ...u64(length),
  ...text(header),
  ...data,
];

/** [[[[]]]] as often as one likes, and a list that has itself. */
const deep = [...new Array(100).fill(0x5d), ...new Array(99).fill(0x61)];
const itself = [0x5d, 0x71, 0, 0x68, 0, 0x61];
/** Each list has the one before it ten times: 10^9 values in a few hundred bytes. */
const doubling = Array.from({ length: 9 }, (_, i) => [
  ...[0x5d, ...MARK],
  ...new Array(10).fill(i === 0 ? [0x4e] : [0x68, i]).flat(),
  ...[0x65, 0x71, i + 1],
]);

const within = "fromPyTorch: data.pkl: byte";
const bad: Readonly<Record<string, readonly [file: Bytes, says: string | RegExp]>> = {
  "no file": [[], "its 0 bytes begin with"],
  "a text": [text("hello there"), "begin with 104 101 108 108, neither an archive (80 75 3 4) nor a pickle (128)"],
  "a zip without a directory": [
    archive(dictOf(plain)).slice(0, -22),
    "the archive's directory is missing at the end of",
  ],
  "a directory that is none": [
    archive(dictOf(plain)).with(-6, 1).with(-5, 0),
    /byte \d+: entry 0 of 2 of the archive's directory is not there/,
  ],
  "one that claims more entries": [
    archive(dictOf(plain)).with(-12, 9),
    /byte \d+: entry 2 of 9 of the archive's directory is not there/,
  ],
  "a file twice": [
    zip([
      ["a/data.pkl", { data: dictOf(plain) }],
      ["a/data.pkl", { data: [] }],
    ]),
    'the archive has "a/data.pkl" twice',
  ],
  "an entry beyond the file": [
    archive(dictOf(plain), { "data/0": { data: [], size: 999, packed: 999 } }),
    /"a\/data\/0" has bytes \d+ to \d+, the file has \d+/,
  ],
  "an entry without a head": [
    archive(dictOf(plain), { "data/0": { data: [], local: 7 } }),
    'byte 7: the head of "a/data/0" is not there',
  ],
  "a stored entry of two sizes": [
    archive(dictOf(plain), { "data/0": { data: [1, 2], size: 16 } }),
    '"a/data/0" is stored in 2 bytes and has 16',
  ],
  "an encrypted entry": [archive(dictOf(plain), { "data/0": { data: [], flags: 1 } }), '"a/data/0" is encrypted'],
  "another packing": [
    archive(dictOf(plain), { "data/0": { data: [], method: 12 } }),
    '"a/data/0" is packed by method 12',
  ],
  zip64: [archive(dictOf(plain), { "data/0": { data: [], size: 2 ** 32 - 1 } }), '"a/data/0" needs zip64'],
  "a bomb": [
    archive(dictOf(plain), { "data/0": { data: [3, 0], method: 8, size: 4e9 } }),
    /of \d+ bytes unpacks to 4000000000, at most/,
  ],
  "what does not unpack": [
    archive(dictOf(plain), { "data/0": { data: [255, 255, 255], method: 8, size: 16 } }),
    '"a/data/0" does not unpack',
  ],
  "what unpacks to less": [
    archive(dictOf(plain), { "data/0": { data: [3, 0], method: 8, size: 16 } }),
    '"a/data/0" does not unpack',
  ],
  "no object": [zip([["a/version", { data: [51] }]]), "the archive holds a/version, and no data.pkl"],
  "no storage": [archive(dictOf(plain), {}), 'the archive has no storage "data/0"'],
  "a short storage": [
    archive(dictOf(plain), { "data/0": { data: [1, 2] } }),
    'the storage "data/0" has 2 bytes, 4 numbers need 16',
  ],
  "the high byte first": [
    archive(dictOf(plain), { byteorder: { data: text("big") } }),
    "its numbers have the high byte first",
  ],

  "another protocol": [archive([0x80, 9, ...STOP]), `${within} 0: it has the protocol 9, 2 to 5 are read`],
  "an unknown instruction": [
    archive(pickle([0xff])),
    `${within} 2: the instruction 0xff (unknown) is no part of a state dict`,
  ],
  "an object": [
    archive(pickle(glob("collections", "OrderedDict"), [0x29, 0x81])),
    "the instruction 0x81 (NEWOBJ) is no part",
  ],
  "an instance": [archive(pickle(MARK, [0x69], text("os\nsystem\n"))), "the instruction 0x69 (INST) is no part"],
  "an extension": [archive(pickle([0x82, 1])), "the instruction 0x82 (EXT1) is no part"],
  "a text as an id": [archive(pickle([0x50], text("x\n"))), "the instruction 0x50 (PERSID) is no part"],
  "a command": [
    archive(pickle(glob("os", "system"), tuple(str("true")), REDUCE)),
    `${within} 2: it names "os.system", which is no part of a state dict, and nothing of a file is executed`,
  ],
  "a command by the stack": [
    archive(pickle(str("builtins"), str("eval"), [0x93])),
    'it names "builtins.eval", which is no part',
  ],
  "names of every object": [archive(pickle(glob("__proto__", "constructor"))), 'it names "__proto__.constructor"'],
  "a module": [
    archive(pickle(glob("torch.nn.modules.linear", "Linear"))),
    "The file holds a whole module: save module.state_dict()",
  ],
  "a number of NumPy": [
    archive(pickle(glob("numpy.core.multiarray", "scalar"))),
    "Make plain numbers of NumPy's before saving",
  ],
  "quantised numbers": [
    archive(dictOf(storage(num(4), "0", glob("torch", "QUInt8Storage")))),
    'it names "torch.QUInt8Storage"',
  ],
  TorchScript: [archive(pickle(glob("__torch__.model", "Net"))), "The file is TorchScript"],
  "a call of a storage": [
    archive(pickle(float, [0x29], REDUCE)),
    'it calls "torch.FloatStorage", which is not to be called',
  ],
  "a call of a text": [archive(pickle(str("f"), [0x29], REDUCE)), 'it calls "f", which is no global'],
  "a call with a number": [
    archive(pickle(glob("torch", "Size"), num(1), REDUCE)),
    'it calls "torch.Size" with 1, it must be a tuple',
  ],
  "a global alone": [archive(pickle(float)), 'it is the global "torch.FloatStorage" alone'],
  "attributes of a list": [archive(pickle([0x5d], [0x7d], [0x62])), "it builds a list of a dict"],
  "an empty stack": [archive(pickle([0x30])), `${within} 2: it takes a value from an empty stack`],
  "values below a mark": [archive(pickle(num(1), MARK, [0x30])), "it takes a value from an empty stack"],
  "no mark": [archive(pickle(TUPLE)), "it takes values down to a mark, and there is none"],
  "two values": [archive(pickle(num(1), num(2))), "it ends with 2 values and 0 marks"],
  "no end": [archive([...PROTO, 0x4e]), `${within} 3: an instruction needs 1 bytes, the file has 0 more`],
  "an empty memo": [archive(pickle([0x68, 7])), "it takes 7 from the memo, which has none"],
  "a text beyond the file": [
    archive(pickle([0x58, ...u32(4e9)])),
    "a text needs 4000000000 bytes, the file has 1 more",
  ],
  "a text that is none": [archive(pickle([0x58, ...u32(1), 0xff])), "a text is no UTF-8 text"],
  "a name without an end": [archive(pickle([0x63], text("torch"))), "a module has no line end"],
  "a very long number": [
    archive(pickle([0x8a, 255], new Array(255).fill(1))),
    "a number has 255 bytes, at most 64 are read",
  ],
  "items of a list": [archive(pickle([0x5d], str("a"), num(1), [0x73])), "it sets items of a list, it must be a dict"],
  "half an item": [archive(pickle([0x7d], MARK, str("a"), [0x75])), "it sets 1 keys and values, they must be pairs"],
  "a list as a key": [archive(pickle([0x7d, 0x5d], num(1), [0x73])), "a dict has a list as a key"],
  "more in a number": [archive(pickle(num(1), num(2), [0x61])), "it appends to 1, it must be a list"],
  "a dict of no pairs": [
    archive(pickle(glob("collections", "OrderedDict"), tuple(tuple(num(3))), REDUCE)),
    "an OrderedDict is made of 3, it must be a pair",
  ],
  depth: [archive(pickle(deep)), "it is nested more than 64 deep"],
  "a list in itself": [archive(pickle(itself)), "it is nested more than 64 deep"],
  "a billion values": [
    archive(pickle(num(0), ...doubling.flatMap((one, i) => (i === 0 ? [[0x30], one] : [[0x30], one])))),
    /it is nested into more than \d+ values/,
  ],
  "two tensors of one name": [
    archive(pickle(dict([str("a.b"), plain], [str("a"), dict([str("b"), plain])]))),
    'two tensors are called "a.b"',
  ],

  "an id that is no storage": [archive(pickle(persistent(str("module")))), "it refers to a list, it must be a storage"],
  "a storage of no type": [archive(dictOf(storage(num(4), "0", str("float")))), 'a storage has "float", which is none'],
  "a storage of a function": [
    archive(dictOf(storage(num(4), "0", glob("torch", "Size")))),
    'a storage has the type "torch.Size", which is none',
  ],
  "a storage of -1 numbers": [archive(dictOf(storage(num(-1)))), "a storage has -1 numbers, it must be a count"],
  "a storage of two sizes": [
    archive(pickle(tuple(storage(num(4)), storage(num(3))))),
    'the storage "0" has 3 numbers of F32, and had 4 of F32',
  ],
  "a storage alone": [archive(dictOf(storage())), '"w" is a storage without a tensor'],
  "a tensor of a number": [
    archive(dictOf(tensor(num(1), num(0), [], []))),
    "a tensor is made of 1, it must be a storage",
  ],
  "an offset below 0": [
    archive(dictOf(tensor(storage(), num(-1), [num(1)], [num(1)]))),
    "a tensor begins at -1, it must be a count",
  ],
  "an offset beyond": [
    archive(dictOf(tensor(storage(), num(4), [num(1)], [num(1)]))),
    /"w", made at byte \d+ of its pickle: shape \[1\] with strides \[1\] from 4 on reaches number 5, the storage has 4/,
  ],
  "strides beyond": [
    archive(dictOf(tensor(storage(), num(0), [num(2), num(2)], [num(3), num(1)]))),
    "reaches number 5, the storage has 4",
  ],
  "strides below 0": [
    archive(dictOf(tensor(storage(), num(3), [num(4)], [num(-1)]))),
    "a tensor's strides is a list, it must be counts",
  ],
  "too few strides": [
    archive(dictOf(tensor(storage(), num(0), [num(2), num(2)], [num(1)]))),
    "a tensor has 2 lengths and 1 strides",
  ],
  "a hostile shape": [
    archive(dictOf(tensor(storage(), num(0), [long(2 ** 50), long(2 ** 50)], [num(0), num(0)]))),
    /repeats 4 stored numbers to 1\.26\d+e\+30, more than the \d+ bytes of the file/,
  ],
  "a hostile stride": [
    archive(dictOf(tensor(storage(), num(0), [long(2 ** 50), num(2)], [long(2 ** 50), num(1)]))),
    /reaches number 1\.26\d+e\+30, the storage has 4/,
  ],

  "another magic number": [
    legacy({ magic: num(3) }),
    "it begins with the pickle of 3, a file of PyTorch with a magic number",
  ],
  "another version": [legacy({ protocol: num(1000) }), "byte 15: it has the protocol 1000, 1001 is read"],
  "the high byte first, before archives": [
    legacy({ system: dict([str("little_endian"), [0x89]]) }),
    "its numbers have the high byte first",
  ],
  "keys that are none": [legacy({ keys: num(1) }), "the keys of its storages are 1, it must be a list"],
  "a key that nothing has": [legacy({ keys: [0x5d, ...str("9"), 0x61] }), 'it lists the storage "9"'],
  "a tensor whose storage is not there": [legacy({ keys: [0x5d] }), 'its storage "0" is not in the file'],
  "another count": [
    legacy({ storages: [...u64(5), ...new Array(20).fill(0)] }),
    'the storage "0" has 5 numbers, its tensors say 4',
  ],
  "a count beyond 2^53": [legacy({ storages: new Array(8).fill(255) }), "is 18446744073709551615, beyond 2^53"],
  "a short storage, before archives": [
    legacy({ storages: [...u64(4), 0, 0] }),
    'the storage "0" of 4 numbers needs 16 bytes, the file has 2 more',
  ],

  "a header beyond the file": [
    safetensors("{}", [], 1e12),
    "its header claims 1000000000000 bytes, at most 100000000 are allowed",
  ],
  "a header that is no JSON": [safetensors("{nonsense"), "its header is no JSON"],
  "a tensor without a shape": [safetensors('{"a":{"dtype":"F32","data_offsets":[0,4]}}'), '"a" has no valid shape'],
  "a tensor without a range": [safetensors('{"a":{"dtype":"F32","shape":[1]}}'), '"a" has no valid range'],
  "a range beyond the file": [
    safetensors('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'),
    '"a" has bytes 0 to 8, the file has 4',
  ],
  "a range of another size": [
    safetensors('{"a":{"dtype":"F32","shape":[9],"data_offsets":[0,4]}}'),
    '"a" of shape [9] needs 36 bytes, its range has 4',
  ],
};

const refusal = async (file: Bytes | Uint8Array): Promise<Error | undefined> => {
  try {
    const { tensors } = await fromPyTorch(Uint8Array.from(file));
    for (const { data } of tensors.values()) void data.length;
    return undefined;
  } catch (error) {
    return error as Error;
  }
};

test("a sound file of these pieces is read, so that it is the one wrong piece that is refused", async () => {
  for (const file of [
    archive(dictOf(plain)),
    legacy(),
    safetensors('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'),
  ])
    expect(await refusal(file)).toBeUndefined();
});

describe.each(Object.entries(bad))("%s", (_, [file, says]) => {
  test("is refused", async () => {
    const error = await refusal(file);
    expect(error?.name).toBe("CheckpointError");
    if (typeof says === "string") expect(error?.message).toContain(says);
    else expect(error?.message).toMatch(says);
    expect(error?.message).toMatch(/^fromPyTorch: .*\. .*[.)]$/s);
  });
});

test("numbers that f32 does not hold are refused when they are asked for, with the tensor and the place", async () => {
  const file = archive(dictOf(tensor(storage(num(2), "0", glob("torch", "LongStorage")), num(0), [num(2)], [num(1)])), {
    "data/0": { data: [...u64(1), ...u64(2 ** 40)] },
  });
  const { tensors } = await fromPyTorch(Uint8Array.from(file));
  expect(() => tensors.get("w")!.data).toThrow(
    "it has 1099511627776 at 1, of type I64, of which at most 16777216 becomes f32",
  );
});

test.each([
  [Promise.resolve(new Uint8Array(3)), "Give await file.arrayBuffer()"],
  ["model.pt", "or what readFile gives"],
  [null, "this is null"],
])("what is no file is refused, %s", async (given, says) => {
  await expect(fromPyTorch(given as unknown as Uint8Array)).rejects.toThrow(says);
});

const files = Object.values(
  JSON.parse(readFileSync("test/golden/pytorch.json", "utf8")).objects as Record<
    string,
    { files: Record<string, string> }
  >,
).flatMap((object) => Object.entries(object.files).map(([form, file]) => [form, Buffer.from(file, "base64")] as const));

test("a file that ends too early is refused wherever it ends", async () => {
  for (const [form, file] of files) {
    // The last bytes of a pickle before archives may be storages of no numbers.
    for (let i = 0; i < 40; i++) {
      const end = Math.floor((i * (file.length - 1)) / 40);
      const error = await refusal(file.subarray(0, end));
      expect(error?.name, `${form} cut to ${end} of ${file.length}`).toBe("CheckpointError");
    }
  }
});
