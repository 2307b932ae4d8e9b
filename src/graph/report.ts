// What is told of a step: its losses, each after the first added to what stands there, and reports beside them.

import { OptionError } from "../errors.ts";
import { metrics } from "../op/metrics.ts";
import type { Tensor } from "../op/tensor.ts";
import { emit, type Graph } from "./graph.ts";

/** A number that is told with the loss. */
export interface Report {
  readonly name: string;
  /** Labels of a sample, of which some are hit; 0 where there are none. */
  readonly labels: number;
}

/** A report with the rows that it is the mean of. */
export interface Made extends Report {
  readonly rows: Tensor;
}

/** Layers of the trainer, behind whose alarms reports stand, and reports that a step has room for. */
export interface Room {
  readonly layers: number;
  readonly room: number | undefined;
}

/** Metrics of losses and of what is a report alone; gives the reports. */
export function measure(
  graph: Graph,
  { layers, room }: Room,
  losses: readonly Made[],
  extra: readonly Made[],
): Report[] {
  const told = [...losses.filter(({ name }) => name !== ""), ...extra];
  const names = told.flatMap(({ name, labels }) => (labels > 0 ? [name, `${name}.accuracy`] : [name]));
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
  return told.map(({ name, labels }) => ({ name, labels }));
}
