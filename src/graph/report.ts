// What is told of a step: its losses, each after the first added to what stands there, and reports beside them.

import { OptionError } from "../errors.ts";
import type { Measure } from "../op/layer.ts";
import { metrics } from "../op/metrics.ts";
import { emit, type Graph } from "./graph.ts";
import type { Left } from "./term.ts";

/** What is told with the loss: of a part of it its share, and the part of its labels that are hit; of a metric one of both. */
export interface Report extends Pick<Measure, "finish"> {
  readonly name: string;
  readonly tells: "loss" | Measure["tells"];
  /** Labels of a sample, of which some are hit; 0 where there are none. */
  readonly labels: number;
}

/** A report with the rows that it is made of. */
export interface Made extends Report, Left {}

/** Layers of the trainer, behind whose alarms reports stand, and reports and counts that there is room for. Default: as many as there are. */
export interface Room {
  readonly layers: number;
  readonly room: number | undefined;
  readonly counts: number | undefined;
}

/** Metrics of losses and of what is a report alone; gives the reports. */
export function measure(
  graph: Graph,
  { layers, room }: Omit<Room, "counts">,
  losses: readonly Made[],
  extra: readonly Made[],
): Report[] {
  const told = [...losses.filter(({ name }) => name !== ""), ...extra];
  const names = told.flatMap(({ name, tells, labels }) =>
    tells === "loss" && labels > 0 ? [name, `${name}.accuracy`] : [name],
  );
  if (room !== undefined && told.length > room) {
    throw new OptionError(
      `report: here are ${told.length} reports, a step in training has ${room}. Report the same in each mode, whatever is frozen.`,
    );
  }
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new OptionError(`report: "${twice}" is told twice. Give each report a name of its own.`);
  for (const [i, one] of [...losses, ...extra].entries()) {
    const report = told.indexOf(one);
    const attributes = {
      ...(i > 0 && { later: true }),
      ...(i >= losses.length && { silent: true }),
      ...(report >= 0 && { report, reports: room ?? told.length, layers }),
    };
    emit(graph, metrics, { rows: one.rows }, attributes);
  }
  return told.map(({ rows: _, ...report }) => report);
}
