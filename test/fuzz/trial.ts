// One call on trial: it comes to an end, it fails by a typed error only, and a trainer that threw is as it was to the bit.

import type { Trainer } from "../../src/index.ts";
import type { Config, Engine } from "./config.ts";
import type { Reference, RefTensor, Tensors } from "./reference.ts";

export type Kind = "wrong" | "untyped" | "taken" | "refused" | "changed" | "hung" | "late" | "unhandled";

/** What was found, as the error of a sequence. */
export class Fault extends Error {
  readonly kind: Kind;
  readonly call: string;

  constructor(kind: Kind, call: string, text: string) {
    super(`${kind}: ${call}: ${text}`);
    this.kind = kind;
    this.call = call;
  }
}

/** Milliseconds after which a call hangs. */
const PATIENCE = 120_000;

/** All of a trainer that a call may change. */
interface Snapshot {
  readonly bytes: Uint8Array;
  readonly steps: number;
  readonly table: string;
  readonly edits: string;
}

export class World {
  readonly engine: Engine;
  readonly config: Config;
  readonly trainer: Trainer;
  readonly reference: Reference;
  readonly saved: { readonly bytes: Uint8Array; readonly state: ReturnType<Reference["state"]> }[] = [];
  isDisposed = false;
  #snapshot: Snapshot;

  private constructor(engine: Engine, config: Config, trainer: Trainer, reference: Reference, snapshot: Snapshot) {
    this.engine = engine;
    this.config = config;
    this.trainer = trainer;
    this.reference = reference;
    this.#snapshot = snapshot;
  }

  static async start(engine: Engine, config: Config, trainer: Trainer, reference: Reference): Promise<World> {
    return new World(engine, config, trainer, reference, await snapshot(trainer));
  }

  /** A checkpoint of the state as it is. */
  get bytes(): Uint8Array {
    return this.#snapshot.bytes;
  }

  /** A call that must succeed. */
  async good<T>(call: string, use: () => T | Promise<T>): Promise<T> {
    const { value, error } = await this.#outcome(call, use);
    if (error === undefined && this.isDisposed && call !== "dispose") throw new Fault("taken", call, "after dispose");
    if (error === undefined) return value as T;
    if (this.isDisposed && this.#isTyped(error, "DeviceError")) return undefined as T;
    throw new Fault("refused", call, String(error));
  }

  /** A call that must be refused, by a typed error, with nothing changed. */
  async bad(call: string, use: () => unknown): Promise<void> {
    const { error } = await this.#outcome(call, use);
    if (error === undefined) throw new Fault("taken", call, "it was accepted");
  }

  /** A call that may be refused; says whether it was taken. */
  async either(call: string, use: () => unknown): Promise<boolean> {
    return (await this.#outcome(call, use)).error === undefined;
  }

  async #outcome<T>(call: string, use: () => T | Promise<T>): Promise<{ value?: T; error?: unknown }> {
    try {
      return { value: await inTime(call, Promise.resolve().then(use)) };
    } catch (error) {
      if (error instanceof Fault) throw error;
      if (!this.#isTyped(error)) throw new Fault("untyped", call, String(error));
      await this.#unchanged(call, error);
      return { error };
    }
  }

  #isTyped(error: unknown, name?: string): boolean {
    if (!(error instanceof this.engine.GradusError) || /^internal:/.test(error.message)) return false;
    return name === undefined || error.name === name;
  }

  async #unchanged(call: string, error: unknown): Promise<void> {
    if (this.isDisposed) return;
    const difference = differenceOf(this.#snapshot, await inTime(call, snapshot(this.trainer)));
    if (difference !== "") throw new Fault("changed", call, `${difference} changed, though it threw ${error}`);
  }

  /** After a call: the trainer stands where the reference does. */
  async compare(call: string): Promise<void> {
    if (this.isDisposed) return;
    const { trainer, reference } = this;
    if (trainer.steps !== reference.step) {
      throw new Fault("wrong", call, `${trainer.steps} steps were made, ${reference.step} were asked for`);
    }
    compareTensors(call, await inTime(call, trainer.weights()), reference.tensors, (tensor) => tensor.arrays[0]);
    if (reference.knowsMeans) {
      compareTensors(call, await inTime(call, trainer.averages()), reference.tensors, (tensor) => tensor.mean);
    }
    const rows = reference.table.tensors;
    for (const { name, updates } of trainer.rates.table()) {
      const own = rows.filter(({ group }) => group === name).map((row) => row.updates);
      if (!own.includes(updates)) throw new Fault("wrong", call, `"${name}" counts ${updates} updates, it had ${own}`);
    }
    this.#snapshot = await inTime(call, snapshot(trainer));
  }

  /** After a call that changes nothing. */
  async same(call: string): Promise<void> {
    if (this.isDisposed) return;
    const difference = differenceOf(this.#snapshot, await inTime(call, snapshot(this.trainer)));
    if (difference !== "") throw new Fault("changed", call, `${difference} changed`);
  }
}

const snapshot = async (trainer: Trainer): Promise<Snapshot> => ({
  bytes: await trainer.save(),
  steps: trainer.steps,
  table: JSON.stringify(trainer.rates.table()),
  // By sorted keys: a list that was put back from a file may have them in another order.
  edits: JSON.stringify(trainer.rates.edits(), (_, value) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  ),
});

/** Names of what differs. */
function differenceOf(a: Snapshot, b: Snapshot): string {
  const bytes = a.bytes.length === b.bytes.length && a.bytes.every((byte, i) => byte === b.bytes[i]);
  return [
    bytes ? "" : "the checkpoint",
    a.steps === b.steps ? "" : "the number of steps",
    a.table === b.table ? "" : "the table of rates",
    a.edits === b.edits ? "" : "the list of edits",
  ]
    .filter(Boolean)
    .join(", ");
}

function inTime<T>(call: string, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Fault("hung", call, `no end after ${PATIENCE} ms`)), PATIENCE);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Parts of the way gone, and of the weight with each rounded update, that f32 may be off. */
const OF_PATH = 1e-4;
const OF_WEIGHT = 1e-6;

function compareTensors(
  call: string,
  found: Tensors,
  tensors: readonly RefTensor[],
  of: (tensor: RefTensor) => Float64Array | undefined,
): void {
  for (const tensor of tensors) {
    const expected = of(tensor) as Float64Array;
    const data = found.get(tensor.name)?.data ?? new Float32Array(0);
    const off = norm(expected.map((value, i) => (data[i] ?? Number.NaN) - value));
    const allowed = OF_PATH * tensor.path + OF_WEIGHT * norm(expected) + 1e-9;
    if (off <= allowed) continue;
    throw new Fault("wrong", call, `"${tensor.name}" is off by ${off.toExponential(2)} of ${allowed.toExponential(2)}`);
  }
}

export const norm = (values: ArrayLike<number>): number =>
  Math.sqrt(Array.from(values).reduce((sum, value) => sum + value * value, 0));

/** Throws where a number is not near to what it should be, relative to `scale`. */
export function near(call: string, what: string, found: number | undefined, expected: number, scale = 1): void {
  if (Number.isNaN(expected) && Number.isNaN(found)) return;
  const off = Math.abs((found ?? Number.NaN) - expected);
  if (!(off <= 2e-4 * Math.max(Math.abs(expected), scale))) {
    throw new Fault("wrong", call, `${what} is ${found}, it should be ${expected}`);
  }
}
