// The form of PyTorch since 1.6: a zip archive with `data.pkl`, the object, and `data/KEY` for each storage.

import { BIG_ENDIAN, type Contents } from "./legacy.ts";
import { numberType } from "./number-types.ts";
import type { Refuse } from "./refuse.ts";
import { unpickle } from "./unpickle.ts";
import { readZip } from "./zip.ts";

const OBJECT = "data.pkl";

export async function readArchive(bytes: Uint8Array, refuse: Refuse): Promise<Contents> {
  const archive = readZip(bytes, refuse);
  const name = archive.names.find((one) => one === OBJECT || one.endsWith(`/${OBJECT}`));
  if (name === undefined)
    return refuse(
      `the archive holds ${archive.names.slice(0, 5).join(", ") || "nothing"}, and no ${OBJECT}`,
      "Give what torch.save wrote; of an archive within an archive, the inner one.",
    );
  const folder = name.slice(0, -OBJECT.length);
  const order = await archive.read(`${folder}byteorder`);
  if (order !== undefined && new TextDecoder().decode(order.subarray(0, 8)) !== "little")
    refuse("its numbers have the high byte first", BIG_ENDIAN);
  const object = (await archive.read(name)) as Uint8Array;
  const { value, storages } = unpickle(object, (what, advice) => refuse(`${OBJECT}: ${what}`, advice));
  const found = new Map<string, Uint8Array>();
  for (const [key, { count, dtype }] of storages) {
    const data = await archive.read(`${folder}data/${key}`);
    if (data === undefined) return refuse(`the archive has no storage "data/${key}", which ${OBJECT} needs`);
    const needed = count * (dtype === undefined ? 1 : (numberType(dtype)?.bytes ?? 1));
    if (data.length < needed)
      refuse(`the storage "data/${key}" has ${data.length} bytes, ${count} numbers need ${needed}`);
    found.set(key, data);
  }
  return { value, storages: found };
}
