// Times of something that runs often: in blocks that are long enough for the clock.

export async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

const MOST = 2 ** 14;

/** Runs of a block that takes `least` milliseconds: doubled until it does. The first run, which compiles, counts for nothing. */
export async function runsFor(run: (count: number) => Promise<unknown>, least: number): Promise<number> {
  await run(1);
  let count = 1;
  while (count < MOST && (await milliseconds(() => run(count))) < least) count *= 2;
  return count;
}
