// The rates over the whole run: behind the mark as they were, before it as schedule, presets and changes have planned them.

import { type Edit, type LayerRow, preview, type Schedule, type ScheduleSpec, scheduleFrom } from "../../src/index.ts";
import { type Chart, createChart } from "../page/chart.ts";
import { find } from "../page/element.ts";
import { layerColor } from "../page/layers.ts";
import { rate } from "../page/number.ts";
import type { Session } from "./session.ts";

/** Points of a curve at most: more than the plot has pixels would not be seen. */
const POINTS = 800;
/** A line lies on those before it: equal rates show as bands. */
const WIDTHS = [5, 3.5, 2];

/** When and by which factor a layer trains. */
interface Life {
  schedule: Schedule;
  from: number;
  until: number;
}

export class RatePlan {
  #chart: Chart | undefined;
  #steps: number[] = [];
  #columns: (number | null)[][] = [];
  #key = "";

  clear(): void {
    [this.#steps, this.#columns, this.#key] = [[], [], ""];
  }

  /** Draws the plan, made anew where something has changed, with the mark at the present step. */
  draw(session: Session, rows: readonly LayerRow[]): void {
    this.#chart ??= createChart(find("#plan", HTMLElement), {
      lines: rows.map(({ name }, i) => ({ label: name, color: layerColor(i), width: WIDTHS[i % WIDTHS.length] ?? 2 })),
      range: (_, most) => [0, Math.max(1e-5, most * 1.08)],
      format: rate,
      tick: (value) => String(Number(value.toPrecision(2))),
    });
    const { trainer, stepsPlanned } = session;
    const edits = trainer.rates.edits();
    const key = [stepsPlanned, edits.length, edits.at(-1)?.step].join();
    if (key !== this.#key) {
      this.#key = key;
      this.#plan(session, rows, edits);
    }
    this.#chart.show({ steps: this.#steps, columns: this.#columns }, stepsPlanned, trainer.steps);
  }

  #plan(
    { trainer, stepsPlanned, stepsPerEpoch, schedule }: Session,
    rows: readonly LayerRow[],
    edits: readonly Edit[],
  ) {
    const stride = Math.ceil(stepsPlanned / POINTS);
    const points = Math.ceil(stepsPlanned / stride);
    const [oldSteps, oldColumns] = [this.#steps, this.#columns];
    this.#steps = Array.from({ length: points }, (_, i) => i * stride);
    this.#columns = rows.map(({ name, base, multiplier, state }, i) => {
      const life = lifeOf(name, edits, { schedule, from: 0, until: Number.POSITIVE_INFINITY }, stepsPerEpoch);
      const coarse: Schedule = ({ step }) =>
        life.schedule({ step: step * stride, updates: step * stride, stepsPerEpoch });
      const { lrs } = preview(coarse, points, { base: base * multiplier });
      return this.#steps.map((step, point) => {
        if (step < trainer.steps && oldSteps.length > 0) {
          return oldColumns[i]?.[oldSteps.findLastIndex((old) => old <= step)] ?? null;
        }
        const trains = state !== "frozen" && step >= life.from && step < life.until;
        return trains ? (lrs[point] ?? null) : null;
      });
    });
  }
}

/** What the log has made of a layer. Patterns are taken to be paths, or `**`: the page makes no others. */
function lifeOf(layer: string, edits: readonly Edit[], compiled: Readonly<Life>, stepsPerEpoch: number): Life {
  const stepOf = (when: unknown, otherwise: number): number =>
    when === undefined ? otherwise : typeof when === "number" ? when : Object(when).epochs * stepsPerEpoch;
  const life = { ...compiled };
  for (const { kind, pattern, change } of edits) {
    if (pattern !== "**" && pattern !== layer && !layer.startsWith(`${pattern}.`)) continue;
    const { from, until } = kind === "unfreeze" ? compiled : life;
    if (change.schedule !== undefined) life.schedule = known(change.schedule as ScheduleSpec, life.schedule);
    life.from = stepOf(change.from, from);
    life.until = stepOf(change.until, until);
  }
  return life;
}

/** A bare function leaves nothing to draw it from. */
const known = (spec: ScheduleSpec, otherwise: Schedule): Schedule =>
  spec.name === "custom" ? otherwise : scheduleFrom(spec);
