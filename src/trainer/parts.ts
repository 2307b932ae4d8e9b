// What the files of a trainer work with together.

import type { Streams } from "../graph/stream.ts";
import type { Turns } from "../network/turn.ts";
import { type Counts, settled } from "../optim/counts.ts";
import { endedRates } from "../optim/ended.ts";
import type { RateTable } from "../optim/rates.ts";
import type { StepClock } from "../optim/row.ts";
import type { LayerRow, TensorRow } from "../optim/table.ts";
import type { Runner } from "../step/runner.ts";
import type { Ledger, Made } from "./ledger.ts";
import type { Settings } from "./options.ts";
import type { Submit } from "./submit.ts";

export interface Parts {
  readonly settings: Settings;
  /** What each loss takes from the data, by name. */
  readonly streams: ReadonlyMap<string, Streams>;
  readonly rates: RateTable;
  readonly runner: Runner;
  readonly ledger: Ledger;
  readonly submit: Submit;
  readonly turns: Turns;
  /** Updates of an epoch, where its length is known. */
  stepsPerEpoch: number | undefined;
  /** The last step of a fit that is under way, where it is known. */
  end: number | undefined;
  /** The update of which a listener hears now. */
  telling: Made | undefined;
  /** The layers as of an update that was made; otherwise as of the next step. */
  table(made?: Made): LayerRow[];
  tensorTable(made?: Made): TensorRow[];
  /** Each layer's rate in an update. */
  ratesOf(made: Made): Readonly<Record<string, number>>;
  /** Warns of layers, of these tensors or of all, whose rates stay at nothing from now on. */
  warn(place: string, among?: readonly string[]): void;
}

export function createParts(
  parts: Omit<Parts, "stepsPerEpoch" | "end" | "telling" | "table" | "tensorTable" | "ratesOf" | "warn">,
): Parts {
  const { rates, ledger } = parts;
  /** An update by the clock that it was made by, with the counts after it. */
  const seen = (told: Made | undefined): [StepClock, Counts] => {
    const { before, after } = told ?? { before: ledger.head, after: ledger.head };
    return [
      // A length that no fit has told yet is taken as endless, which leaves schedules at their start.
      { step: before.step, stepsPerEpoch: made.stepsPerEpoch ?? Number.POSITIVE_INFINITY },
      { ...settled(after.counts), trained: settled(before.counts).trained },
    ];
  };
  const made: Parts = {
    ...parts,
    stepsPerEpoch: undefined,
    end: undefined,
    telling: undefined,
    table: (told = made.telling) => rates.table(...seen(told)),
    tensorTable: (told = made.telling) => rates.tensorTable(...seen(told)),
    warn(place, among) {
      const { stepsPerEpoch, end: until } = made;
      const { step, counts } = ledger.head;
      const clock = { step, stepsPerEpoch };
      const found = endedRates(rates.rows, { place, clock, trained: settled(counts).trained, until, among });
      if (found !== undefined) parts.settings.warn(found.message);
    },
    ratesOf: (told) => Object.fromEntries(made.table(told).map(({ name, lr }) => [name, lr])),
  };
  return made;
}
