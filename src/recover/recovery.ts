// The trainer of now, and the way to the next one: a new device, the model compiled on it, the last snapshot, the changes
// and the single steps made since. Whoever waits gets that trainer or a typed error; nothing waits for ever.

import { DeviceError, GradusError, type Model, type Trainer } from "../index.ts";
import { type Loss, openSession, type Session } from "./device.ts";
import { type CarriedRates, createCarriedRates } from "./edits.ts";
import type { CheckedRecovery, RecoverableOptions } from "./options.ts";

/** What a trainer is brought back with. */
interface Saved {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly allow: readonly string[];
}

/** Something done since the snapshot, to be done again. */
export type Entry = (trainer: Trainer) => unknown;

/** What `works` come to first, or undefined after so many milliseconds. The clock ends with it: no process waits for that. */
async function within<T>(milliseconds: number, ...works: readonly Promise<T>[]): Promise<T | undefined> {
  let clock: ReturnType<typeof setTimeout> | undefined;
  const over = new Promise<undefined>((resolve) => {
    clock = setTimeout(() => resolve(undefined), milliseconds);
  });
  return Promise.race([...works, over]).finally(() => clearTimeout(clock));
}

/** How long the word of a loss may come after the first error that it caused, in milliseconds. */
const GRACE = 2000;

export class Recovery {
  readonly rates: CarriedRates;
  readonly #model: Model;
  readonly #options: RecoverableOptions;
  readonly #how: CheckedRecovery;
  /** Ends whoever waits once it is disposed of. */
  readonly #ended: Promise<never>;
  #end: (error: DeviceError) => void = () => undefined;
  #session: Session | undefined;
  #failure: Error | undefined;
  #recovery: Promise<void> | undefined;
  #attempts = 0;
  /** Whether the trainer of now took the place of one whose device failed and lived, and nothing was made on it yet. */
  #isFresh = false;
  #saved: Saved | undefined;
  #journal: Entry[] = [];
  #savedAt = 0;
  #taking: Promise<void> = Promise.resolve();
  #taken = 0;

