// What `compileCohort` gives: a trainer of many copies, whose numbers are told copy by copy.

import type { Data, EpochResult, Evaluation, FitOptions, HostTensor, Samples, StepResult, Trainer } from "../index.ts";
import { OptionError } from "../index.ts";
import type { Replace } from "./replace.ts";

/** What a copy tells; `reports` as an evaluation of it alone has them. NaN where it is out. */
export interface CopyEvaluation {
  /** Mean over the samples. */
  readonly loss: number;
  /** The part of labels that was hit, from 0 to 1. */
  readonly accuracy: number;
  /** Other losses and metrics by name. */
  readonly reports?: Readonly<Record<string, number>>;
}

/** What the copies tell of a step. */
export interface CohortStep {
  /** Number of the update, from 1. */
  readonly step: number;
  /** By number of the copy. */
  readonly copies: readonly CopyEvaluation[];
}

/** What the copies tell of an epoch. */
export interface CohortEpoch {
  /** From 1. */
  readonly epoch: number;
  /** By number of the copy. */
  readonly copies: readonly CopyEvaluation[];
  /** Of the data given as `validation`; likewise. */
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

/** What a cohort asks of a trainer in whose place others come, as that of `compileRecoverable` of gradus/recover. */
export interface ChangingTrainer
  extends Pick<Trainer, "rates" | "steps" | "fit" | "step" | "evaluate" | "weights" | "stop" | "dispose"> {
  /** Changes the trainer of now, and again the one that takes its place. */
  change(make: (trainer: Trainer) => void): void;
}

/** The trainer of all copies of a cohort. */
export type CohortTrainer = Trainer | ChangingTrainer;

/** Many copies of a network on a device. Made by `compileCohort`. */
export class Cohort<T extends CohortTrainer = Trainer> {
  /** How many. */
  readonly copies: number;
  /** The trainer of all: copy k has its layers and tensors under "k", as "3.head.weight". */
  readonly trainer: T;

  readonly #replace: Replace;

  /** @internal */
  constructor(trainer: T, copies: number, replace: Replace) {
    this.#replace = replace;
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

  /** The copy with the least loss over all samples, those that are out left aside. Throws OptionError where all of them are. */
  async best(data: Data): Promise<CopyEvaluation & { readonly copy: number }> {
    const told = await this.evaluate(data);
    const [first] = told
      .map((own, copy) => ({ ...own, copy }))
      .filter(({ loss }) => !Number.isNaN(loss))
      .sort((a, b) => a.loss - b.loss);
    if (first === undefined) throw new OptionError("best: the loss of each copy is no number. Lower the rates.");
    return first;
  }

  /**
   * Copy `to` becomes what copy `from` is, on the GPU: weights, moments, means and states. It keeps its own rates and draws, and a copy that
   * was out is in again. Throws OptionError where there is no such copy, and where the two have had other numbers of updates.
   */
  replace(from: number, to: number): void {
    for (const k of [from, to]) this.#demand("replace", k);
    const make = (trainer: Trainer): void => this.#replaced(trainer, from, to);
    const trainer: CohortTrainer = this.trainer;
    if ("change" in trainer) trainer.change(make);
    else make(trainer);
  }

  /** Ends a running fit after the current step. */
  stop(): void {
    this.trainer.stop();
  }

  /** Frees everything on the GPU. */
  dispose(): void {
    this.trainer.dispose();
  }

  /** As `dispose`, at the end of a block with `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  #demand(place: string, k: number): void {
    if (Number.isSafeInteger(k) && k >= 0 && k < this.copies) return;
    throw new OptionError(`${place}: there is no copy ${String(k)}, they are counted from 0 to ${this.copies - 1}.`);
  }

  #replaced(trainer: Trainer, from: number, to: number): void {
    trainer.network.demandAlive();
    if (from === to) return;
    const rows = trainer.rates.table({ tensors: true });
    const had = (k: number): number[] =>
      rows.filter(({ name }) => name.startsWith(`${k}.`)).map(({ updates }) => updates);
    const [theirs, own] = [had(from), had(to)];
    const odd = theirs.findIndex((updates, i) => updates !== own[i]);
    if (odd >= 0) {
      throw new OptionError(
        `replace: a tensor of copy ${from} has had ${theirs[odd]} updates, that of copy ${to} ${own[odd]}. Let both train in the same steps.`,
      );
    }
    this.#replace(trainer, from, to);
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
