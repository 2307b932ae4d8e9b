// Plays a run: opens it, lets the user run, pause and begin anew, and paints about eight times a second. Knows neither what is
// learned nor what the page looks like.

import { DeviceError, type Trainer } from "../../src/index.ts";
import type { Controls } from "./controls.ts";
import { find, make } from "./element.ts";
import { clearErrors, showError, showUnsupported } from "./notices.ts";
import { whole } from "./number.ts";

export type Phase = "loading" | "ready" | "training" | "pausing" | "paused" | "finished" | "failed";

/** A training with its way through the data. */
export interface Run {
  readonly trainer: Trainer;
  /** Whether what was planned is done; more may be planned. */
  readonly finished: boolean;
  /** Trains until it is time to look, or until `pause`; the next call goes on from there. */
  go(): Promise<void>;
  pause(): void;
  dispose(): void;
}

/** What a page does with its run. `S`: what a run may begin with. */
export interface Scene<R extends Run, S> {
  readonly controls: Controls;
  open(start: S): Promise<R>;
  /** A run is open, and nothing of the one before may be left to see. */
  opened(run: R): void;
  /** Time to look, after each `go`. */
  look(run: R): Promise<void>;
  /** Training rests, by the user's hand or as all is done. */
  rested?(run: R): Promise<void>;
  paint(run: R): void;
  /** There is no GPU to run on; the page says so already. */
  unsupported?(): Promise<void>;
}

/** Milliseconds between paintings: often enough to be live, seldom enough to be read. */
const REST = 120;

export class Player<R extends Run, S> {
  readonly #scene: Scene<R, S>;
  #run: R | undefined;
  #phase: Phase = "loading";
  #said = "";
  #painted = 0;
  /** Settles when training rests. */
  #training = Promise.resolve();
  /** Settles when the run is open. */
  #opening = Promise.resolve();

  constructor(scene: Scene<R, S>) {
    this.#scene = scene;
  }

  /** Undefined while one is being opened. */
  get run(): R | undefined {
    return this.#run;
  }

  get training(): boolean {
    return this.#phase === "training";
  }

  /** A new run on the present settings, after the one before has ended, which may give it something to begin with. */
  begin(prepare: (before: R | undefined) => Promise<S> | S): Promise<void> {
    const { open, opened, controls } = this.#scene;
    this.#opening = this.#opening.then(async () => {
      this.#run?.pause();
      this.#enter("loading", "Building the network …");
      await this.#training.catch(() => undefined); // was shown when it came
      const before = this.#run;
      this.#run = undefined;
      clearErrors();
      try {
        const start = await prepare(before);
        before?.dispose();
        this.#run = await open(start);
      } catch (error) {
        this.#fail(error);
        return;
      }
      showAdapter(this.#run.trainer);
      controls.keep();
      opened(this.#run);
      this.paint();
      this.#enter("ready", "Ready");
    });
    return this.#opening;
  }

  /** Runs, or pauses. */
  async toggle(): Promise<void> {
    if (this.training) {
      this.#enter("pausing", "Pausing …");
      this.#run?.pause();
      return;
    }
    await this.#opening; // settings that have just been changed
    const run = this.#run;
    if (run !== undefined && ["ready", "paused", "finished"].includes(this.#phase)) this.#training = this.#train(run);
  }

  /** Does something that wants training to rest, and goes on. */
  async atRest(act: () => void | Promise<void>): Promise<void> {
    const goOn = this.training;
    if (goOn) await this.toggle();
    await this.#training.catch(() => undefined);
    await act();
    if (goOn) await this.toggle();
  }

  /** What the status says of a training, from its first step on. */
  say(words: string): void {
    if (this.training) this.#enter("training", words);
  }

  /** A change of the user's. It is shown what is, also where it was refused. */
  change(act: (run: R) => void): void {
    if (this.#run === undefined) return;
    try {
      act(this.#run);
    } catch (error) {
      showError(error);
    }
    this.paint();
  }

  paint(): void {
    if (this.#run !== undefined) this.#scene.paint(this.#run);
  }

  #enter(next: Phase, words: string): void {
    if (next === this.#phase && words === this.#said) return;
    [this.#phase, this.#said] = [next, words];
    this.#scene.controls.show(next, words);
  }

  #fail(error: unknown): void {
    if (error instanceof DeviceError) {
      showUnsupported(error);
      void this.#scene.unsupported?.().catch(showError);
    } else showError(error);
    this.#enter("failed", "Not ready: see the message above, then reset.");
  }

  async #train(run: R): Promise<void> {
    const { look, rested } = this.#scene;
    clearErrors();
    this.#enter("training", "Compiling the shaders …");
    requestAnimationFrame(this.#keepPainting);
    try {
      do {
        await run.go();
        await look(run);
      } while (this.training && !run.finished);
      if (this.#phase === "loading") return;
      await rested?.(run);
      if (run.finished) this.#enter("finished", "Finished");
      else this.#enter("paused", `Paused after step ${whole(run.trainer.steps)}`);
    } catch (error) {
      showError(error);
      if (error instanceof DeviceError) this.#enter("failed", "Stopped: see the message above, then reset.");
      else this.#enter("paused", "Stopped: see the message above.");
    } finally {
      this.paint();
    }
  }

  #keepPainting = (now: number): void => {
    if (!["training", "pausing"].includes(this.#phase)) return;
    if (now - this.#painted > REST) {
      this.#painted = now;
      this.paint();
    }
    requestAnimationFrame(this.#keepPainting);
  };
}

function showAdapter({ adapter, software }: Trainer): void {
  const badge = make("span", "badge software", "software: a CPU, no GPU");
  find("#adapter", HTMLElement).replaceChildren(adapter.replace(/ \(software\)$/, ""), ...(software ? [badge] : []));
}
