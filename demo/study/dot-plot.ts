// Draws a study as SVG: a panel for each task, in it a row for each way with a dot for each seed, a bar at the mean and a line of one
// standard deviation to both sides. The image brings its own background, so that it reads on any page.

import { at, element, style, text, ticksOf } from "./svg.ts";

/** A way on a task. */
export interface DotRow {
  /** Its number among the names. */
  readonly row: number;
  readonly values: readonly number[];
  readonly mean: number;
  readonly deviation: number;
  /** Others are held against it. */
  readonly isReference: boolean;
}

export interface DotPanel {
  readonly title: string;
  readonly rows: readonly DotRow[];
  /** Whether less is better. */
  readonly falls?: boolean;
  readonly format: (value: number) => string;
  /** The least that a gap between ways is held to be as wide as. */
  readonly unit: number;
}

export interface DotPlot {
  readonly title: string;
  /** How to read it. */
  readonly key: string;
  /** What the rows are called. */
  readonly names: readonly string[];
  readonly panels: readonly DotPanel[];
  readonly columns: number;
  /** Pixels of a panel, of which its figures take the right part. */
  readonly width: number;
}

/** Pixels. A panel's figures stand in its right margin, the names of rows left of the first one. */
const panel = { figures: 52, row: 21, top: 34, bottom: 30, gap: 8 } as const;
const margin = { left: 132, top: 2, right: 4, bottom: 26 } as const;

const own = `
  .reference { stroke: var(--one); stroke-dasharray: 2 3 }
  .off { fill: none; stroke: var(--dot); stroke-width: 2 }
  circle { fill-opacity: 0.4 } .deviation { stroke-width: 1.5 } .mean { stroke-width: 3 }
  .dot circle { fill: var(--dot) } .dot line { stroke: var(--dot) }
  .one circle { fill: var(--one) } .one line { stroke: var(--one) }`;

export function dotPlot({ title, key, names, panels, columns: most, width: wide }: DotPlot): string {
  const columns = Math.min(most, panels.length);
  const height = panel.top + names.length * panel.row + panel.bottom;
  const width = margin.left + columns * (wide + panel.gap) + margin.right;
  const total = margin.top + Math.ceil(panels.length / columns) * height + margin.bottom;
  const drawn = panels.map((one, i) => {
    const [column, row] = [i % columns, Math.floor(i / columns)];
    const [x, y] = [margin.left + column * (wide + panel.gap), margin.top + row * height];
    const inside = onePanel(one, wide - panel.figures, names, column === 0);
    return element("g", { transform: `translate(${x} ${y})` }, `\n${inside}\n`);
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${total}" width="${width}" height="${total}" role="img">`,
    `<title>${title}</title>`,
    `<style>${style}${own}\n</style>`,
    element("rect", { class: "paper", width, height: total, rx: 6 }),
    ...drawn,
    text(12, total - 14, key, "small"),
    "</svg>\n",
  ].join("\n");
}

function onePanel(given: DotPanel, plot: number, names: readonly string[], named: boolean): string {
  const { title, rows, format, falls = false } = given;
  const shown = onScale(given);
  const values = shown.flatMap(({ values, mean, deviation }) => [...values, mean - deviation, mean + deviation]);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const room = Math.max(given.unit, (most - least) * 0.06);
  const [low, high] = [least - room, most + room];
  const x = (value: number): number => ((value - low) / (high - low)) * plot;
  const bottom = panel.top + names.length * panel.row;
  const means = rows.map(({ mean }) => mean).filter((mean) => !Number.isNaN(mean));
  const best = format(falls ? Math.min(...means) : Math.max(...means));
  const reference = shown.find(({ isReference }) => isReference);
  const line = (place: number, from: number, to: number, name: string): string =>
    element("line", { class: name, x1: place, x2: place, y1: from, y2: to });
  return [
    text(0, panel.top - 14, title, "title"),
    ...names.flatMap((name, i) => {
      const top = panel.top + i * panel.row;
      const band = element("rect", { class: "band", y: top, width: plot, height: panel.row - 2 });
      return named ? [band, text(-10, top + 14, name, "end")] : [band];
    }),
    ...ticksOf(low, high).flatMap((tick) => [
      line(x(tick), panel.top, bottom + 2, "grid"),
      text(x(tick), bottom + 15, given.unit < 0.1 ? `${Number(tick.toFixed(3))}` : at(tick), "small middle"),
    ]),
    ...(reference === undefined ? [] : [line(x(reference.mean), panel.top, bottom - 2, "reference")]),
    ...rows.map((one) => {
      const figure = Number.isNaN(one.mean) ? "" : format(one.mean);
      return dotRow(one, shown.includes(one) ? x : undefined, { plot, figure, isBest: figure === best, falls });
    }),
  ].join("\n");
}

/** A gap this many times as wide as all that lies on its better side ends the scale: few would be told apart beside it. */
const GAP = 2;

/** The rows that a panel has room for; those that are far behind are shown by an arrow and their figure. */
function onScale({ rows, falls, unit }: DotPanel): DotRow[] {
  const better = falls ? -1 : 1;
  const ordered = rows.filter(({ mean }) => !Number.isNaN(mean)).sort((a, b) => better * (b.mean - a.mean));
  const end = ordered.findIndex(({ mean }, i) => {
    if (i < 4) return false;
    const [first, last] = [ordered[0] as DotRow, ordered[i - 1] as DotRow];
    return better * (last.mean - mean) > GAP * Math.max(2 * unit, better * (first.mean - last.mean));
  });
  return end < 0 ? ordered : ordered.slice(0, end);
}

interface Figure {
  readonly plot: number;
  readonly figure: string;
  readonly isBest: boolean;
  readonly falls: boolean;
}

/** Without `x` the row lies beyond the worse end of the scale. */
function dotRow(
  { row, values, mean, deviation, isReference }: DotRow,
  x: ((value: number) => number) | undefined,
  { plot, figure, isBest, falls }: Figure,
): string {
  const y = panel.top + row * panel.row + (panel.row - 2) / 2;
  const said = text(plot + 8, y + 4, figure, isBest ? "best" : "small");
  if (x === undefined) {
    const [from, to] = falls ? [plot - 10, plot - 3] : [10, 3];
    return element("path", { class: "off", d: `M${from} ${y - 5}L${to} ${y}L${from} ${y + 5}` }) + said;
  }
  const marks = [
    ...values.map((value) => element("circle", { cx: x(value), cy: y, r: 3 })),
    element("line", { class: "deviation", x1: x(mean - deviation), x2: x(mean + deviation), y1: y, y2: y }),
    element("line", { class: "mean", x1: x(mean), x2: x(mean), y1: y - 6, y2: y + 6 }),
  ].join("");
  return element("g", { class: isReference ? "one" : "dot" }, marks) + said;
}
