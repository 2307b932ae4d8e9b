// Taking turns: whatever reads or moves the weights does so between two others, in the order in which it was asked for.

export type Turns = <T>(work: () => Promise<T>) => Promise<T>;

/** `demandSound` throws where the weights are of no step: then nothing is told of them. */
export function createTurns(demandSound: () => void = () => undefined): Turns {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(async () => {
      demandSound();
      const told = await work();
      demandSound();
      return told;
    });
    last = mine.catch(() => undefined);
    return mine;
  };
}
