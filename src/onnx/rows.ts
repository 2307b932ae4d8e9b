// All operators that are read, one row each; docs/onnx.md is made of these tables.

import { folds } from "./fold.ts";
import type { Row } from "./live.ts";
import { elementwise } from "./row/elementwise.ts";
import { move } from "./row/move.ts";
import { other } from "./row/other.ts";
import { product } from "./row/product.ts";
import { reduce } from "./row/reduce.ts";
import { resizing } from "./row/resize.ts";
import { window } from "./row/window.ts";

/** Operators on values that flow. */
export const rows: Readonly<Record<string, Row>> = {
  ...elementwise,
  ...move,
  ...other,
  ...product,
  ...reduce,
  ...resizing,
  ...window,
};

/** Names of all operators: those on values, those on constants alone, and the one that has graphs. */
export const known = (): readonly string[] => [...new Set([...Object.keys(rows), ...Object.keys(folds), "If"])].sort();
