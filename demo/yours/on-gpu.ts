// Pictures on the device of a trainer, made there of what the page has: sets of examples for as long as they are the same, and the one picture that is
// looked at, which others follow in its place.

import { fromPixels } from "../../src/image/index.ts";
import type { HostTensor, Trainer, Uploaded } from "../../src/index.ts";
import type { Pictures } from "./examples.ts";
import type { NetworkName } from "./networks.ts";
import { asSeen } from "./pixels.ts";

export class OnGpu {
  readonly #trainer: Trainer;
  readonly #network: NetworkName;
  /** By what they are for. */
  readonly #sets = new Map<string, { readonly pictures: Pictures; readonly data: Uploaded }>();
  #seen: Uploaded | undefined;

  constructor(trainer: Trainer, network: NetworkName) {
    this.#trainer = trainer;
    this.#network = network;
  }

  /** Examples for what they are for: the same data for the same pictures. */
  async samples(use: string, pictures: Pictures): Promise<Uploaded> {
    const known = this.#sets.get(use);
    if (known?.pictures === pictures) return known.data;
    known?.data.dispose();
    this.#sets.delete(use);
    const { x, y } = pictures;
    const data = await fromPixels(this.#trainer, { x: x.map((picture) => asSeen(picture, this.#network)), y });
    this.#sets.set(use, { pictures, data });
    return data;
  }

  /** What the network says of a picture, or of what a video shows now: the odds of each class. */
  async predict(picture: HTMLCanvasElement | HTMLVideoElement): Promise<HostTensor> {
    const shown = picture instanceof HTMLCanvasElement ? asSeen(picture, this.#network) : picture;
    this.#seen = await fromPixels(this.#trainer, shown, this.#seen && { into: this.#seen });
    return this.#trainer.predict(this.#seen, { activation: "softmax" });
  }
}
