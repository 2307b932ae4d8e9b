// Runs in the browser: races on the tasks of the study, from the networks that its page pre-trains.

import { halving, race } from "../../../src/cohort/index.ts";
import { adamw, cosineAnnealingLR } from "../../../src/index.ts";
import { classes } from "../digits.ts";
import { studyNetwork } from "../network.ts";
import { judge, shared, takenOver, tuningOf } from "../page.ts";
import type { Asked, Raced } from "./plan.ts";

declare global {
  /** What demo/study/race/main.ts calls here. */
  var raceOn: (asked: Asked) => Promise<Raced>;
}

globalThis.raceOn = async ({ task, seed, budget }) => {
  const { steps, batch, copies, ranges, rungs } = budget;
  const { cohort, winner, lineage } = await race(studyNetwork(classes(task.family)), await tuningOf(task, seed), {
    ...(await shared()),
    ...{ copies, steps, batch, rates: ranges, weights: takenOver(task, seed) },
    seed: seed + 1, // as the ways of the study
    optimizer: adamw({ weightDecay: 0.01 }),
    schedule: cosineAnnealingLR({ steps }),
    rule: halving({ rungs }),
    validation: await judge({ task, part: "validation", budget }),
    by: "accuracy",
  });
  const told = await cohort.evaluate(await judge({ task, part: "test", budget }));
  cohort.dispose();
  const rate = (rates: (typeof lineage)[number]["rates"], name: string): number => rates[name] as number;
  return {
    accuracy: told[winner]?.accuracy as number,
    steps,
    lineage: lineage.map(({ step, copy, rates }) => ({
      ...{ step, copy },
      conv1: rate(rates, "conv1.0.weight"),
      body: rate(rates, "conv2.0.weight"),
      head: rate(rates, "head.weight"),
    })),
  };
};
