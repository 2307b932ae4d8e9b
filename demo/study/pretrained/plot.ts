// The plot of the study of pre-trained networks: its tasks as panels, its ways as rows.

import { dotPlot } from "../dot-plot.ts";
import { wayNames, ways } from "./plan.ts";
import { figureText, summariesOf } from "./report.ts";
import type { Results } from "./study.ts";

/** The image of all tasks that have runs. */
export function plot(results: Results): string {
  const drawn = [...summariesOf(results)];
  return dotPlot({
    title: `Figures of ${wayNames.length} ways to set layers' learning rates on ${drawn.length} pre-trained networks`,
    key: `Test accuracy in %, or nats a character, of which less is better; means at the right. Dots: ${results.seeds} ${results.seeds === 1 ? "seed" : "seeds"}; bar and line: mean and deviation; dashed: one rate; arrow: far behind.`,
    names: wayNames.map((name) => ways[name]),
    ...{ columns: 3, width: 262 },
    panels: drawn.map(([task, found]) => ({
      title: task.title,
      falls: task.figure === "nats",
      unit: task.figure === "nats" ? 0.01 : 1,
      format: (value) => figureText(task, value),
      rows: found.map(({ way, figures, mean, deviation }) => ({
        row: wayNames.indexOf(way),
        ...{ values: figures, mean, deviation },
        isReference: way === "one-rate",
      })),
    })),
  });
}
