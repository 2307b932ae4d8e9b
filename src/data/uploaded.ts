// Samples that a user has checked and put on the GPU once. What lies there is the trainer's affair: here it is opaque, and
// belongs to one trainer.

import { DataError, OptionError } from "../errors.ts";

interface Holding {
  readonly owner: object;
  readonly source: object;
}

const holdings = new WeakMap<Uploaded, Holding>();

/**
 * Samples on the GPU, as `trainer.upload` gives them: `fit`, `evaluate` and `predict` of that trainer take them in the place of
 * samples, and neither check nor pack them again. Arrays that change later change nothing here.
 */
export class Uploaded {
  /** Samples in it. */
  readonly count: number;
  readonly #free: () => void;

  /** @internal */
  constructor(count: number, holding: Holding, free: () => void) {
    this.count = count;
    this.#free = free;
    holdings.set(this, holding);
  }

  /** Frees what it holds on the GPU. It cannot be used after that. */
  dispose(): void {
    if (holdings.delete(this)) this.#free();
  }
}

export const isUploaded = (data: unknown): data is Uploaded => data instanceof Uploaded;

/** What `owner` put on the GPU. Throws OptionError where another trainer did, DataError after `dispose`. */
export function uploadedSource(place: string, data: Uploaded, owner: object): object {
  const holding = holdings.get(data);
  if (holding === undefined) {
    throw new DataError(`${place}: the uploaded data was disposed of. Upload it again.`);
  }
  if (holding.owner !== owner) {
    throw new OptionError(`${place}: the data was uploaded by another trainer. Upload it with this one.`);
  }
  return holding.source;
}
