// The numbers of the benchmark as tables in Markdown. Rows and columns come from the numbers alone, so that a file of other numbers is
// another page: what was not measured is not told.

import { digits } from "./columns.ts";
import { dispatchCosts, predict, publishedGpus } from "./gpus.ts";
import { groupsOf } from "./plot.ts";
import type { Report, Row } from "./report.ts";
import { bestOf, roofKinds } from "./roofline/roof.ts";
import { axes, axisTitles, exponentCells, type ScaleNumbers, scaleCells, scaleTitles } from "./scale.ts";

/** Files of before there was a roofline have none of its parts. */
export type Numbers = Omit<Report, "roofline" | "kernels"> & Partial<Pick<Report, "roofline" | "kernels">>;

/** As the formatter has it: the first column left, all others right. */
function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = titles.map((title, i) => Math.max(3, title.length, ...rows.map((row) => (row[i] ?? "").length)));
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, i) => (i === 0 ? (cells[i] ?? "").padEnd(width) : (cells[i] ?? "").padStart(width))).join(" | ")} |`;
  const rule = widths.map((width, i) => (i === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  return [line(titles), `| ${rule.join(" | ")} |`, ...rows.map(line)].join("\n");
}

const NOTHING = "";
const times = (value: number): string => (Number.isFinite(value) ? `${digits(value)}x` : NOTHING);
const counted = (value: number | undefined): string =>
  value === undefined ? NOTHING : Number.isInteger(value) ? `${value}` : value.toFixed(1);
const distinct = <T>(values: readonly T[]): T[] => [...new Set(values)];

/** Milliseconds of each engine, and how many times those of Gradus that are. */
function networks(rows: readonly Row[]): string {
  const engines = distinct(rows.map(({ engine }) => engine));
  const body = distinct(rows.map(({ workload }) => workload)).map((workload) => {
    const of = (engine: string): Row | undefined =>
      rows.find((row) => row.workload === workload && row.engine === engine);
    const own = of("gradus");
    const cells = engines.map((engine) => {
      const row = of(engine);
      if (row === undefined) return NOTHING;
      const ratio = own === undefined || row === own ? "" : ` (${times(row.msMedian / own.msMedian)})`;
      return `${digits(row.msMedian)}${ratio}`;
    });
    const over = own?.msRoofline === undefined ? NOTHING : times(own.msMedian / own.msRoofline);
    const spread = own === undefined ? NOTHING : `${digits(own.msMin)}-${digits(own.msMax)}`;
    return [
      `\`${workload}\``,
      ...cells,
      spread,
      counted(own?.perStep?.dispatches),
      counted(own?.perStep?.submits),
      over,
    ];
  });
  const titles = ["ms a step", ...engines, "gradus: blocks", "dispatches", "submits", "over roofline"];
  const empty = titles.map((_, i) => body.every((cells) => cells[i] === NOTHING));
  const kept = (cells: readonly string[]): string[] => cells.filter((_, i) => !empty[i]);
  return table(kept(titles), body.map(kept));
}

/** A figure of each engine, where any has it; in parentheses how many times that of Gradus it is. */
function beside(title: string, rows: readonly Row[], of: (row: Row) => number | undefined): string {
  const told = rows.filter((row) => of(row) !== undefined);
  const engines = distinct(told.map(({ engine }) => engine));
  const body = distinct(told.map(({ workload }) => workload)).map((workload) => {
    const value = (engine: string): number | undefined => {
      const row = told.find((one) => one.workload === workload && one.engine === engine);
      return row && of(row);
    };
    const own = value("gradus");
    return [
      `\`${workload}\``,
      ...engines.map((engine) => {
        const found = value(engine);
        if (found === undefined) return NOTHING;
        return own === undefined || engine === "gradus" ? digits(found) : `${digits(found)} (${times(found / own)})`;
      }),
    ];
  });
  return body.length === 0 ? "" : table([title, ...engines], body);
}

/** How a step grows, axis by axis. */
function growth({ rows, exponents, adapter, browser, commit, date }: ScaleNumbers): string[] {
  const tables = axes.flatMap((axis) => {
    const own = rows.filter((row) => row.axis === axis);
    if (own.length === 0) return [];
    const fitted = exponents.find((one) => one.axis === axis);
    const body = own.map((row) => [`${row.size}`, ...scaleCells(row)]);
    if (fitted !== undefined && own.length > 1) body.push(["exponent", ...exponentCells(fitted)]);
    return [`**${axis}**: ${axisTitles[axis]}.`, table([axis, ...scaleTitles], body)];
  });
  return [
    "## How a step grows",
    ...tables,
    `${adapter}, ${browser}, commit ${commit}, ${date.slice(0, 10)}. The host's part is that of a step with a device that does nothing, planning is all that \`compile\` does there, "of the least" the plan over the most
bytes that are alive at once. An exponent is that of the size which the figures follow, by least squares of the logarithms.`,
  ];
}

