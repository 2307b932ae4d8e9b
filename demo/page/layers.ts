// The layer table: a row for each layer, its rate and its freeze switch in the user's hand.

import type { LayerRow } from "../../src/index.ts";
import { find, make, write } from "./element.ts";
import { LAST_POSITION, NONE, positionOf, rate, rateAt, whole } from "./number.ts";

export interface LayerActions {
  setRate(layer: string, rate: number): void;
  setFrozen(layer: string, frozen: boolean): void;
}

interface Line {
  readonly name: string;
  readonly track: HTMLElement;
  readonly now: HTMLElement;
  readonly state: HTMLElement;
  readonly updates: HTMLElement;
  readonly row: HTMLElement;
}

export class LayerTable {
  readonly #body = find("#layers tbody", HTMLTableSectionElement);
  readonly #actions: LayerActions;
  #lines: Line[] = [];

  constructor(actions: LayerActions) {
    this.#actions = actions;
    find("#scale", HTMLElement).replaceChildren(
      ...[1e-5, 1e-4, 1e-3, 1e-2, 1e-1].map((decade) => {
        const label = make("span", "", decade.toExponential(0));
        label.style.setProperty("--at", String(positionOf(decade) / LAST_POSITION));
        return label;
      }),
    );
  }

  /** New rows. `factor` is the schedule's at the next step, by which the rates are already multiplied. */
  build(rows: readonly LayerRow[], factor: number): void {
    this.#lines = rows.map((row) => this.#line(row, row.lr / factor));
    this.#body.replaceChildren(...this.#lines.map(({ row }) => row));
    this.update(rows);
  }

  /** The rows as of the next step. */
  update(rows: readonly LayerRow[]): void {
    for (const [i, { lr, state, updates }] of rows.entries()) {
      const line = this.#lines[i] as Line;
      const word = state === "frozen" ? "frozen" : lr === 0 ? "rate 0" : "learning";
      write(line.now, state === "frozen" ? NONE : rate(lr));
      write(line.state, word);
      write(line.updates, `${whole(updates)} updates`);
      line.row.dataset.state = word;
      line.track.style.setProperty("--now", String(positionOf(lr) / LAST_POSITION));
    }
  }

  #line({ name, parameters, state }: LayerRow, base: number): Line {
    const slider = make("input");
    slider.type = "range";
    slider.min = "0";
    slider.max = String(LAST_POSITION);
    slider.setAttribute("aria-label", `Learning rate of ${name}`);
    const value = make("output");
    const show = (chosen: number): void => {
      write(value, rate(chosen));
      slider.setAttribute("aria-valuetext", rate(chosen));
    };
    slider.value = String(positionOf(base));
    show(base);
    slider.addEventListener("input", () => {
      const chosen = rateAt(slider.valueAsNumber);
      show(chosen);
      this.#actions.setRate(name, chosen);
    });

    const freeze = make("input");
    freeze.type = "checkbox";
    freeze.setAttribute("role", "switch");
    freeze.setAttribute("aria-label", `Freeze ${name}`);
    freeze.checked = state === "frozen";
    freeze.addEventListener("change", () => this.#actions.setFrozen(name, freeze.checked));

    const track = make("span", "track", slider);
    const [now, word, updates] = [make("span"), make("span", "badge"), make("span", "updates")];
    const head = make("th", "name", name);
    head.scope = "row";
    const cells = [
      make("td", "parameters number", whole(parameters), make("span", "unit", " parameters")),
      make("td", "", make("div", "rate", track, value)),
      make("td", "now number", make("span", "unit", make("i", "pointer"), "now "), now),
      make("td", "freeze", make("label", "", freeze, make("span", "unit", "Freeze"))),
      make("td", "state", word, updates),
    ];
    return { name, track, now, state: word, updates, row: make("tr", "", head, ...cells) };
  }
}
