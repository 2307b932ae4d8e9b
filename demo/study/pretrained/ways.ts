// The ways of the study, one entry each: what a user would give to `compile`, or make of the model, for so many steps. Depths are those of
// the task's groups.

import { lora } from "../../../src/adapter/index.ts";
import {
  autoRgn,
  type CompileOptions,
  chain,
  cosineAnnealingLR,
  discriminative,
  gradualUnfreezing,
  inputFirst,
  layerDecay,
  type Model,
  multiStepLR,
  type RatePredicate,
} from "../../../src/index.ts";
import type { Network } from "./networks.ts";
import type { Task, WayName } from "./plan.ts";

export interface Way extends Pick<CompileOptions, "rates" | "control" | "cacheFrozen" | "base"> {
  readonly model?: Model;
}

/** Depth by the task's groups in the place of that by layers. */
export const grouped =
  ({ groups }: Pick<Task, "groups">, rule: RatePredicate): RatePredicate =>
  (layer) => {
    const within = (path: string): boolean => layer.name === path || layer.name.startsWith(`${path}.`);
    const depth = groups.findIndex((group) => group.some(within)) + 1;
    return depth === 0 ? undefined : rule({ ...layer, depth, maxDepth: groups.length });
  };

const wayTable: Readonly<Record<Exclude<WayName, "race">, (task: Task, network: Network) => Way>> = {
  "one-rate": () => ({}),
  "head-only": (task) => ({
    rates: grouped(task, ({ depth, maxDepth }) => ({ frozen: depth < maxDepth })),
    cacheFrozen: true,
  }),
  // LP-FT (Kumar et al. 2022): the head by itself and ten times as fast, for a third of the steps.
  "head-then-all": (task) => {
    const alone = Math.ceil(task.steps / 3);
    const schedule = chain([
      cosineAnnealingLR({ steps: task.steps }),
      multiStepLR({ milestones: [alone], gamma: 0.1 }),
    ]);
    return {
      rates: grouped(task, ({ depth, maxDepth }) =>
        depth < maxDepth ? { from: alone } : { multiplier: 10, schedule },
      ),
      cacheFrozen: true,
    };
  },
  "layer-decay": (task) => ({ rates: grouped(task, layerDecay(0.65)) }),
  // All train from the middle on.
  gradual: (task) => {
    const every = Math.ceil(task.steps / 2 / (task.groups.length - 1));
    return { rates: [grouped(task, discriminative(2.6)), grouped(task, gradualUnfreezing({ every }))] };
  },
  "input-first": (task) => ({ rates: grouped(task, inputFirst(0.65)) }),
  "auto-rgn": () => ({ control: [autoRgn({ steps: 5 })] }),
  lora: ({ groups }, { model, factored }) => ({
    model: lora(model, { layers: factored, rank: 8 }),
    base: { except: ["**.lora*", ...(groups.at(-1) as readonly string[])] },
  }),
};

/** A way on a task; what rests there rests in each. */
export function wayOf(way: Exclude<WayName, "race">, task: Task, network: Network): Way {
  const { rates, ...more } = wayTable[way](task, network);
  // What LoRA leaves to the base has no rates.
  const still = task.rest === undefined || way === "lora" ? [] : [{ [task.rest]: { frozen: true } }];
  return { ...more, rates: [...(rates === undefined ? [] : [rates].flat()), ...still] as NonNullable<Way["rates"]> };
}
