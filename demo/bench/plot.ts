// Draws what was measured as SVG: under each network, or kernel, a bar for each engine, as long as its time is over the roofline of what
// Gradus does there, on a scale of powers. The image brings its own background, so that it reads on any page.

import { element, style, text } from "../study/svg.ts";
import { digits } from "./columns.ts";
import type { Findings } from "./report.ts";

export interface Bar {
  readonly engine: string;
  /** Time over the roofline. */
  readonly value: number;
}

export interface Group {
  readonly title: string;
  readonly bars: readonly Bar[];
}

/** What can be drawn: nothing of rows without a roofline. */
export function groupsOf({ rows, kernels }: Pick<Findings, "rows" | "kernels">): Group[] {
  const own = new Map(
    rows.flatMap(({ workload, engine, msRoofline }) =>
      msRoofline !== undefined && `${engine}` === "gradus" ? [[`${workload}`, msRoofline] as const] : [],
    ),
  );
  const all = [
    ...rows.map(({ workload, engine, msMedian }) => ({
      title: `${workload}`,
      engine,
      value: msMedian / (own.get(workload) ?? 0),
    })),
    ...kernels.map(({ kernel, form, engine, msMedian, msRoofline = 0 }) => ({
      ...{ title: `${kernel}: ${form}`, engine, value: msMedian / msRoofline },
    })),
  ].filter(({ value }) => Number.isFinite(value));
  return [...new Set(all.map(({ title }) => title))].map((title) => ({
    title,
    bars: all.filter((one) => one.title === title).map(({ engine, value }) => ({ engine, value })),
  }));
}

/** Pixels. */
const size = { title: 22, bar: 18, axis: 22, names: 96, figures: 52, side: 12, top: 8 } as const;

const own = "\n  .own { fill: var(--dot) } .other { fill: var(--one) }";

/** The image of all groups, `width` pixels wide. */
export function plot(groups: readonly Group[], width = 640): string {
  const lines = groups.reduce((sum, { bars }) => sum + size.title + bars.length * size.bar, 0);
  const [left, right] = [size.side + size.names, width - size.side - size.figures];
  const most = Math.max(2, ...groups.flatMap(({ bars }) => bars.map(({ value }) => value)));
  // A bar that is shorter than the roofline, by what times vary, is a line.
  const x = (value: number): number => left + (Math.max(0, Math.log(value)) / Math.log(most)) * (right - left);
  const bottom = size.top + lines;
  const parts: string[] = [];
  for (const tick of ticksTo(most)) {
    parts.push(element("line", { class: "grid", x1: x(tick), x2: x(tick), y1: size.top, y2: bottom }));
    parts.push(text(x(tick), bottom + 15, `${tick}`, "small middle"));
  }
  let y: number = size.top;
  for (const { title, bars } of groups) {
    parts.push(text(size.side, y + 16, escaped(title), "title"));
    y += size.title;
    for (const { engine, value } of bars) {
      const isOwn = engine.startsWith("gradus");
      const length = Math.max(1, x(value) - left);
      parts.push(text(left - 8, y + 12, escaped(engine), "small end"));
      parts.push(
        element("rect", { class: isOwn ? "own" : "other", x: left, y: y + 2, width: length, height: size.bar - 5 }),
      );
      parts.push(text(left + length + 6, y + 12, digits(value), isOwn ? "best" : "small"));
      y += size.bar;
    }
  }
  const height = bottom + size.axis;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    "<title>Time over the roofline of the adapter</title>",
    `<style>${style}${own}\n</style>`,
    element("rect", { class: "paper", width, height, rx: 6 }),
    ...parts,
    "</svg>\n",
  ].join("\n");
}

/** 1, 2, 5 and so on, few enough to be told apart. */
function ticksTo(most: number): number[] {
  const powers = Array.from({ length: Math.floor(Math.log10(most)) + 1 }, (_, i) => 10 ** i);
  const factors = powers.length > 2 ? [1] : [1, 2, 5];
  return powers.flatMap((power) => factors.map((factor) => factor * power)).filter((tick) => tick <= most);
}

const escaped = (words: string): string => words.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
