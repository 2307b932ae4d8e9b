// The form of PyTorch before 1.6, without an archive: five pickles one after the other (a magic number, a protocol, facts of the
// system, the object, the keys of its storages), then for each key how many numbers it has and the numbers.

import { byteReader } from "./byte-reader.ts";
import { numberType } from "./number-types.ts";
import { isDict, isList, type Pickled, told } from "./pickle-value.ts";
import { DAMAGED, type Refuse } from "./refuse.ts";
import { unpickle } from "./unpickle.ts";

/** An object of a file, with the bytes of its storages. */
export interface Contents {
  readonly value: Pickled;
  readonly storages: ReadonlyMap<string, Uint8Array>;
}

const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;

export const BIG_ENDIAN = "Save it on a machine that stores the low byte first, as nearly all do.";

export function readLegacy(bytes: Uint8Array, refuse: Refuse): Contents {
  const magic = unpickle(bytes, refuse);
  if (magic.value !== MAGIC)
    refuse(
      `it begins with the pickle of ${told(magic.value)}, a file of PyTorch with a magic number`,
      "Save it with torch.save.",
    );
  const protocol = unpickle(bytes, refuse, magic.end);
  if (protocol.value !== PROTOCOL)
    refuse(`byte ${magic.end}: it has the protocol ${told(protocol.value)}, ${PROTOCOL} is read`, DAMAGED);
  const system = unpickle(bytes, refuse, protocol.end);
  if (!isDict(system.value)) return refuse(`byte ${protocol.end}: the facts of the system are ${told(system.value)}`);
  if (system.value.get("little_endian") === false) refuse("its numbers have the high byte first", BIG_ENDIAN);
  const { value, storages, end } = unpickle(bytes, refuse, system.end);
  const keys = unpickle(bytes, refuse, end);
  if (!isList(keys.value))
    return refuse(`byte ${end}: the keys of its storages are ${told(keys.value)}, it must be a list`);
  const found = new Map<string, Uint8Array>();
  const read = byteReader(bytes, refuse, keys.end);
  for (const given of keys.value) {
    const key = String(given);
    const at = read.at();
    const storage = storages.get(key);
    const type = numberType(storage?.dtype ?? "");
    if (storage === undefined || type === undefined || found.has(key))
      return refuse(`byte ${end}: it lists the storage "${key}", which nothing has or which it lists twice`);
    const count = read.unsigned64(`the count of the storage "${key}"`);
    if (count !== storage.count)
      refuse(`byte ${at}: the storage "${key}" has ${count} numbers, its tensors say ${storage.count}`);
    found.set(key, read.bytes(count * type.bytes, `the storage "${key}" of ${count} numbers`));
  }
  return { value, storages: found };
}
