// Where calls stand that have moved: the one file to change when names of the trainer change.

import type { Trainer } from "../../src/index.ts";

interface Freezing {
  freeze(pattern: string): void;
  unfreeze(pattern: string): void;
}

export function freezing(trainer: Trainer): Freezing {
  const holder = ("freeze" in trainer.rates ? trainer.rates : trainer) as unknown as Freezing;
  return { freeze: (pattern) => holder.freeze(pattern), unfreeze: (pattern) => holder.unfreeze(pattern) };
}
