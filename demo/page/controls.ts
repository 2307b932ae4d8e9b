// The controls: settings that hold for a whole training, the two buttons, and where training stands in words.

import { find, write } from "./element.ts";
import { type ControllerName, controllers } from "./preset.ts";
import type { Settings } from "./session.ts";

export type Phase = "loading" | "ready" | "training" | "pausing" | "paused" | "finished" | "failed";

/** What the first button does in a phase. */
const RUN: Readonly<Record<Phase, string>> = {
  loading: "Start",
  ready: "Start",
  training: "Pause",
  pausing: "Pause",
  paused: "Continue",
  finished: "Train on",
  failed: "Start",
};

export interface ControlActions {
  run(): void;
  reset(): void;
  /** The settings were changed before the first step. */
  change(): void;
  /** Another controller was chosen, at any time. */
  control(): void;
}

export class Controls {
  readonly #form = find("#controls", HTMLFormElement);
  readonly #run = find("#run", HTMLButtonElement);
  readonly #reset = find("#reset", HTMLButtonElement);
  readonly #settings = find("#settings", HTMLFieldSetElement);
  readonly #status = find("#status", HTMLParagraphElement);
  readonly #control = find("#control", HTMLSelectElement);
  #touched = false;

  constructor({ run, reset, change, control }: ControlActions) {
    this.#control.replaceChildren(...Object.keys(controllers).map((name) => new Option(name)));
    this.#control.addEventListener("change", control);
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      run();
    });
    this.#reset.addEventListener("click", () => {
      if (this.#form.reportValidity()) reset();
    });
    this.#settings.addEventListener("change", () => {
      this.#touched = true;
      if (this.#form.checkValidity()) change();
    });
  }

  settings(): Settings {
    const fields = new FormData(this.#form);
    // A disabled field is not in the form's data.
    const value = (name: string): string => String(fields.get(name) ?? this.#field(name).value);
    return {
      images: Number(value("images")),
      epochs: Number(value("epochs")),
      batch: Number(value("batch")),
      seed: Number(value("seed")),
      schedule: value("schedule") === "constant" ? "constant" : "oneCycle",
      control: value("control") as ControllerName,
    };
  }

  /** Fills in the settings of a run from a file. Throws where the form does not allow them. */
  fill(settings: Settings): void {
    const before = this.settings();
    const put = (values: Settings): void => {
      for (const name of Object.keys(before) as (keyof Settings)[]) this.#field(name).value = String(values[name]);
    };
    const { disabled } = this.#settings;
    this.#settings.disabled = false; // what is disabled is not checked
    put(settings);
    const valid = this.#form.checkValidity();
    this.#settings.disabled = disabled;
    if (valid) return;
    put(before);
    throw new Error("The file's settings are not possible here. Choose a file that Export wrote.");
  }

  /** Another number of images, unless the user has made a choice. Says whether it was changed. */
  propose(images: number): boolean {
    const field = this.#field("images");
    if (this.#touched || Number(field.value) <= images) return false;
    field.value = String(images);
    return true;
  }

  /** `said` is what the status line says. A replay decides for itself what controls it. */
  show(phase: Phase, said: string, replaying: boolean): void {
    write(this.#run, RUN[phase]);
    write(this.#status, said);
    // Not `disabled`: a button that is pressed by keyboard must not lose the focus.
    this.#run.setAttribute("aria-disabled", String(["loading", "pausing", "failed"].includes(phase)));
    this.#reset.setAttribute("aria-disabled", String(phase === "loading"));
    this.#settings.disabled = ["training", "pausing", "paused", "finished"].includes(phase);
    this.#control.disabled = replaying;
    this.#form.dataset.phase = phase;
  }

  #field(name: string): HTMLInputElement | HTMLSelectElement {
    return this.#form.elements.namedItem(name) as HTMLInputElement | HTMLSelectElement;
  }
}
