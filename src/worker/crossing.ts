// What may go from page to worker and back: plain data. Whatever else there is is refused by its name before anything is
// posted. Arrays of numbers are copied once and the copy is handed over, or, with `move`, they themselves are; of an array
// that is part of a larger buffer only that part is copied, where a browser by itself would copy all of the buffer.

import { OptionError } from "../index.ts";

export interface Packed {
  readonly value: unknown;
  readonly transfer: readonly ArrayBuffer[];
}

/** `place`: who asks; `what`: how the value is called there. Throws OptionError for what cannot cross. */
export function packed(place: string, what: string, value: unknown, move = false): Packed {
  const transfer = new Set<ArrayBuffer>();
  const made = new Map<object, unknown>();

  function buffer(from: ArrayBufferLike): ArrayBufferLike {
    if (!(from instanceof ArrayBuffer)) return from;
    const own = move ? from : from.slice(0);
    transfer.add(own);
    return own;
  }

  function view(from: ArrayBufferView): ArrayBufferView {
    const { buffer: whole, byteOffset, byteLength } = from;
    if (!(whole instanceof ArrayBuffer)) return from;
    if (move) {
      transfer.add(whole);
      return from;
    }
    const part = whole.slice(byteOffset, byteOffset + byteLength);
    transfer.add(part);
    const Kind = from.constructor as new (buffer: ArrayBuffer) => ArrayBufferView;
    // A Buffer of Node's is one of bytes.
    return Object(from) instanceof Uint8Array ? new Uint8Array(part) : new Kind(part);
  }

  function refuse(path: string, kind: string): never {
    throw new OptionError(
      `${place}: ${path} is ${kind}, which cannot be sent to a worker. What is no plain data stands in the worker's module: serve({ model, ... }).`,
    );
  }

  function walk(path: string, one: unknown): unknown {
    if (typeof one === "function") return refuse(path, `the function ${one.name || "() => ..."}`);
    if (typeof one === "symbol") return refuse(path, String(one));
    if (typeof one !== "object" || one === null) return one;
    if (made.has(one)) return made.get(one);
    const put = <T>(copy: T): T => {
      made.set(one, copy);
      return copy;
    };
    if (ArrayBuffer.isView(one)) return put(view(one));
    if (Array.isArray(one)) {
      // Numbers are most of what long lists hold.
      const copy: unknown[] = put([]);
      for (const [i, entry] of one.entries())
        copy.push(typeof entry === "number" ? entry : walk(`${path}[${i}]`, entry));
      return copy;
    }
    if (one instanceof ArrayBuffer || Object.prototype.toString.call(one) === "[object SharedArrayBuffer]")
      return put(buffer(one as ArrayBufferLike));
    if (one instanceof Date) return one;
    if (one instanceof Map) {
      const copy = put(new Map<unknown, unknown>());
      for (const [key, entry] of one) copy.set(walk(`a key of ${path}`, key), walk(`${path}.${String(key)}`, entry));
      return copy;
    }
    if (one instanceof Set) {
      const copy = put(new Set<unknown>());
      for (const entry of one) copy.add(walk(`an entry of ${path}`, entry));
      return copy;
    }
    const form: object | null = Object.getPrototypeOf(one);
    // Plain also where it was made in another frame.
    const isPlain = form === null || Object.getPrototypeOf(form) === null;
    if (!isPlain || Symbol.asyncIterator in one || Symbol.iterator in one) return refuse(path, kindOf(one, form));
    const copy: Record<string, unknown> = put({});
    for (const [key, entry] of Object.entries(one)) copy[key] = walk(`${path}.${key}`, entry);
    return copy;
  }

  return { value: walk(what, value), transfer: [...transfer] };
}

function kindOf(one: object, form: object | null): string {
  if (Symbol.asyncIterator in one || Symbol.iterator in one) return "an iterable";
  if (typeof Object(one).then === "function") return "a promise";
  return `an object of class ${form?.constructor?.name || "?"}`;
}
