// The plot of the study of rates: its tasks as panels, its methods as rows.

import { dotPlot } from "./dot-plot.ts";
import { methodNames, methods } from "./plan.ts";
import { summaries } from "./report.ts";
import type { Results } from "./study.ts";

/** The image of all tasks that have runs. */
export function plot(results: Results): string {
  const drawn = results.tasks
    .map((task) => ({ title: task.title, found: summaries(results, task) }))
    .filter(({ found }) => found.length > 0);
  return dotPlot({
    title: `Test accuracy of ${methodNames.length} ways to set layers' learning rates on ${drawn.length} shifted tasks`,
    key: `Test accuracy in %, mean at the right. Dots: ${results.seeds} ${results.seeds === 1 ? "seed" : "seeds"}; bar and line: mean and standard deviation; dashed: one rate; arrow: far below.`,
    names: methodNames.map((name) => methods[name]),
    ...{ columns: 4, width: 166 },
    panels: drawn.map(({ title, found }) => ({
      title,
      unit: 1,
      format: (value) => value.toFixed(1),
      rows: found.map(({ method, accuracies, mean, deviation }) => ({
        row: methodNames.indexOf(method),
        values: accuracies.map((accuracy) => 100 * accuracy),
        ...{ mean: 100 * mean, deviation: 100 * deviation },
        isReference: method === "one-rate",
      })),
    })),
  });
}
