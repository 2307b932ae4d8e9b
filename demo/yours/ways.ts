// The ways to make a network of others one's own that the page compares, each a table of rates: the head first and then all layers at rates by
// depth, the head alone, or the same network from nothing.

import { adam, type CompileOptions, compile, crossEntropy, type RatePredicate, type Trainer } from "../../src/index.ts";
import type { FromKeras } from "../../src/keras/index.ts";
import { networks, withHead } from "./networks.ts";
import type { Plan, Rates } from "./plan.ts";

/** The rates of a way as a function of the layer, as `compile` takes them. */
export function ratesOf({ way, body, first, alone }: Pick<Plan, "way" | keyof Rates>): RatePredicate {
  if (way === "scratch") return () => undefined;
  return ({ depth, maxDepth }) => {
    if (depth === maxDepth) return undefined;
    if (way === "head") return { frozen: true };
    return { multiplier: body * first ** ((maxDepth - 1 - depth) / (maxDepth - 2)), from: alone };
  };
}

/** A network with its new head on a device. `read` is the network as it was published. */
export async function compileWay(read: FromKeras, plan: Plan, more: Partial<CompileOptions> = {}): Promise<Trainer> {
  const { network, way, classes, batch, size, seed, lr } = plan;
  const { channels, mean, std, rest } = networks[network];
  const trainer = await compile(withHead(network, read.model, classes), {
    ...{ input: [size, size, channels], batch, mean, std, seed },
    ...(way === "scratch" ? {} : { weights: read.weights }),
    loss: crossEntropy(),
    optimizer: adam({ lr }),
    rates: ratesOf(plan),
    cacheFrozen: true, // what rests at the input is computed once for each picture
    ...more,
  });
  if (rest !== undefined && way !== "scratch") trainer.rates.freeze(rest);
  return trainer;
}
