// A line chart over the steps: uPlot with the page's colours, a legend that does not move, and values under the pointer.

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { find, make, write } from "./element.ts";
import { NONE, whole } from "./number.ts";

export interface Line {
  readonly label: string;
  /** A custom property of the style sheet, such as "--accent". */
  readonly color: string;
  readonly width: number;
  /** Points where there is a value, joined over the steps that have none. */
  readonly sparse?: boolean;
}

export interface ChartOptions {
  readonly lines: readonly Line[];
  /** The lowest and the highest value shown, from those in the data. */
  readonly range: (least: number, most: number) => [number, number];
  /** A value in the legend. */
  readonly format: (value: number) => string;
  /** A value at the axis. */
  readonly tick: (value: number) => string;
}

/** Values by step: `columns[i]` belongs to line i and is as long as `steps`. */
export interface Columns {
  readonly steps: readonly number[];
  readonly columns: readonly (readonly (number | null)[])[];
}

export interface Chart {
  /**
   * Shows the values on an axis that ends at `last`, so that nothing shifts while they come in. `mark`: a step with a
   * line through it, whose values the legend then gives.
   */
  show(values: Columns, last: number, mark?: number): void;
}

const FONT = '11px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
const colorOf = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name);

/** Adds a chart to the end of a panel. */
export function createChart(panel: HTMLElement, { lines, range, format, tick }: ChartOptions): Chart {
  const values = lines.map(({ label, color }) => {
    const value = make("b", "", NONE);
    const key = make("span", "key");
    key.style.setProperty("--key", `var(${color})`);
    return { value, entry: make("span", "entry", key, `${label} `, value) };
  });
  panel.append(make("p", "legend", ...values.map(({ entry }) => entry)), make("div", "plot"));
  const host = find(".plot", HTMLDivElement, panel);
  host.setAttribute("role", "img");

  let shown: Columns = { steps: [], columns: lines.map(() => []) };
  let last = 1;
  let marked: number | undefined;

  /** The values at one step, or at the mark, or the latest. */
  function legend(chosen: number | null | undefined): void {
    const at = chosen ?? (marked === undefined ? null : shown.steps.findLastIndex((step) => step <= (marked ?? 0)));
    for (const [i, { value }] of values.entries()) {
      const column = shown.columns[i] ?? [];
      const found = at == null ? column.findLast((known) => known !== null) : column[at];
      write(value, found == null ? NONE : format(found));
    }
  }

  function drawMark({ ctx, bbox, valToPos }: uPlot): void {
    if (marked === undefined) return;
    const x = Math.round(valToPos(marked, "x", true));
    ctx.fillStyle = colorOf("--text");
    ctx.fillRect(x - devicePixelRatio / 2, bbox.top, devicePixelRatio, bbox.height);
  }

  const axis = { stroke: () => colorOf("--muted"), font: FONT, ticks: { show: false } };
  const grid = { stroke: () => colorOf("--line"), width: 1 };
  const plot = new uPlot(
    {
      width: host.clientWidth || 320,
      height: host.clientHeight || 200,
      padding: [8, 12, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
      scales: {
        x: { time: false, range: () => [0, last] },
        y: { range: (_, least, most) => range(least ?? 0, most ?? 1) },
      },
      axes: [
        { ...axis, grid: { show: false }, size: 24, gap: 4, space: 64, values: (_, steps) => steps.map(whole) },
        { ...axis, grid, size: 44, gap: 6, space: 32, values: (_, found) => found.map(tick) },
      ],
      series: [
        {},
        ...lines.map(({ label, color, width, sparse = false }) => ({
          label,
          width,
          stroke: () => colorOf(color),
          fill: () => "transparent",
          spanGaps: sparse,
          points: { show: sparse, size: 7, fill: () => colorOf(color) },
        })),
      ],
      hooks: { setCursor: [(chart) => legend(chart.cursor.idx)], draw: [drawMark] },
    },
    [[], ...lines.map(() => [])] as uPlot.AlignedData,
    host,
  );

  new ResizeObserver(() => plot.setSize({ width: host.clientWidth, height: host.clientHeight })).observe(host);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => plot.redraw(false));

  return {
    show(next, end, mark) {
      shown = next;
      marked = mark;
      last = Math.max(1, end);
      plot.setData([next.steps, ...next.columns] as uPlot.AlignedData);
      if (plot.cursor.left === undefined || plot.cursor.left < 0) legend(null);
      host.setAttribute("aria-label", values.map(({ entry }) => entry.textContent).join(", "));
    },
  };
}
