// The panel of branches: the curve as it went, a place on it, a layer's rate that is changed there, and the other future beside it.

import { createChart } from "../page/chart.ts";
import { find, write } from "../page/element.ts";
import { Smooth } from "../page/loss-chart.ts";
import { fraction, LAST_POSITION, positionOf, rate, rateAt, whole } from "../page/number.ts";

/** Another future that is asked for. */
export interface Wish {
  /** Steps made where it begins. */
  readonly step: number;
  readonly layer: string;
  readonly lr: number;
}

export interface BranchActions {
  /** Shows what the network knew after a step. */
  look(step: number): void;
  branch(wish: Wish): void;
}

export class Branching {
  readonly #chart = createChart(find("#branches", HTMLElement), {
    lines: [
      { label: "As it went", color: "--accent", width: 2 },
      { label: "The other future", color: "--second", width: 2 },
    ],
    range: (_, most) => [0, Math.max(0.1, Math.min(most, 5) * 1.05)],
    format: fraction,
    tick: (value) => String(Number(value.toFixed(2))),
  });
  readonly #step = find("#branch-step", HTMLInputElement);
  readonly #layer = find("#branch-layer", HTMLSelectElement);
  readonly #rate = find("#branch-rate", HTMLInputElement);
  readonly #buttons = [find("#look", HTMLButtonElement), find("#branch", HTMLButtonElement)];
  readonly #result = find("#branch-result", HTMLParagraphElement);
  #planned = 1;
  #losses: number[] = [];
  #main: number[] = [];
  #other: (number | null)[] = [];
  #smooth = new Smooth();
  #otherSmooth = new Smooth();

  constructor({ look, branch }: BranchActions) {
    this.#rate.max = String(LAST_POSITION);
    this.#rate.value = String(positionOf(1e-3));
    this.#step.addEventListener("input", () => this.#show());
    this.#rate.addEventListener("input", () => this.#say());
    const acts = [
      () => look(this.#at),
      () => branch({ step: this.#at, layer: this.#layer.value, lr: rateAt(this.#rate.valueAsNumber) }),
    ];
    for (const [i, button] of this.#buttons.entries()) {
      button.addEventListener("click", () => button.ariaDisabled !== "true" && acts[i]?.());
    }
  }

  /** Never the last step, behind which nothing came. */
  get #at(): number {
    return this.#step.valueAsNumber;
  }

  /** A new run, of a network with these layers. */
  clear(layers: readonly string[]): void {
    [this.#losses, this.#main, this.#other, this.#smooth] = [[], [], [], new Smooth()];
    this.#layer.replaceChildren(...layers.map((name) => new Option(name)));
    this.tell("");
  }

  addStep(loss: number): void {
    this.#losses.push(loss);
    this.#main.push(this.#smooth.add(loss));
  }

  /** Another future begins, after a step of the curve. */
  leave(step: number): void {
    this.#step.value = String(step);
    this.#otherSmooth = new Smooth();
    for (const loss of this.#losses.slice(0, step)) this.#otherSmooth.add(loss);
    this.#other = this.#main.slice(0, step).map((value, i) => (i === step - 1 ? value : null));
  }

  addOther(loss: number): void {
    this.#other.push(this.#otherSmooth.add(loss));
  }

  /** The line below the chart; `kind` says how it ended. */
  tell(words: string, kind: "" | "same" | "other" = ""): void {
    write(this.#result, words);
    this.#result.dataset.kind = kind;
  }

  /** `possible`: whether there are steps to go back to, and nobody is on the way. */
  draw(stepsPlanned: number, possible: boolean): void {
    const last = Math.max(0, this.#losses.length - 1);
    this.#step.max = String(last);
    this.#step.disabled = last === 0;
    for (const button of this.#buttons) button.ariaDisabled = String(!possible || last === 0);
    this.#planned = stepsPlanned;
    this.#show();
  }

  #show(): void {
    const count = Math.max(this.#main.length, this.#other.length);
    const steps = Array.from({ length: count }, (_, i) => i + 1);
    const padded = (column: readonly (number | null)[]) => steps.map((_, i) => column[i] ?? null);
    this.#chart.show({ steps, columns: [padded(this.#main), padded(this.#other)] }, this.#planned, this.#at);
    this.#say();
  }

  #say(): void {
    write(find("#branch-step-value", HTMLOutputElement), `after step ${whole(this.#at)}`);
    write(find("#branch-rate-value", HTMLOutputElement), rate(rateAt(this.#rate.valueAsNumber)));
    this.#step.setAttribute("aria-valuetext", `after step ${whole(this.#at)}`);
    this.#rate.setAttribute("aria-valuetext", rate(rateAt(this.#rate.valueAsNumber)));
  }
}
