// Draws the study of adapters as SVG: a panel for each task, figures over the number of parameters that train, on a scale of powers. A curve
// for each kind that comes in sizes, a mark for each that does not, a dot for each seed.

import { element, style, text, ticksOf } from "../svg.ts";
import { type Kind, kinds, type Task } from "./plan.ts";
import { count, figureText, type Point, pointsOf } from "./report.ts";
import type { Results } from "./study.ts";

/** Pixels. */
const panel = { width: 400, left: 52, plot: 320, top: 40, height: 230, bottom: 52 } as const;
const margin = { top: 2, bottom: 34 } as const;

const own = `
  .axis { stroke: var(--faint) } .lora { --own: var(--dot) } .bottleneck { --own: #bf5b04 } .plain { --own: var(--faint) }
  .curve { fill: none; stroke: var(--own); stroke-width: 2 } circle { fill: var(--own); fill-opacity: 0.4 }
  .mean { fill: var(--own) } .name { fill: var(--own); font-size: 11px; font-weight: 600 }
  .reference { stroke: var(--faint); stroke-dasharray: 2 3 }
  @media (prefers-color-scheme: dark) { .bottleneck { --own: #f0a04b } }`;

/** The image of all tasks that have runs. */
export function plot(results: Results): string {
  const drawn = results.budget.tasks.filter((task) => pointsOf(results, task).length > 0);
  const width = drawn.length * panel.width;
  const total = margin.top + panel.top + panel.height + panel.bottom + margin.bottom;
  const keys = [
    "Over the number of parameters that train; at curves: ranks, units.",
    `Dots: ${results.seeds} ${results.seeds === 1 ? "seed" : "seeds"}; squares: means; dashed: full fine-tuning.`,
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${total}" width="${width}" height="${total}" role="img">`,
    "<title>Figures of adapters and of full fine-tuning over the number of parameters that train</title>",
    `<style>${style}${own}\n</style>`,
    element("rect", { class: "paper", width, height: total, rx: 6 }),
    ...drawn.map((task, i) =>
      element("g", { transform: `translate(${i * panel.width} ${margin.top})` }, `\n${onePanel(results, task)}\n`),
    ),
    ...keys.map((key, i) => text(12, total - 26 + 15 * i, key, "small")),
    "</svg>\n",
  ].join("\n");
}

/** From a range to pixels. */
const scale = (low: number, high: number, from: number, to: number) => (value: number) =>
  from + ((value - low) / (high - low)) * (to - from);

function onePanel(results: Results, task: Task): string {
  const points = pointsOf(results, task).filter(({ mean }) => !Number.isNaN(mean));
  if (points.length === 0) return text(panel.left, panel.top - 16, task.title, "title");
  const values = points.flatMap(({ figures }) => figures);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const room = Math.max(0.01, (most - least) * 0.12);
  const sizes = points.map(({ trained }) => Math.log10(trained));
  const bottom = panel.top + panel.height;
  const y = scale(least - room, most + room, bottom, panel.top);
  const x = scale(Math.min(...sizes) - 0.15, Math.max(...sizes) + 0.15, panel.left, panel.left + panel.plot);
  const right = panel.left + panel.plot;
  const place = ({ trained, mean }: Point): readonly [number, number] => [x(Math.log10(trained)), y(mean)];
  const rule = (name: string, x1: number, x2: number, y1: number, y2: number): string =>
    element("line", { class: name, x1, x2, y1, y2 });
  const powers = [1, 2, 3, 4, 5, 6, 7].filter((n) => n >= Math.min(...sizes) - 0.15 && n <= Math.max(...sizes) + 0.15);
  const whole = points.find(({ kind }) => kind === "full");
  return [
    text(panel.left, panel.top - 22, task.title, "title"),
    text(panel.left, panel.top - 7, task.figure, "small"),
    ...ticksOf(least - room, most + room).flatMap((tick) => [
      rule("grid", panel.left, right, y(tick), y(tick)),
      text(panel.left - 6, y(tick) + 4, `${Number(tick.toFixed(3))}`, "small end"),
    ]),
    ...powers.flatMap((n) => [
      rule("grid", x(n), x(n), panel.top, bottom),
      text(x(n), bottom + 16, count(10 ** n), "small middle"),
    ]),
    rule("axis", panel.left, right, bottom, bottom),
    ...(whole === undefined ? [] : [rule("reference", panel.left, right, y(whole.mean), y(whole.mean))]),
    ...(Object.keys(kinds) as Kind[]).map((kind) =>
      kindMarks(
        kind,
        points.filter((point) => point.kind === kind),
        place,
        y,
        task,
      ),
    ),
  ].join("\n");
}

function kindMarks(
  kind: Kind,
  points: readonly Point[],
  place: (point: Point) => readonly [number, number],
  y: (figure: number) => number,
  task: Task,
): string {
  const last = points.at(-1);
  if (last === undefined) return "";
  const isCurve = last.size !== null;
  const name = isCurve ? kind : "plain";
  const path = points.map((point, i) => `${i === 0 ? "M" : "L"}${place(point).map((n) => n.toFixed(1))}`).join("");
  const marks = points.flatMap((point) => {
    const [at, height] = place(point);
    return [
      ...point.figures.map((figure) => element("circle", { cx: at, cy: y(figure), r: 3 })),
      element("rect", { class: "mean", x: at - 3, y: height - 3, width: 6, height: 6 }),
      ...(isCurve ? [text(at, height + 16, String(point.size), "small middle")] : []),
    ];
  });
  const [at, height] = place(last);
  const said = isCurve ? kinds[kind] : `${kinds[kind]} ${figureText(task, last.mean)}`;
  // Beside the end of a curve; what stands alone has its name where the curves are not, the head where its figure is worse, all weights beyond the best of them.
  const alone: Partial<Record<Kind, readonly [x: number, below: number, anchor: string]>> = {
    head: [at - 3, task.rises ? 16 : -14, ""],
    full: [at + 3, task.rises ? -9 : 16, " end"],
  };
  const [x, below, anchor] = isCurve ? [at + 9, 4, ""] : (alone[kind] ?? [at - 6, -9, ""]);
  return element(
    "g",
    { class: name },
    [
      ...(isCurve ? [element("path", { class: "curve", d: path })] : []),
      ...marks,
      text(x, height + below, said, `name${anchor}`),
    ].join(""),
  );
}
