// The kinds of the study, one entry each: what a user would write.

import { houlsby, lora } from "../../../src/adapter/index.ts";
import type { CompileOptions, Layer } from "../../../src/index.ts";
import type { Network } from "./networks.ts";
import type { Kind, Method } from "./plan.ts";

interface Made {
  readonly model: Layer;
  readonly base?: NonNullable<CompileOptions["base"]>;
}

const kinds: Readonly<Record<Kind, (network: Network, size: number) => Made>> = {
  full: ({ model }) => ({ model }),
  head: ({ model, always, head }) => ({ model, base: { except: [...always, ...head] } }),
  bias: ({ model, always, small }) => ({ model, base: { except: [...always, ...small] } }),
  bottleneck: ({ model, always, narrowed }, units) => ({
    model: houlsby(model, { layers: narrowed, units }),
    base: { except: [...always, "**.adapter"] },
  }),
  lora: ({ model, always, factored }, rank) => ({
    model: lora(model, { layers: factored, rank }),
    base: { except: [...always, "**.lora*"] },
  }),
};

/** The model and what of it rests. */
export const methodOf = (network: Network, { kind, size }: Method): Made => kinds[kind](network, size ?? 0);
