// The controllers that there are, found in their files.

import type { Controller } from "../../src/kernels/control.ts";

const files = import.meta.glob<Readonly<Record<string, () => Controller>>>("../../src/optim/controller/*.ts", {
  eager: true,
});

export const controllers: readonly Controller[] = Object.values(files)
  .flatMap((file) => Object.values(file).map((factory) => factory()))
  .sort((a, b) => a.part.bit - b.part.bit);
