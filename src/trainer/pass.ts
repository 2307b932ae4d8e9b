// Passes that take one batch, or only look: a step, gradients out and in, and evaluation.

import { type Data, isBatches, type Packed, type Samples } from "../data/dataset.ts";
import { packBatch as packOne } from "../data/pack.ts";
import { bug, DataError } from "../errors.ts";
import type { Evaluation, StepResult } from "../recipe/fit-options.ts";
import { stepsOver } from "../step/replay.ts";
import type { Source } from "../step/shelf.ts";
import type { Gradients } from "./options.ts";
import type { Parts } from "./parts.ts";
import type { Stretch } from "./submit.ts";
import { Tally } from "./tally.ts";

export type Passes = ReturnType<typeof createPasses>;

/** Of an iterable without batches. */
export const noBatch = (place: string): DataError =>
  new DataError(`${place}: the iterable gave no batch. Give one that can be walked through anew each time.`);

export function createPasses(parts: Parts) {
  const { settings, streams, rates, runner, ledger, submit, turns } = parts;
  const { batch } = settings;

  const packBatch = (place: string, samples: Samples, loss = ""): Packed =>
    packOne(place, samples, streams.get(loss) ?? bug(`there is no loss "${loss}"`), batch, settings.normalization);

  return {
    packBatch,

    /** One step that leaves the place in the data alone. */
    async step(packed: Packed, goal: Pick<Stretch, "loss" | "resting"> = {}): Promise<StepResult> {
      let found: StepResult | undefined;
      const hear = ({ result }: { result: StepResult }): void => {
        found = result;
      };
      ledger.begin();
      await turns(() =>
        submit.steps(runner.batchSource(packed), { batches: 1, first: 0, moves: false, ...goal }, parts.stepsPerEpoch, {
          hear,
        }),
      );
      await ledger.drain();
      return found ?? bug("a step gave no metrics");
    },

    /** The gradients of one batch by tensor name, and its loss; nothing is updated. */
    gradients: (packed: Packed): Promise<Gradients> =>
      turns(async () => {
        const source = runner.batchSource(packed);
        const clock = { step: ledger.head.step, stepsPerEpoch: parts.stepsPerEpoch ?? Number.POSITIVE_INFINITY };
        const program = runner.program("gradients", source.format, rates.frozenAt(clock));
        const ready = await runner.ready(program, source.feed);
        const found = await runner.start(ready, [{ step: 1, start: 0, count: source.count }]);
        const all = await runner.store.read("gradients");
        const named = [...all].filter((_, row) => program.takesPart(row));
        return { loss: found.steps[0]?.loss ?? Number.NaN, gradients: new Map(named) };
      }),

    /** Means over all samples, and more where it is asked for. What is looked at is submitted without waiting for what came before. */
    async evaluate(place: string, data: Data, { averaged = false, perSample = false } = {}): Promise<Evaluation> {
      const tally = new Tally();
      let arrived: Promise<unknown> = Promise.resolve();
      const look = async ({ feed, format, count }: Source): Promise<void> => {
        const program = runner.program("evaluate", format, [], { perSample });
        for (const values of stepsOver({ first: 0, end: count, batch })) {
          const ready = await runner.ready(program, feed, averaged);
          // One after the other, whenever they come.
          arrived = Promise.all([runner.start(ready, values), arrived]).then(([found]) => {
            for (const step of found.steps) tally.add(program, step);
            tally.count(program.matrices, found.counts);
          });
          // An error is thrown where all are awaited.
          arrived.catch(() => undefined);
        }
      };
      if (isBatches(data)) {
        let seen = 0;
        for await (const samples of data) {
          const packed = packBatch(`${place}: batch ${seen++}`, samples);
          await turns(() => look(runner.batchSource(packed)));
        }
        if (seen === 0) throw noBatch(place);
      } else {
        await turns(() => {
          const source = runner.source(place, data);
          return look({ ...source, feed: runner.inOrder(source.feed) });
        });
      }
      await turns(() => arrived);
      return perSample ? { ...tally.means, losses: tally.losses } : tally.means;
    },
  };
}
