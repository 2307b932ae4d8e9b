// The step as a list: every dispatch of the recording that training replays, and the memory that it works in.

import { print, type Trainer } from "../../src/index.ts";
import { find, make, write } from "./element.ts";
import { megabytes, whole } from "./number.ts";

export class StepList {
  readonly #length = find("#recording-length", HTMLSpanElement);
  readonly #list = find("#list", HTMLPreElement);
  readonly #memory = find("#memory", HTMLDListElement);
  #shown: unknown;

  /** Shows the step as it stands and says how many dispatches it has. */
  show(trainer: Trainer): number {
    const recording = trainer.recording();
    if (recording !== this.#shown) {
      this.#shown = recording;
      write(this.#length, `${recording.commands.length} dispatches`);
      write(this.#list, print(recording));
      const { planned, naive, lowerBound } = recording.memory;
      const pairs = [
        ["Activations, as planned", megabytes(planned)],
        ["Most that is alive at once", megabytes(lowerBound)],
        ["If nothing shared memory", megabytes(naive)],
        ["Parameters", whole(trainer.network.parameterCount)],
      ] as const;
      this.#memory.replaceChildren(
        ...pairs.map(([name, value]) => make("div", "", make("dt", "", name), make("dd", "", value))),
      );
    }
    return recording.commands.length;
  }
}
