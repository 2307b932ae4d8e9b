// Draws a study as SVG: a panel for each task, in it a row for each method with a dot for each seed, a bar at the mean and
// a line of one standard deviation to both sides. The image brings its own background, so that it reads on any page.

import { methodNames, methods, type Task } from "./plan.ts";
import { percent, type Summary, summaries } from "./report.ts";
import type { Results } from "./study.ts";
import { at, element, style, text, ticksOf } from "./svg.ts";

/** Pixels. A panel's figures stand in its right margin, the methods' names left of the first one. */
const panel = { width: 166, plot: 114, row: 21, top: 34, bottom: 30, gap: 8 } as const;
const margin = { left: 132, top: 2, right: 4, bottom: 26 } as const;
const COLUMNS = 4;

const own = `
  .reference { stroke: var(--one); stroke-dasharray: 2 3 }
  .off { fill: none; stroke: var(--dot); stroke-width: 2 }
  circle { fill-opacity: 0.4 } .deviation { stroke-width: 1.5 } .mean { stroke-width: 3 }
  .dot circle { fill: var(--dot) } .dot line { stroke: var(--dot) }
  .one circle { fill: var(--one) } .one line { stroke: var(--one) }`;

/** The image of all tasks that have runs. */
export function plot(results: Results): string {
  const drawn = results.tasks.filter((task) => summaries(results, task).length > 0);
  const columns = Math.min(COLUMNS, drawn.length);
  const height = panel.top + methodNames.length * panel.row + panel.bottom;
  const width = margin.left + columns * (panel.width + panel.gap) + margin.right;
  const total = margin.top + Math.ceil(drawn.length / columns) * height + margin.bottom;
  const panels = drawn.map((task, i) => {
    const [column, row] = [i % columns, Math.floor(i / columns)];
    const [x, y] = [margin.left + column * (panel.width + panel.gap), margin.top + row * height];
    return element("g", { transform: `translate(${x} ${y})` }, `\n${onePanel(results, task, column === 0)}\n`);
  });
  const key = `Test accuracy in %, mean at the right. Dots: ${results.seeds} ${results.seeds === 1 ? "seed" : "seeds"}; bar and line: mean and standard deviation; dashed: one rate; arrow: far below.`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${total}" width="${width}" height="${total}" role="img">`,
    `<title>Test accuracy of ${methodNames.length} ways to set layers' learning rates on ${drawn.length} shifted tasks</title>`,
    `<style>${style}${own}\n</style>`,
    element("rect", { class: "paper", width, height: total, rx: 6 }),
    ...panels,
    text(12, total - 14, key, "small"),
    "</svg>\n",
  ].join("\n");
}

function onePanel(results: Results, task: Task, named: boolean): string {
  const found = summaries(results, task);
  const shown = onScale(found);
  const values = shown.flatMap(({ accuracies, mean, deviation }) => [
    ...accuracies,
    mean - deviation,
    mean + deviation,
  ]);
  const [least, most] = [100 * Math.min(...values), 100 * Math.max(...values)];
  const room = Math.max(1, (most - least) * 0.06);
  const [low, high] = [least - room, most + room];
  const x = (accuracy: number): number => ((100 * accuracy - low) / (high - low)) * panel.plot;
  const bottom = panel.top + methodNames.length * panel.row;
  const best = percent(Math.max(...found.map(({ mean }) => mean)));
  const reference = shown.find(({ method }) => method === "one-rate");
  const line = (at: number, from: number, to: number, name: string): string =>
    element("line", { class: name, x1: at, x2: at, y1: from, y2: to });
  return [
    text(0, panel.top - 14, task.title, "title"),
    ...methodNames.flatMap((name, i) => {
      const top = panel.top + i * panel.row;
      const band = element("rect", { class: "band", y: top, width: panel.plot, height: panel.row - 2 });
      return named ? [band, text(-10, top + 14, methods[name], "end")] : [band];
    }),
    ...ticksOf(low, high).flatMap((tick) => [
      line(x(tick / 100), panel.top, bottom + 2, "grid"),
      text(x(tick / 100), bottom + 15, at(tick), "small middle"),
    ]),
    ...(reference === undefined ? [] : [line(x(reference.mean), panel.top, bottom - 2, "reference")]),
    ...found.map((one) => methodRow(one, shown.includes(one) ? x : undefined, percent(one.mean) === best)),
  ].join("\n");
}

/** A gap this many times as wide as all that lies above it ends the scale: few would be told apart beside it. */
const GAP = 2;

/** The methods that a panel has room for; those that are far behind are shown by an arrow and their figure. */
function onScale(found: readonly Summary[]): Summary[] {
  const falling = [...found].sort((a, b) => b.mean - a.mean);
  const end = falling.findIndex(({ mean }, i) => {
    if (i < 4) return false;
    const [first, last] = [falling[0] as Summary, falling[i - 1] as Summary];
    return last.mean - mean > GAP * Math.max(0.02, first.mean - last.mean);
  });
  return end < 0 ? falling : falling.slice(0, end);
}

/** Without `x` the row lies below the scale. */
function methodRow(
  { method, accuracies, mean, deviation }: Summary,
  x: ((accuracy: number) => number) | undefined,
  best: boolean,
): string {
  const y = panel.top + methodNames.indexOf(method) * panel.row + (panel.row - 2) / 2;
  const figure = text(panel.plot + 8, y + 4, percent(mean), best ? "best" : "small");
  if (x === undefined) return element("path", { class: "off", d: `M10 ${y - 5}L3 ${y}L10 ${y + 5}` }) + figure;
  const marks = [
    ...accuracies.map((accuracy) => element("circle", { cx: x(accuracy), cy: y, r: 3 })),
    element("line", { class: "deviation", x1: x(mean - deviation), x2: x(mean + deviation), y1: y, y2: y }),
    element("line", { class: "mean", x1: x(mean), x2: x(mean), y1: y - 6, y2: y + 6 }),
  ].join("");
  return element("g", { class: method === "one-rate" ? "one" : "dot" }, marks) + figure;
}
