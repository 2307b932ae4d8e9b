// The rows as a table: networks, kernels, and what the adapter gives.

import { digits } from "../bench/columns.ts";
import type { Findings } from "../bench/report.ts";
import { bestOf, roofKinds } from "../bench/roofline/roof.ts";
import { find, make } from "../page/element.ts";
import { NONE } from "../page/number.ts";

const titles = ["Row", "Median", "Fastest", "Slowest", "Unit", "Dispatches", "Submits", "Roofline", "Over it"];

const known = (value: number | undefined): string => (value === undefined ? NONE : digits(value));
const counted = (value: number | undefined): string =>
  value === undefined ? NONE : Number.isInteger(value) ? `${value}` : value.toFixed(1);

/** Cells of all rows. */
function cellsOf({ roofline, rows, kernels }: Findings): string[][] {
  const over = (time: number, least: number | undefined): string =>
    known(least === undefined ? undefined : time / least);
  return [
    ...roofKinds.flatMap((kind) => {
      const best = bestOf(roofline, kind);
      return best === undefined
        ? []
        : [[kind, digits(best.value), digits(best.best), digits(best.worst), best.unit, NONE, NONE, NONE, NONE]];
    }),
    ...rows.map(({ workload, msMedian, msMin, msMax, perStep, msRoofline }) => [
      ...[workload, digits(msMedian), digits(msMin), digits(msMax), "ms a step"],
      ...[counted(perStep?.dispatches), counted(perStep?.submits), known(msRoofline), over(msMedian, msRoofline)],
    ]),
    ...kernels.map(({ kernel, form, msMedian, msMin, msMax, msRoofline }) => [
      ...[`${kernel} ${form}`, digits(msMedian), digits(msMin), digits(msMax), "ms", NONE, NONE],
      ...[known(msRoofline), over(msMedian, msRoofline)],
    ]),
  ];
}

const isWords = (column: number): string => (column === 0 || column === 4 ? "words" : "");

export function showRows(findings: Findings): void {
  const head = make(
    "thead",
    "",
    make(
      "tr",
      "",
      ...titles.map((title, i) => {
        const cell = make("th", isWords(i), title);
        cell.scope = "col";
        return cell;
      }),
    ),
  );
  const body = cellsOf(findings).map((cells) =>
    make("tr", "", ...cells.map((cell, i) => make("td", isWords(i), cell))),
  );
  find("#rows", HTMLTableElement).replaceChildren(head, make("tbody", "", ...body));
}
