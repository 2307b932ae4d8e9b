// The methods of the study, one line each: what a user would give to `compile`.

import {
  autoRgn,
  type CompileOptions,
  discriminative,
  gradualUnfreezing,
  inputFirst,
  layerDecay,
} from "../../src/index.ts";
import type { MethodName } from "./plan.ts";

export type Method = Pick<CompileOptions, "rates" | "control">;

/** Each for a fine-tuning of so many updates. */
export const methodTable: Readonly<Record<MethodName, (steps: number) => Method>> = {
  "one-rate": () => ({}),
  "head-only": () => ({ rates: ({ depth, maxDepth }) => ({ frozen: depth < maxDepth }) }),
  "layer-decay": () => ({ rates: layerDecay(0.65) }),
  gradual: (steps) => ({ rates: [discriminative(2.6), gradualUnfreezing({ every: Math.ceil(steps / 8) })] }),
  "input-first": () => ({ rates: inputFirst(0.65) }),
  "auto-rgn": () => ({ control: [autoRgn({ steps: 5 })] }),
};
