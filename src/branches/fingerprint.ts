// A fingerprint of numbers: 64 bits that tell data, or weights, from others. It guards against mistakes, not against forgers.

import type { HostTensor } from "../index.ts";

/** Deeper than any data that a fit takes. */
const DEEPEST = 16;

/** Two sums of 32 bits over words. Each step is one to one, so that one word that differs always shows. */
class Sums {
  #a = 0x9e3779b9;
  #b = 0x85ebca6b;

  word(word: number): void {
    const a = Math.imul(this.#a ^ word, 0xcc9e2d51);
    this.#a = a ^ (a >>> 15);
    const b = Math.imul(((this.#b << 13) | (this.#b >>> 19)) + word, 0x1b873593);
    this.#b = b ^ (b >>> 16);
  }

  bytes(view: ArrayBufferView): void {
    const aligned = view.byteOffset % 4 === 0;
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    const whole = bytes.length >>> 2;
    const words = aligned
      ? new Uint32Array(view.buffer, view.byteOffset, whole)
      : new Uint32Array(bytes.slice(0, whole * 4).buffer);
    for (let i = 0; i < whole; i++) this.word(words[i] as number);
    for (let i = whole * 4; i < bytes.length; i++) this.word(bytes[i] as number);
    this.word(bytes.length);
  }

  text(text: string): void {
    this.bytes(new TextEncoder().encode(text));
  }

  get text16(): string {
    return [this.#a, this.#b].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
  }
}

function add(sums: Sums, value: unknown, depth: number): void {
  if (ArrayBuffer.isView(value)) {
    sums.text(Object.prototype.toString.call(value));
    sums.bytes(value);
  } else if (Array.isArray(value) && depth < DEEPEST) {
    sums.text(`list of ${value.length}`);
    if (value.every((one) => typeof one === "number")) sums.bytes(Float64Array.from(value));
    else for (const one of value) add(sums, one, depth + 1);
  } else if (typeof value === "object" && value !== null && depth < DEEPEST) {
    for (const [key, one] of Object.entries(value)) {
      if (one === undefined) continue;
      sums.text(key);
      add(sums, one, depth + 1);
    }
  } else sums.text(String(value));
}

/** Of samples: their numbers, how they are held, and what they are scaled by. 16 digits. */
export function fingerprint(data: object): string {
  const sums = new Sums();
  add(sums, data, 0);
  return sums.text16;
}

/** Of weights: names and bits, in their order. 16 digits. */
export function hashOf(weights: ReadonlyMap<string, HostTensor>): string {
  const sums = new Sums();
  for (const [name, { data }] of weights) {
    sums.text(name);
    sums.bytes(data);
  }
  return sums.text16;
}
