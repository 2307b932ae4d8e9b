// The op table: one row per op, found by name.

import { bug } from "../errors.ts";
import { elementwiseOps } from "./elementwise.ts";
import { lossOps } from "./loss.ts";
import { matmulOps } from "./matmul.ts";
import type { Op } from "./op.ts";
import { windowOps } from "./window.ts";

export const opTable: ReadonlyMap<string, Op> = new Map(
  [...lossOps, ...matmulOps, ...windowOps, ...elementwiseOps].map((op) => [op.name, op]),
);

export function opOf(name: string): Op {
  return opTable.get(name) ?? bug(`there is no op "${name}"`);
}
