// Who is the fastest: all run once, the slow ones leave, and the others run in turn, so that whatever else the machine does meets all
// of them. The first keeps its place unless another one is faster by more than noise.

/** Seconds of `dispatches` runs of a candidate in one submission. */
export type Time = (candidate: number, dispatches: number) => Promise<number>;

/** Rounds that nobody counts, and rounds of which the median counts; with fewer nothing is said. */
const [WARM_UPS, ROUNDS, FEWEST] = [3, 5, 3];
/** How much faster than the first another one must be in the median, and in which part of the rounds it must be faster at all. */
const [BETTER, MOSTLY] = [0.97, 0.8];
/** From where on one is too slow to be looked at again; the first is not given up for a single hiccup. */
const [SLOW, HOPELESS] = [2, 10];
/** Seconds of a submission that are well above the noise of a clock, and dispatches that it has at most. */
const [ENOUGH, MOST] = [0.003, 200];

/** The candidate to take of so many; 0 is the one to beat. `isOver`: there is no time left. */
export async function race(time: Time, candidates: number, isOver: () => boolean): Promise<number> {
  const looks: number[] = [];
  for (let i = 0; i < candidates && !(i > 1 && isOver()); i++) {
    await time(i, 1); // the first run of a pipeline is not like the others
    looks.push(await time(i, 1));
  }
  const least = Math.min(...looks);
  const left = looks.flatMap((seconds, i) => (seconds <= (i === 0 ? HOPELESS : SLOW) * least ? [i] : []));
  const quickest = looks.indexOf(least);
  if (left.length === 1 || isOver()) return left.includes(0) ? 0 : quickest;
  const dispatches = least >= ENOUGH ? 1 : await enough(time, quickest, least);
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

/** Dispatches that take long enough together: what one of them takes is small beside what a submission does. */
async function enough(time: Time, candidate: number, one: number): Promise<number> {
  const several = await time(candidate, 17);
  const each = Math.max((several - one) / 16, ENOUGH / MOST);
  return Math.max(1, Math.ceil(ENOUGH / each));
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.POSITIVE_INFINITY;
