// Samples that a user has checked and put on the GPU once. What lies there is the trainer's affair: here it is opaque, and
// belongs to one trainer.

import { DataError } from "../errors.ts";

/**
 * Samples on the GPU, as `trainer.upload` gives them: `fit`, `evaluate` and `predict` of that trainer take them in the place of
 * samples, and neither check nor pack them again. Arrays that change later change nothing here.
 */
export class Uploaded {
  /** Samples in it. */
  readonly count: number;
  readonly #owner: object;
  readonly #free: () => void;
  #source: object | undefined;

  /** @internal */
  constructor(count: number, owner: object, source: object, free: () => void) {
    this.count = count;
    this.#owner = owner;
    this.#source = source;
    this.#free = free;
  }

  /** Frees what it holds on the GPU. It cannot be used after that. */
  dispose(): void {
    if (this.#source !== undefined) this.#free();
    this.#source = undefined;
  }

  /** As `dispose`, at the end of a block with `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** What `owner` put on the GPU. @internal */
  sourceFor(place: string, owner: object): object {
    if (this.#source !== undefined && this.#owner === owner) return this.#source;
    throw new DataError(
      `${place}: the uploaded data ${this.#source === undefined ? "was disposed of" : "is another trainer's"}. Upload it with this one.`,
    );
  }
}
