// The learning-rate range test (Smith 2017): which rates to try, and what the losses that came out suggest. The four
// suggestions are those of fastai, computed on the smoothed losses without the first tenth and the last five.

/** Rates that a range test suggests, as fastai's `lr_find` does. */
export interface RateSuggestions {
  /** A third and a sixth into the longest valley, the longest decreasing subsequence: fastai's default. */
  readonly valley: number;
  /** Where the loss falls most steeply over the logarithm of the rate. */
  readonly steep: number;
  /** A tenth of the rate of the lowest loss. */
  readonly minimum: number;
  /** Where, walking down from the high end, the slope has calmed down over an interval of rates. */
  readonly slide: number;
}

/** Rate of try i of n: from `lo` to `hi` in equal ratios. */
export const rateOfTry = (lo: number, hi: number, i: number, n: number): number =>
  n === 1 ? lo : lo * (hi / lo) ** (i / (n - 1));

/** Exponential mean with weight 0.98 on the past, without its bias towards 0 at the start. */
export function smoothed(losses: readonly number[], past = 0.98): number[] {
  let mean = 0;
  return losses.map((loss, i) => {
    mean = past * mean + (1 - past) * loss;
    return mean / (1 - past ** (i + 1));
  });
}

/** Suggestions from rates in rising order and the losses at them, smoothed where they scatter. Needs two tries that are kept, else all are NaN. */
export function suggestRates(allRates: readonly number[], allLosses: readonly number[]): RateSuggestions {
  const kept = (values: readonly number[]) =>
    values.slice(Math.floor(values.length / 10), Math.max(0, values.length - 5));
  const [rates, losses] = [kept(allRates), kept(allLosses)];
  const at = (i: number): number => rates[i] ?? Number.NaN;
  if (rates.length < 2) return { valley: Number.NaN, steep: Number.NaN, minimum: Number.NaN, slide: Number.NaN };
  return {
    valley: at(valley(losses)),
    steep: at(steepest(rates, losses)),
    minimum: at(losses.indexOf(Math.min(...losses))) / 10,
    slide: at(slide(losses)),
  };
}

function valley(losses: readonly number[]): number {
  const lengths = losses.map(() => 1);
  let end = 0;
  for (let i = 1; i < losses.length; i++) {
    for (let j = 0; j < i; j++) {
      if ((losses[i] as number) < (losses[j] as number))
        lengths[i] = Math.max(lengths[i] as number, (lengths[j] as number) + 1);
    }
    if ((lengths[i] as number) > (lengths[end] as number)) end = i;
  }
  const length = lengths[end] as number;
  return end - length + Math.floor(length / 3) + Math.floor(length / 6);
}

function steepest(rates: readonly number[], losses: readonly number[]): number {
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i + 1 < losses.length; i++) {
    const slope =
      ((losses[i + 1] as number) - (losses[i] as number)) / Math.log((rates[i + 1] as number) / (rates[i] as number));
    if (slope < least) [best, least] = [i, slope];
  }
  return best;
}

function slide(losses: readonly number[], apart = 15, threshold = 0.005): number {
  const slope = (i: number): number => {
    const [left, right] = [Math.max(0, i - 1), Math.min(losses.length - 1, i + 1)];
    return ((losses[right] as number) - (losses[left] as number)) / (right - left);
  };
  let right = losses.length - 1;
  let found = Math.max(0, right - apart);
  for (let left = found; left >= 0 && Math.abs(slope(right) - slope(left)) > threshold; left--, right--) found = left;
  return found;
}
