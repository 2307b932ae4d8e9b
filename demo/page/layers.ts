// The layer table: a row for each layer, its rate and its freeze switch in the user's hand, and what it does in a step.

import type { FitOptions, LayerRow } from "../../src/index.ts";
import { find, make, write } from "./element.ts";
import { LAST_POSITION, NONE, positionOf, rate, rateAt, ratioPart, whole } from "./number.ts";

export type Stats = Parameters<NonNullable<FitOptions["onStats"]>>[0];

/** A custom property of the style sheet; three colours take turns. */
export const layerColor = (i: number): string => `--layer-${(i % 3) + 1}`;

export interface LayerActions {
  setRate(layer: string, rate: number): void;
  setFrozen(layer: string, frozen: boolean): void;
}

interface Line {
  readonly row: HTMLElement;
  readonly slider: HTMLInputElement;
  readonly base: HTMLElement;
  readonly now: HTMLElement;
  readonly scale: HTMLElement;
  readonly freeze: HTMLInputElement;
  readonly meter: HTMLElement;
  readonly ratio: HTMLElement;
  readonly gradient: HTMLElement;
  readonly state: HTMLElement;
  readonly updates: HTMLElement;
}

export class LayerTable {
  readonly #body = find("#layers tbody", HTMLTableSectionElement);
  readonly #actions: LayerActions;
  #lines: Line[] = [];

  constructor(actions: LayerActions) {
    this.#actions = actions;
    scale("#scale", [1e-5, 1e-4, 1e-3, 1e-2, 1e-1], (value) => positionOf(value) / LAST_POSITION);
    scale("#ratio-scale", [1e-6, 1e-3, 1e-1], ratioPart);
  }

  /** New rows. */
  build(rows: readonly LayerRow[]): void {
    this.#lines = rows.map((row, i) => this.#line(row, i));
    this.#body.replaceChildren(...this.#lines.map(({ row }) => row));
  }

  /** The rows as of the next step, the latest look at the layers, and whether all is locked. */
  update(rows: readonly LayerRow[], stats: Stats | undefined, locked: boolean): void {
    for (const [i, row] of rows.entries()) {
      const line = this.#lines[i] as Line;
      const { state, lr, base, multiplier, updates } = row;
      const off = state === "frozen" || state === "waiting";
      const seen = off ? undefined : stats?.layers.find(({ name }) => name === row.name);
      const factor = seen?.scale ?? 1;
      show(line, base * multiplier);
      line.slider.disabled = line.freeze.disabled = locked;
      line.freeze.checked = off;
      line.row.dataset.state = state;
      write(line.state, state);
      write(line.updates, `${whole(updates)} updates`);
      write(line.now, off ? NONE : rate(lr * factor));
      write(line.scale, factor === 1 ? "" : `× ${factor.toPrecision(3)}`);
      line.row.style.setProperty("--now", String(positionOf(lr * factor) / LAST_POSITION));
      const ratio = seen === undefined ? NONE : rate(seen.ratio);
      write(line.ratio, ratio);
      write(line.gradient, seen === undefined ? NONE : rate(seen.gradient));
      line.meter.style.setProperty("--ratio", String(ratioPart(seen?.ratio ?? 0)));
      line.meter.setAttribute("aria-valuenow", String(seen?.ratio ?? 0));
      line.meter.setAttribute("aria-valuetext", ratio === NONE ? "none" : ratio);
    }
  }

  #line({ name, parameterCount }: LayerRow, i: number): Line {
    const slider = make("input");
    slider.type = "range";
    slider.min = "0";
    slider.max = String(LAST_POSITION);
    slider.setAttribute("aria-label", `Learning rate of ${name}`);
    slider.addEventListener("input", () => this.#actions.setRate(name, rateAt(slider.valueAsNumber)));

    const freeze = make("input");
    freeze.type = "checkbox";
    freeze.setAttribute("role", "switch");
    freeze.setAttribute("aria-label", `Freeze ${name}`);
    freeze.addEventListener("change", () => this.#actions.setFrozen(name, freeze.checked));

    const meter = make("span", "meter");
    meter.setAttribute("role", "meter");
    meter.setAttribute("aria-label", `Step over weights of ${name}`);
    meter.setAttribute("aria-valuemin", "0");
    meter.setAttribute("aria-valuemax", "0.1");

    const [base, ratio] = [make("output"), make("span", "value")];
    const [now, factor, gradient] = [make("span"), make("small"), make("span")];
    const [state, updates] = [make("span", "badge"), make("span", "updates")];
    const head = make(
      "th",
      "name",
      make("span", "key"),
      make("span", "", name),
      make("small", "", `${whole(parameterCount)} parameters`),
    );
    head.scope = "row";
    const row = make(
      "tr",
      "",
      head,
      make("td", "chosen", make("div", "rate", make("span", "track", slider), base)),
      make("td", "now number", unit("now", make("i", "pointer")), now, factor),
      make("td", "freeze", make("label", "", freeze, unit("Freeze"))),
      make("td", "ratio", make("div", "bar", unit("|Δw| / |w|"), meter, ratio)),
      make("td", "gradient number", unit("|g|"), gradient),
      make("td", "state", state, updates),
    );
    row.style.setProperty("--key", `var(${layerColor(i)})`);
    return { row, slider, base, now, scale: factor, freeze, meter, ratio, gradient, state, updates };
  }
}

/** A rate at its slider. What the thumb stands for already does not move it. */
function show({ slider, base }: Line, value: number): void {
  const position = String(positionOf(value));
  if (slider.value !== position) slider.value = position;
  write(base, rate(value));
  if (slider.getAttribute("aria-valuetext") !== rate(value)) slider.setAttribute("aria-valuetext", rate(value));
}

/** What a column's head says, for the cards of a narrow screen, which have none. */
const unit = (words: string, ...before: Node[]): HTMLElement => make("span", "unit", ...before, `${words} `);

/** Numbers above a column, where its scale has them. */
function scale(selector: string, values: readonly number[], partOf: (value: number) => number): void {
  const labels = values.map((value) => {
    const label = make("span", "", value.toExponential(0));
    label.style.setProperty("--at", String(partOf(value)));
    return label;
  });
  find(selector, HTMLElement).replaceChildren(...labels);
}
