// When a race looks at its copies, and what becomes of them: successive halving (Jamieson and Talwalkar 2016), and training of a population
// (Jaderberg et al. 2017). Pure functions of an order.

import { OptionError } from "../index.ts";

/** What becomes of copies at a rung. */
export interface Moves {
  /** Copies that take what another is, with its rates, jittered. */
  readonly follow: readonly { readonly from: number; readonly to: number }[];
  /** Copies that are out of the race: they keep what they are. */
  readonly rest: readonly number[];
}

/** A rule of `race`. Made by `halving` and `population`. */
export interface RaceRule {
  /** Rates of a copy that follows are those of the other times a factor from 1 / jitter to jitter. */
  readonly jitter: number;
  /** Whether copies take what others are. */
  readonly follows: boolean;
  /** Updates after which it looks, rising, all before `steps`. Throws OptionError where there is no room for them. */
  rungs(steps: number, copies: number): readonly number[];
  /** `ranked`: those in the race, the best first; the first `finite` of them have a loss that is a number. */
  decide(ranked: readonly number[], finite: number): Moves;
}

/** When and how the worse copies of a race rest: successive halving (Jamieson and Talwalkar 2016). */
export interface HalvingOptions {
  /** How many times, at equal distances, or after which updates. Default: as often as the copies can be halved. */
  readonly rungs?: number | readonly number[];
  /**
   * What the worse half does: "follow" takes what the better half is, its rates jittered; "rest" keeps what it is and trains no more, so that each
   * copy is a run with its own rates. Default "follow". Copies that rest take as much time as before.
   */
  readonly losers?: "follow" | "rest";
  /** At least 1. Default 1.5. */
  readonly jitter?: number;
}

/** After each rung the worse half takes what the better half is, or rests. */
export function halving({ rungs, losers = "follow", jitter = 1.5 }: HalvingOptions = {}): RaceRule {
  checkJitter("halving", jitter);
  if (losers !== "follow" && losers !== "rest")
    throw new OptionError(`halving: losers is ${String(losers)}, it must be "follow" or "rest".`);
  const rests = losers === "rest";
  return {
    jitter,
    follows: !rests,
    rungs(steps, copies) {
      const most = Math.ceil(Math.log2(copies));
      const found = rungs === undefined || typeof rungs === "number" ? evenly(rungs ?? most, steps) : [...rungs];
      if (rests && found.length > most) {
        throw new OptionError(
          `halving: ${copies} copies can be halved ${most} times, there are ${found.length} rungs. Give fewer of them, or more copies.`,
        );
      }
      const odd = found.find((at, i) => !(Number.isSafeInteger(at) && at > (found[i - 1] ?? 0) && at < steps));
      if (odd === undefined) return found;
      throw new OptionError(
        `halving: a rung is at step ${String(odd)}, they must be whole, rise, and lie between 0 and the ${steps} steps of the race.`,
      );
    },
    decide(ranked, finite) {
      const stay = Math.max(1, Math.min(finite, Math.ceil(ranked.length / 2)));
      const worse = ranked.slice(stay).reverse();
      if (rests) return { follow: [], rest: worse };
      return { follow: worse.map((to, i) => ({ from: ranked[i % stay] as number, to })), rest: [] };
    },
  };
}

/** So many rungs at equal distances; the end is one more. */
function evenly(rungs: number, steps: number): number[] {
  if (!(Number.isSafeInteger(rungs) && rungs >= 1))
    throw new OptionError(`halving: rungs is ${String(rungs)}, it must be a whole number of at least 1, or a list.`);
  if (rungs >= steps)
    throw new OptionError(
      `halving: ${rungs} rungs do not fit between ${steps} steps. Give fewer rungs, or more steps.`,
    );
  return Array.from({ length: rungs }, (_, i) => Math.round((steps * (i + 1)) / (rungs + 1)));
}

/** When and how the worst copies take what the best one is (population-based training, Jaderberg et al. 2017). */
export interface PopulationOptions {
  /** Updates from one look to the next. */
  readonly every: number;
  /** Part of the copies, the worst ones, that takes what the best one is. Default 0.25. */
  readonly part?: number;
  /** At least 1. Default 1.25. */
  readonly jitter?: number;
}

/** Every so many updates the worst copies take what the best one is, its rates jittered. */
export function population({ every, part = 0.25, jitter = 1.25 }: PopulationOptions): RaceRule {
  checkJitter("population", jitter);
  if (!(Number.isSafeInteger(every) && every >= 1))
    throw new OptionError(`population: every is ${String(every)}, it must be a whole number of steps of at least 1.`);
  if (!(part > 0 && part < 1))
    throw new OptionError(`population: part is ${String(part)}, it must be between 0 and 1.`);
  return {
    jitter,
    follows: true,
    rungs(steps) {
      const count = Math.ceil(steps / every) - 1;
      if (count >= 1) return Array.from({ length: count }, (_, i) => (i + 1) * every);
      throw new OptionError(
        `population: it looks every ${every} steps, and the race has ${steps}. Let it look more often, or give more steps.`,
      );
    },
    decide(ranked, finite) {
      const worst = Math.max(Math.ceil(part * ranked.length), ranked.length - finite);
      const from = ranked[0] as number;
      return {
        follow: ranked
          .slice(Math.max(1, ranked.length - worst))
          .reverse()
          .map((to) => ({ from, to })),
        rest: [],
      };
    },
  };
}

function checkJitter(place: string, jitter: number): void {
  if (Number.isFinite(jitter) && jitter >= 1) return;
  throw new OptionError(`${place}: jitter is ${String(jitter)}, it must be a finite number of at least 1.`);
}
