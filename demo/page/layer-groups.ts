// The layers of a network by the first part of their names, for tables that would be too long: what is done to a group is done to
// each of its layers.

import type { LayerRow } from "../../src/index.ts";
import type { Stats } from "./layers.ts";

type Seen = Stats["layers"][number];

const groupOf = (name: string): string => name.split(".")[0] as string;

function groups<T extends { readonly name: string }>(layers: readonly T[]): Map<string, T[]> {
  const found = new Map<string, T[]>();
  for (const layer of layers) found.set(groupOf(layer.name), [...(found.get(groupOf(layer.name)) ?? []), layer]);
  return found;
}

const sum = <T>(all: readonly T[], of: (one: T) => number): number => all.reduce((total, one) => total + of(one), 0);
const length = <T>(all: readonly T[], of: (one: T) => number): number => Math.sqrt(sum(all, (one) => of(one) ** 2));

/** A row for each group: rates as its first layer has them, active where any layer is. */
export const groupedRows = (rows: readonly LayerRow[]): LayerRow[] =>
  [...groups(rows)].map(([name, members]) => {
    const first = members.find(({ state }) => state === "active") ?? (members[0] as LayerRow);
    return { ...first, name, parameterCount: sum(members, ({ parameterCount }) => parameterCount) };
  });

/** What the layers of each group did together: lengths are those of all their numbers in one vector. */
export const groupedStats = ({ step, layers }: Stats): Stats => ({
  step,
  layers: [...groups(layers)].map(([name, members]) => {
    const weight = length(members, (one) => one.weight);
    return {
      ...(members[0] as Seen),
      name,
      weight,
      gradient: length(members, ({ gradient }) => gradient),
      ratio: weight === 0 ? 0 : length(members, (one) => one.ratio * one.weight) / weight,
      nonFinite: sum(members, ({ nonFinite }) => nonFinite),
    };
  }),
});
