// A checksum of a file's content, so that a changed byte does not become a changed weight. It is of what the file says, not of
// how: written anew by another program, with the same tensors and the same metadata, a file keeps it.

const encoder = new TextEncoder();

/** Eight digits for parts in order. Each step is a bijection of the word and of what came before: one changed word always shows. */
export function checksumOf(parts: readonly (Uint8Array | string)[]): string {
  let hash = 0;
  const add = (word: number): void => {
    hash = Math.imul(hash ^ word, 0x9e3779b1);
    hash ^= hash >>> 15;
  };
  for (const part of parts) {
    const bytes = typeof part === "string" ? encoder.encode(part) : part;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const words = bytes.length & ~3;
    for (let at = 0; at < words; at += 4) add(view.getUint32(at, true));
    for (let at = words; at < bytes.length; at++) add(bytes[at] as number);
    add(bytes.length);
  }
  return (hash >>> 0).toString(16).padStart(8, "0");
}
