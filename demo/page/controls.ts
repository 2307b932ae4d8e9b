// The controls: settings that hold for a whole training, in the form and in the address, the two buttons, and where training
// stands in words.

import { OptionError } from "../../src/index.ts";
import { fromAddress, toAddress } from "./address.ts";
import { find, write } from "./element.ts";
import { showError } from "./notices.ts";
import type { Phase } from "./player.ts";

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
}

type Field = HTMLInputElement | HTMLSelectElement;

/** By the names of the fields: numbers, and texts of menus. */
export type Values = Readonly<Record<string, number | string>>;

export class Controls {
  readonly #form = find("#controls", HTMLFormElement);
  readonly #run = find("#run", HTMLButtonElement);
  readonly #reset = find("#reset", HTMLButtonElement);
  readonly #settings = find("#settings", HTMLFieldSetElement);
  readonly #status = find("#status", HTMLParagraphElement);
  readonly #touched = new Set<string>();
  #refused: OptionError[] = [];

  /** Begins with the settings of the address. Menus must have their choices. */
  constructor({ run, reset, change }: ControlActions) {
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      run();
    });
    this.#reset.addEventListener("click", () => {
      if (this.#form.reportValidity()) reset();
    });
    this.#settings.addEventListener("change", ({ target }) => {
      this.#touched.add((target as Field).name);
      if (this.#form.checkValidity()) change();
    });
    for (const field of this.#fields) {
      const said = fromAddress(field.name);
      if (said === undefined) continue;
      this.#touched.add(field.name);
      const before = field.value;
      field.value = said;
      if (field.value === said && field.checkValidity()) continue;
      const hint = field.validationMessage || "There is no such choice.";
      field.value = before;
      this.#refused.push(new OptionError(`address: ${field.name}=${said}: ${hint} This page has ${before} instead.`));
    }
  }

  /** As the form has them; `S` is what the page's form is known to hold. */
  settings<S extends object = Values>(): S {
    return Object.fromEntries(
      this.#fields.map((field) => [field.name, field.type === "number" ? Number(field.value) : field.value]),
    ) as S;
  }

  /** Says the settings of a run that was opened in the address, and what was wrong with those that the address had. */
  keep(): void {
    toAddress(Object.fromEntries(this.#fields.map(({ name, value }) => [name, value])));
    for (const error of this.#refused) showError(error);
    this.#refused = [];
  }

  /** Fills in the settings of a run from a file. Throws where the form does not allow them. */
  fill(settings: object): void {
    const before = this.settings();
    const put = (values: object): void => {
      for (const field of this.#fields) field.value = String(values[field.name as keyof typeof values]);
    };
    const { disabled } = this.#settings;
    this.#settings.disabled = false; // what is disabled is not checked
    put(settings);
    const valid = this.#form.checkValidity();
    this.#settings.disabled = disabled;
    if (valid) return;
    put(before);
    throw new Error("The settings are not possible here. Choose a file that Export wrote, or copy all of the link.");
  }

  /** Less than the form has, unless the user or the address has made a choice. Says whether it was changed. */
  propose(name: string, most: number): boolean {
    const field = this.#fields.find((one) => one.name === name);
    if (field === undefined || this.#touched.has(name) || Number(field.value) <= most) return false;
    field.value = String(most);
    return true;
  }

  /** `said` is what the status line says. */
  show(phase: Phase, said: string): void {
    write(this.#run, RUN[phase]);
    write(this.#status, said);
    // Not `disabled`: a button that is pressed by keyboard must not lose the focus.
    this.#run.setAttribute("aria-disabled", String(["loading", "pausing", "failed"].includes(phase)));
    this.#reset.setAttribute("aria-disabled", String(phase === "loading"));
    this.#settings.disabled = ["training", "pausing", "paused", "finished"].includes(phase);
    this.#form.dataset.phase = phase;
  }

  /** Those with a name, which the buttons and the frame around the settings have not. */
  get #fields(): Field[] {
    return ([...this.#form.elements] as Field[]).filter(({ name }) => name !== "");
  }
}