/** What the model says of other GPUs, from what each dispatch has to do. */
function predictions(rows: readonly Row[]): string {
  const body = rows.flatMap(({ workload, engine, works }) => {
    if (works === undefined || engine !== "gradus") return [];
    const all = publishedGpus.map((gpu) => predict(works, gpu));
    return [[`\`${workload}\``, ...all.map(({ ms, msOfWork }) => `${ms.toFixed(3)} (${msOfWork.toFixed(3)})`)]];
  });
  return body.length === 0 ? "" : table(["ms a step", ...publishedGpus.map(({ name }) => name)], body);
}

/** The page. `image`: the name of the plot's file, where there is one; `scale`: how a step grows, where that was measured. */
export function speedPage(
  { roofline = [], kernels = [], ...numbers }: Numbers,
  image?: string,
  scale?: ScaleNumbers,
): string {
  const { rows, adapter, browser, commit, date } = numbers;
  const parts = [
    "# Speed",
    `Written by \`npm run bench\` from its numbers: ${adapter}, ${browser}, commit ${commit}, ${date.slice(0, 10)}. Times depend on the machine, ratios between the
engines of one run less so, counts not at all.`,
  ];
  if (rows.length > 0) {
    parts.push("## Networks", networks(rows));
    parts.push(
      "A training step, median of its blocks of several steps (an engine that would take longer than 10 s has shorter ones), after the losses of all engines agreed. In parentheses: how many times Gradus's time that is.",
    );
  }
  const first = beside("ms to the first loss", rows, ({ msFirst }) => msFirst);
  if (first !== "") {
    parts.push("### The first step", first);
    parts.push(
      "From a model and its data on the host to the loss of the first step: pipelines are compiled on the way.",
    );
  }
  const alive = beside("MB on the device", rows, ({ liveBytes }) => liveBytes && liveBytes / 2 ** 20);
  if (alive !== "") {
    parts.push("### Memory", alive);
    parts.push(
      "Buffers that are alive after the first steps, weights, data and what engines keep for later use included.",
    );
  }
  if (image !== undefined && groupsOf({ rows, kernels }).length > 0) parts.push(`![Time over the roofline](${image})`);
  if (roofline.length > 0) {
    const best = roofKinds.flatMap((kind) => bestOf(roofline, kind) ?? []);
    const body = best.map(({ kind, form, value, unit }) => [kind, digits(value), unit, form]);
    parts.push("## The adapter", table(["the best form of", "median", "unit", "form"], body));
  }
  if (kernels.length > 0) {
    const percent = (value = Number.NaN): string =>
      Number.isFinite(value) ? `${(100 * value).toFixed(1)} %` : NOTHING;
    const own = new Map(kernels.filter(({ engine }) => engine === "gradus").map((row) => [row.form, row.msMedian]));
    const body = kernels.map(({ kernel, form, engine, msMedian, msRoofline = Number.NaN, ofPeak, ofCopy }) => [
      ...[`${kernel}: ${form}`, engine, digits(msMedian), percent(ofPeak), percent(ofCopy)],
      ...[
        times(msMedian / msRoofline),
        engine === "gradus" ? NOTHING : times(msMedian / (own.get(form) ?? Number.NaN)),
      ],
    ]);
    parts.push(
      "## Kernels by themselves",
      table(["kernel", "engine", "ms", "of peak", "of copy", "over roofline", "against gradus"], body),
    );
  }
  if (scale !== undefined) parts.push(...growth(scale));
  const predicted = predictions(rows);
  if (predicted !== "") {
    parts.push("## On GPUs, by their published figures", predicted);
    const costs = Object.entries(dispatchCosts).map(([api, cost]) => `${cost} us on ${api}`);
    parts.push(
      `The best case of a model, which nobody measured: for each dispatch the longer of its operations at the published peak and its bytes at the published bandwidth, and ${costs.join(", ")} for the
dispatch (arXiv 2604.02344). In parentheses: without the latter. The counts are those of the run above.`,
    );
    parts.push(publishedGpus.map(({ name, source }) => `- ${name}: ${source}.`).join("\n"));
  }
  return `${parts.join("\n\n")}\n`;
}
