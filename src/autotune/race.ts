// Who is the fastest: all are looked at, over more and more dispatches until the clock can tell them, the slow ones leave, and the others
// run in turn, so that whatever else the machine does meets all of them. The first keeps its place unless another one is faster by more
// than noise.

/** Seconds of `dispatches` runs of a candidate in one submission. */
export type Time = (candidate: number, dispatches: number) => Promise<number>;

/** Submissions of nothing, of which the median is the clock's grain. */
const EMPTY = 3;
/** Rounds that nobody counts, and rounds of which the median counts; with fewer nothing is said. */
const [WARM_UPS, ROUNDS, FEWEST] = [3, 5, 3];
/** How much faster than the first another one must be in the median, and in which part of the rounds it must be faster at all. */
const [BETTER, MOSTLY] = [0.97, 0.8];
/** From where on one is too slow to be looked at again; the first is not given up for a single hiccup. */
const [SLOW, HOPELESS] = [2, 10];
/** Seconds of a submission that are well above the noise of a clock, or grains of it where it has large ones; and dispatches at most. */
const [ENOUGH, GRAINS, MOST] = [0.003, 2, 200];
/** How many times as many dispatches the next look may have. */
const FARTHER = 16;

/**
 * The candidate to take of so many; 0 is the one to beat. `isOver`: there is no time left. What a submission of nothing takes is the grain of
 * the clock: a tenth of a millisecond, or the 100 of a runtime that asks its device so rarely. Of such a grain the first submission sees only
 * what is left, since it begins anywhere in it; those behind it begin where the clock ticks.
 */
export async function race(time: Time, candidates: number, isOver: () => boolean): Promise<number> {
  const nothing: number[] = [];
  for (let i = 0; i < EMPTY; i++) nothing.push(await time(0, 0));
  const grain = median(nothing);
  const enough = Math.max(ENOUGH, GRAINS * grain);
  let left = Array.from({ length: candidates }, (_, i) => i);
  let [dispatches, quickest] = [1, 0];
  // The first run of a pipeline is not like the others.
  for (let i = 0; i < candidates && !(i > 1 && isOver()); i++) await time(i, 1);
  for (;;) {
    const looks: number[] = [];
    for (const candidate of left) {
      if (looks.length > 1 && isOver()) break;
      looks.push(await time(candidate, dispatches));
    }
    const least = Math.min(...looks);
    quickest = left[looks.indexOf(least)] as number;
    const own = Math.max(least - grain, 0);
    const most = (candidate: number): number => (1 + GRAINS) * grain + (candidate === 0 ? HOPELESS : SLOW) * own;
    left = left.filter((candidate, i) => (looks[i] ?? Number.POSITIVE_INFINITY) <= most(candidate));
    if (left.length === 1 || isOver()) return left.includes(0) ? 0 : quickest;
    if (least >= enough || dispatches === MOST) break;
    dispatches = Math.min(MOST, dispatches * FARTHER, Math.ceil((enough / own) * dispatches));
  }
  const taken = left.map((): number[] => []);
  for (let round = 0; round < WARM_UPS + ROUNDS && !isOver(); round++) {
    for (const [at, candidate] of left.entries()) {
      const seconds = await time(candidate, dispatches);
      if (round >= WARM_UPS) taken[at]?.push(seconds);
    }
  }
  const first = taken[0] as number[];
  if (first.length < FEWEST) return left.includes(0) ? 0 : quickest;
  const medians = taken.map(median);
  const best = Math.min(...medians);
  const at = medians.indexOf(best);
  const won = first.filter((seconds, round) => (taken[at]?.[round] ?? seconds) < seconds).length;
  const isBetter = best < BETTER * (medians[0] as number) && won >= MOSTLY * first.length;
  return left[0] === 0 && !isBetter ? 0 : (left[at] as number);
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.POSITIVE_INFINITY;
