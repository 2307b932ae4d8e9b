// Draws the answers as SVG: a panel for each question, in it a curve for each of some settings, over rates on a scale of powers or over layers.

import { element, style, text } from "../svg.ts";
import { type Question, questions } from "./plan.ts";
import { type Found, foundOf, type Results } from "./report.ts";

/** Pixels. */
const panel = { width: 440, left: 50, plot: 240, top: 40, height: 200, bottom: 50 } as const;
const COLUMNS = 2;

/** What a panel shows: which settings, what is over what, and whether upwards are powers too. */
interface Shown {
  readonly title: string;
  readonly settings: (found: Found) => boolean;
  readonly y: "loss" | "test" | "norms";
}

const panels: readonly (readonly [question: string, shown: Shown])[] = [
  ["batch", { title: "SGD: loss over rate", settings: ({ name }) => /^sgd.* (8|32|128|512)$/.test(name), y: "loss" }],
  ["batch", { title: "Adam: loss over rate", settings: ({ name }) => /^adam.* (8|32|128|512)$/.test(name), y: "loss" }],
  ["batch-norm", { title: "Test accuracy over rate", settings: () => true, y: "test" }],
  [
    "overfitting",
    { title: "New digits, 10 labels: test accuracy", settings: ({ name }) => name.startsWith("new"), y: "test" },
  ],
  ["activations", { title: "Norm of the gradient by layer", settings: () => true, y: "norms" }],
  ["width", { title: "Loss over rate", settings: ({ name }) => /(32|512)$/.test(name), y: "loss" }],
];

const colours = ["#0969da", "#bf5b04", "#1a7f37", "#8250df", "#cf222e", "#6e7781", "#9a6700", "#0550ae", "#bf3989"];
const own = `
  .axis { stroke: var(--faint) } .curve { fill: none; stroke-width: 1.8 } .name { font-size: 11px }`;

/** The image of all questions that have answers. */
export function plot(results: Results): string {
  const drawn = panels.flatMap(([name, shown]) => {
    const question = questions.find((one) => one.name === name) as Question;
    const found = foundOf(results, question).filter(shown.settings);
    return found.length === 0 ? [] : [{ found, shown }];
  });
  const rows = Math.ceil(drawn.length / COLUMNS);
  const [width, height] = [COLUMNS * panel.width, rows * (panel.top + panel.height + panel.bottom)];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    "<title>Losses and accuracies over learning rates, and norms of gradients over layers</title>",
    `<style>${style}${own}\n</style>`,
    element("rect", { class: "paper", width, height, rx: 6 }),
    ...drawn.map(({ found, shown }, i) => {
      const [column, row] = [i % COLUMNS, Math.floor(i / COLUMNS)];
      const at = `translate(${column * panel.width} ${row * (panel.top + panel.height + panel.bottom)})`;
      return element("g", { transform: at }, `\n${onePanel(found, shown)}\n`);
    }),
    "</svg>\n",
  ].join("\n");
}

const power = (value: number): string => (value % 1 === 0 ? `1e${value}` : "");

function onePanel(found: readonly Found[], { title, y: of }: Shown): string {
  const curves = found.map(({ name, rates, ...values }) => ({
    name: name.replace(/^(new-10|sgd|adam), | layers/g, ""),
    points: values[of]
      .map(
        (value, i) =>
          [
            of === "norms" ? i + 1 : Math.log10(rates[i] as number),
            of === "test" ? 100 * value : Math.log10(value),
          ] as const,
      )
      .filter(([, value]) => Number.isFinite(value)),
  }));
  const all = curves.flatMap(({ points }) => points);
  if (all.length === 0) return text(panel.left, panel.top - 16, title, "title");
  const [xs, ys] = [all.map(([x]) => x), all.map(([, y]) => y)];
  const scale = (values: readonly number[], from: number, to: number) => {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const room = Math.max(1e-6, (high - low) * 0.04);
    const place = (value: number): number => from + ((value - low + room) / (high - low + 2 * room)) * (to - from);
    const step = [1, 2, 5, 10, 20, 50].find((unit) => (high - low) / unit <= 7) ?? 100;
    const ticks = Array.from({ length: 40 }, (_, i) => (Math.ceil(low / step) + i) * step).filter(
      (tick) => tick <= high,
    );
    return { place, ticks };
  };
  const bottom = panel.top + panel.height;
  const x = scale(xs, panel.left, panel.left + panel.plot);
  const y = scale(ys, bottom, panel.top);
  const right = panel.left + panel.plot;
  const line = (name: string, x1: number, x2: number, y1: number, y2: number): string =>
    element("line", { class: name, x1, x2, y1, y2 });
  return [
    text(panel.left, panel.top - 16, title, "title"),
    ...y.ticks.flatMap((tick) => [
      line("grid", panel.left, right, y.place(tick), y.place(tick)),
      text(panel.left - 8, y.place(tick) + 4, of === "test" ? `${tick}` : power(tick), "small end"),
    ]),
    ...x.ticks.map((tick) =>
      text(x.place(tick), bottom + 16, of === "norms" ? `${tick}` : power(tick), "small middle"),
    ),
    line("axis", panel.left, right, bottom, bottom),
    ...curves.flatMap(({ name, points }, i) => {
      const colour = colours[i % colours.length] as string;
      const d = points
        .map(([a, b], at) => `${at === 0 ? "M" : "L"}${x.place(a).toFixed(1)} ${y.place(b).toFixed(1)}`)
        .join("");
      return [
        element("path", { class: "curve", d, stroke: colour }),
        element("text", { x: right + 8, y: panel.top + 14 + 15 * i, class: "name", style: `fill: ${colour}` }, name),
      ];
    }),
  ].join("\n");
}