  constructor(model: Model, options: RecoverableOptions, how: CheckedRecovery) {
    this.#model = model;
    this.#options = options;
    this.#how = how;
    this.rates = createCarriedRates(() => this.trainer);
    this.#ended = new Promise((_, reject) => {
      this.#end = reject;
    });
    this.#ended.catch(() => undefined);
  }

  /** The trainer of now, whether its device lives or not. */
  get trainer(): Trainer {
    return (this.#session as Session).trainer;
  }

  get saved(): Uint8Array<ArrayBuffer> | undefined {
    return this.#saved?.bytes;
  }

  /** Milliseconds since the last snapshot was there, and what was done since that has to be kept. */
  get age(): number {
    return performance.now() - this.#savedAt;
  }
  get entries(): number {
    return this.#journal.length;
  }

  async begin(): Promise<void> {
    this.#recovery = this.#replace(undefined);
    await this.#recovery;
    this.#recovery = undefined;
    this.#savedAt = performance.now();
  }

  /** The trainer, once its device lives. Throws DeviceError where it will not. */
  async ready(): Promise<Trainer> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#recovery === undefined) {
        const { trainer, loss } = this.#session as Session;
        if (loss === undefined) return trainer;
        await this.heal(trainer, new DeviceError(`device: it was lost (${loss.message}).`));
      } else await Promise.race([this.#recovery, this.#ended]);
    }
  }

  /** The trainer at once, for what cannot wait. */
  now(place: string): Trainer {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#recovery === undefined && this.#session?.loss === undefined) return this.trainer;
    throw new DeviceError(
      `${place}: the device was lost and is being replaced. Await recovered(), then call it again.`,
    );
  }

  /**
   * After an error of a trainer: returns where its device was at fault and another one has taken its place, throws it otherwise. What fails again on
   * that other one, before anything was made there, would fail on each.
   */
  async heal(trainer: Trainer, error: unknown): Promise<void> {
    const session = this.#session as Session;
    if (session.trainer === trainer) {
      // An error of a call may come before the word of the loss that caused it.
      if (session.loss === undefined && (error instanceof DeviceError || error instanceof DOMException)) {
        await within<unknown>(
          GRACE,
          session.lost,
          this.#ended.catch(() => undefined),
        );
      }
      if (this.#failure !== undefined) throw this.#failure;
      if (session.loss === undefined && error instanceof DeviceError && !this.#isFresh) {
        // It lives, and left something out: no memory, a submission that was dropped. What it holds is room for the next.
        this.#isFresh = true;
        this.#attempts = 0;
        session.loss = { reason: "fault", message: error.message };
        trainer.dispose();
      }
      if (session.loss === undefined || session.loss.reason === "destroyed") throw error;
      this.#start(session);
    } else if (!(error instanceof DeviceError) && error instanceof GradusError) throw error;
    if (this.#recovery !== undefined) await Promise.race([this.#recovery, this.#ended]);
  }

  /** Runs what may be asked for a second time. */
  async call<T>(
    work: (trainer: Trainer) => Promise<T>,
    mayRepeat: (error: unknown) => void = () => undefined,
  ): Promise<T> {
    for (let tried = 0; ; tried++) {
      const trainer = await this.ready();
      try {
        const told = await work(trainer);
        this.#isFresh = false;
        return told;
      } catch (error) {
        if (tried >= this.#how.attempts) throw error;
        await this.heal(trainer, error);
        mayRepeat(error);
      }
    }
  }

  /** To be done again after a loss, until a snapshot knows of it. */
  note(entry: Entry): void {
    this.#journal.push(entry);
  }

  /** A checkpoint in the place of all that was before it. */
  restart(bytes: Uint8Array<ArrayBuffer>, allow: readonly string[]): void {
    this.#saved = { bytes, allow };
    this.#journal = [];
    this.rates.forget();
  }

  /** Snapshots taken so far. */
  get taken(): number {
    return this.#taken;
  }

  /** Once no snapshot is on its way. */
  quiet(): Promise<void> {
    return this.#taking;
  }

  /** Takes a snapshot of a trainer; one of a trainer whose place another has taken by then is not kept. */
  snapshot(trainer: Trainer): Promise<void> {
    const taking = this.#take(trainer);
    this.#taking = taking.catch(() => undefined);
    return taking;
  }

  async #take(trainer: Trainer): Promise<void> {
    const began = performance.now();
    const known = this.#journal.length;
    const bytes = await trainer.save();
    if (this.trainer !== trainer) return;
    this.#saved = { bytes, allow: [] };
    this.#taken++;
    this.#journal.splice(0, known);
    this.#savedAt = performance.now();
    this.#attempts = 0;
    this.#isFresh = false;
    this.#how.onSnapshot?.({ step: trainer.steps, bytes, milliseconds: this.#savedAt - began });
  }

  dispose(): void {
    this.#fail(new DeviceError("trainer: it was disposed. Compile the model again to go on."));
    this.#session?.trainer.dispose();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#end(this.#failure as DeviceError);
  }

  #start(session: Session): void {
    if (this.#recovery !== undefined || this.#session !== session || this.#failure !== undefined) return;
    this.#recovery = this.#replace(session).finally(() => {
      this.#recovery = undefined;
    });
    this.#recovery.catch(() => undefined);
  }

  /** Word of a loss, whoever caused it. */
  #hear(session: Session): void {
    const { reason, message } = session.loss as Loss;
    if (reason !== "destroyed") this.#start(session);
    else if (this.#session === session) {
      this.#fail(new DeviceError(`device: it was destroyed (${message}). Compile the model again to go on.`));
    }
  }

  async #replace(dead: Session | undefined): Promise<void> {
    const { attempts, wait, onRecover } = this.#how;
    const before = dead?.trainer.steps;
    let cause: unknown;
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#attempts >= attempts) {
        const why = dead?.loss?.message ?? (cause instanceof Error ? cause.message : String(cause));
        const error = new DeviceError(
          `device: it was lost and ${attempts} attempts brought no other that training went on with (${why}). The last snapshot is in lastSnapshot; compile again to go on.`,
          { cause },
        );
        this.#fail(error);
        throw error;
      }
      const attempt = ++this.#attempts;
      if (attempt > 1) await within(wait * 2 ** (attempt - 2), this.#ended);
      try {
        await this.#open();
      } catch (error) {
        // What a device is not to blame for would be the same on another.
        if (dead === undefined || this.#failure !== undefined) throw error;
        if (error instanceof GradusError && !(error instanceof DeviceError)) {
          this.#fail(error);
          throw error;
        }
        cause = error;
        continue;
      }
      if (before === undefined) this.#attempts = 0;
      else {
        const step = this.trainer.steps;
        onRecover?.({ step, lost: Math.max(0, before - step), reason: dead?.loss?.message ?? "", attempt });
      }
      return;
    }
  }

  /** A trainer on a new device takes the place of the last one, with all that is known of it. */
  async #open(): Promise<void> {
    const { patience } = this.#how;
    let late = false;
    const opening = openSession(this.#model, this.#options).then((session) => {
      if (late) session.trainer.dispose();
      return session;
    });
    opening.catch(() => undefined);
    const session = await within(patience * 1000, opening, this.#ended).catch((error) => {
      late = true;
      throw error;
    });
    if (session === undefined) {
      late = true;
      throw new DeviceError(
        `device: no other was there after ${patience} s. Give it more "patience", or look at device().`,
      );
    }
    const { trainer } = session;
    const old = this.#session?.trainer;
    try {
      if (this.#saved !== undefined) {
        this.rates.lend(trainer);
        trainer.load(this.#saved.bytes, { allow: this.#saved.allow });
      }
      if (old !== undefined) this.rates.carry(old, trainer);
    } catch (error) {
      trainer.dispose();
      throw error;
    }
    this.#session = session;
    old?.dispose();
    session.lost.then(() => this.#hear(session));
    for (const entry of [...this.#journal]) await entry(trainer);
    if (session.loss !== undefined) throw new DeviceError(`device: it was lost (${session.loss.message}).`);
  }
}
