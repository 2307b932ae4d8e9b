// What `compileCohort` gives: a trainer of many copies, whose numbers are told copy by copy.

import type { Data, EpochResult, Evaluation, FitOptions, HostTensor, Samples, StepResult, Trainer } from "../index.ts";
import { OptionError } from "../index.ts";

/** What a copy tells; `reports` as an evaluation of it alone has them. NaN where it is out. */
export interface CopyEvaluation {
  readonly loss: number;
  readonly accuracy: number;
  readonly reports?: Readonly<Record<string, number>>;
}

export interface CohortStep {
  readonly step: number;
  readonly copies: readonly CopyEvaluation[];
}

export interface CohortEpoch {
  /** From 1. */
  readonly epoch: number;
  readonly copies: readonly CopyEvaluation[];
  readonly validation?: readonly CopyEvaluation[];
}

/** As for `fit` of a trainer. */
export interface CohortFitOptions
  extends Pick<FitOptions, "epochs" | "steps" | "shuffle" | "resume" | "signal" | "validation" | "lockstep"> {
  /** Told of each step. */
  readonly onStep?: (step: CohortStep) => unknown;
  /** Told of each epoch. */
  readonly onEpoch?: (epoch: CohortEpoch) => unknown;
}

/** Many copies of a network on a device. Made by `compileCohort`. */
export class Cohort {
  /** How many. */
  readonly copies: number;
  /** The trainer of all: copy k has its layers and tensors under "k", as "3.head.weight". */
  readonly trainer: Trainer;

  /** @internal */
  constructor(trainer: Trainer, copies: number) {
    this.trainer = trainer;
    this.copies = copies;
  }

  /** Learning rates of all copies; those of copy k by patterns that begin with "k.", as `rates.set("3.head", 0.01)`. */
  get rates(): Trainer["rates"] {
    return this.trainer.rates;
  }

  /** Updates made so far. */
  get steps(): number {
    return this.trainer.steps;
  }

  /** Trains all copies on the same batches, as `fit` of a trainer does. Throws NonFiniteError when no copy is left. */
  async fit(data: Data, options: CohortFitOptions = {}): Promise<{ epochs: CohortEpoch[]; stopped: boolean }> {
    const { onStep, onEpoch, ...rest } = options;
    const { epochs, stopped } = await this.trainer.fit(data, {
      ...rest,
      ...(onStep && { onStep: (told: StepResult) => onStep({ step: told.step, copies: this.#told(told) }) }),
      ...(onEpoch && { onEpoch: (told: EpochResult) => onEpoch(this.#epoch(told)) }),
    });
    return { epochs: epochs.map((told) => this.#epoch(told)), stopped };
  }

  /** One step on one batch. */
  async step(samples: Samples): Promise<CohortStep> {
    const told = await this.trainer.step(samples);
    return { step: told.step, copies: this.#told(told) };
  }

  /** Loss, accuracy and reports of each copy over all samples; no weight changes. */
  async evaluate(data: Data): Promise<readonly CopyEvaluation[]> {
    return this.#told(await this.trainer.evaluate(data));
  }

  /** The weights and states of copy `k` by the names that they have in a network alone, for `compile({ weights })` or `setWeights`. */
  async extract(k: number): Promise<Map<string, HostTensor>> {
    this.#demand("extract", k);
    const begin = `${k}.`;
    const all = [...(await this.trainer.weights())];
    const base = all.filter(([name]) => !/^\d+\./.test(name));
    const own = all.filter(([name]) => name.startsWith(begin));
    return new Map([...base, ...own.map(([name, values]) => [name.slice(begin.length), values] as const)]);
  }

  /** Ends a running fit after the current step. */
  stop(): void {
    this.trainer.stop();
  }

  /** Frees everything on the GPU. */
  dispose(): void {
    this.trainer.dispose();
  }

  #demand(place: string, k: number): void {
    if (Number.isSafeInteger(k) && k >= 0 && k < this.copies) return;
    throw new OptionError(`${place}: there is no copy ${String(k)}, they are counted from 0 to ${this.copies - 1}.`);
  }

  #epoch({ validation, ...told }: EpochResult): CohortEpoch {
    return { epoch: told.epoch, copies: this.#told(told), ...(validation && { validation: this.#told(validation) }) };
  }

  /** What the reports of all say of each. */
  #told({ reports = {} }: Pick<Evaluation, "reports">): CopyEvaluation[] {
    return Array.from({ length: this.copies }, (_, k) => {
      const begin = `${k}.`;
      const { [`${k}`]: loss = Number.NaN, [`${k}.accuracy`]: accuracy = Number.NaN } = reports;
      const own = Object.entries(reports).filter(([name]) => name.startsWith(begin) && name !== `${k}.accuracy`);
      const named = own.map(([name, value]) => [name.slice(begin.length), value] as const);
      return { loss, accuracy, ...(named.length > 0 && { reports: Object.fromEntries(named) }) };
    });
  }
}
