// The menu of presets, which the address knows too. It says "by hand" once a layer was changed on its own.

import { fromAddress, toAddress } from "../page/address.ts";
import { find } from "../page/element.ts";
import { presets } from "./preset.ts";

export class PresetMenu {
  readonly #menu = find("#preset", HTMLSelectElement);
  readonly #byHand = new Option("by hand", "");

  constructor(choose: (preset: string) => void) {
    this.#byHand.hidden = true; // shown where it is the case, not to be chosen
    this.#menu.append(this.#byHand, ...Object.keys(presets).map((name) => new Option(name)));
    const said = fromAddress("preset") ?? "";
    this.#menu.value = said in presets ? said : "one rate";
    this.#menu.addEventListener("change", () => choose(this.#menu.value));
  }

  /** The preset that stands in the menu; undefined where it says "by hand". */
  get chosen(): string | undefined {
    return this.#menu.value || undefined;
  }

  show(preset: string | undefined, locked: boolean): void {
    if (this.#menu.value !== (preset ?? "")) this.#menu.value = preset ?? "";
    toAddress({ preset: preset ?? "" });
    this.#menu.disabled = locked;
  }
}
