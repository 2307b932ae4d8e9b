// Rows of a table by their numbers, and the gradient of the table.

import source from "../../shaders/embedding.wgsl?raw";
import backwardSource from "../../shaders/embedding-backward.wgsl?raw";
import step from "../../shaders/parts/step.wgsl?raw";
import chainsSource from "../../shaders/token-chains.wgsl?raw";
import { checkPart } from "./check.ts";
import { epilogue } from "./epilogue.ts";
import { threads } from "./kernel.ts";
import { defineOp, type Kernel, type Op, type Work } from "./op.ts";
import { splitsForTokens } from "./split.ts";
import { sumPartials } from "./sum.ts";
import { dims, size, type Tensor } from "./tensor.ts";

/** Numbers of a workgroup. */
const numbersOf = (columns: number): number => (columns % 4 === 0 ? 256 : 64);

/** What both kernels of rows share: a thread for each number of a row of what is written, or for four. */
function rows({ all, epilogue: steps }: Work, written: Tensor) {
  const columns = written.shape.at(-1) as number;
  const lanes = columns % 4 === 0 ? 4 : 1;
  const end = epilogue(steps, all, { lanes, columns, aligned: lanes === 4 });
  const length = size(written.shape) / lanes;
  return {
    lanes,
    end,
    constants: { LENGTH: length, LANES: columns / lanes },
    grid: threads(length),
  } as const;
}

/** y [.., C]: for each of the `ids` [..] its row of the `table` [rows, C]. */
export const embedding: Op<"ids" | "table", "y"> = defineOp({
  name: "embedding",
  inputs: ["ids", "table"],
  integers: ["ids"],
  outputs: ["y"],
  refuse({ ids: { classes = 0 }, table }) {
    const [rows = 0] = table.shape;
    if (table.shape.length !== 2) return `its table is [${table.shape}], it must be [rows, units].`;
    return classes > rows
      ? `its input has classes 0 to ${classes - 1}, the table ${rows} rows. Give a row for each class.`
      : undefined;
  },
  shape: ({ ids, table }) => ({ y: { shape: [...ids.shape, table.shape[1] as number] } }),
  back({ ids, table, dy }, { give, emit }) {
    give("table", () => {
      const rows = table.shape[0] as number;
      const splits = splitsForTokens(size(ids.shape), rows);
      const { next, head } = emit(tokenChains, { ids }, { rows, splits });
      const parts = emit(embeddingBackward, { dy, next, head }, { splits }).dtable;
      return splits === 1 ? parts : emit(sumPartials, { x: parts }).y;
    });
  },
  kernel: {
    name: "embedding",
    source,
    beside: true,
    lines({ tensors: { y } }) {
      const columns = y.shape.at(-1) as number;
      return numbersOf(columns) % columns === 0 ? columns : undefined;
    },
    choose(work) {
      const { ids, table, y } = work.tensors;
      const { lanes, end, constants, grid } = rows(work as Work, y);
      return {
        holes: { EPILOGUE: end.text, WIDTH: lanes },
        tensors: { ids, table, y, ...end.tensors },
        lines: numbersOf(y.shape.at(-1) as number),
        note: `${dims(table)} by ${dims(ids)}${end.note}`,
        ...{ constants, grid },
      };
    },
  },
  takesEpilogue: true,
});

/** So many threads share the tokens of a part at most. */
const MOST_THREADS = 4096;

/** Threads that a software adapter runs as one. */
const LANES_OF_CPU = 4;

/**
 * The tokens of each row as lists: `next` [tokens], the token after each, and `head` [rows], or [splits, rows], the first of each row; 2^32 - 1
 * stands where there is none.
 */
export const tokenChains = defineOp({
  name: "tokenChains",
  inputs: ["ids"],
  integers: ["ids"],
  outputs: ["next", "head"],
  shape: ({ ids }, { rows, splits }: { readonly rows: number; readonly splits: number }) => ({
    next: { shape: [size(ids.shape)], dtype: "u32" },
    head: { shape: splits === 1 ? [rows] : [splits, rows], dtype: "u32" },
  }),
  kernel: {
    name: "token-chains",
    source: chainsSource,
    beside: true,
    choose({ tensors: { ids, head }, attributes, device: { software } }) {
      const { rows, splits } = attributes as { readonly rows: number; readonly splits: number };
      const tokens = size(ids.shape);
      const height = Math.ceil(tokens / splits);
      // Each thread looks at all tokens of its part, which costs a CPU time; on a GPU threads without rows of their own have nothing to do.
      const shared = software ? LANES_OF_CPU : 2 ** Math.ceil(Math.log2(Math.min(height, rows, MOST_THREADS)));
      return {
        holes: { STEP: step },
        constants: {
          THREADS: shared,
          TOKENS: tokens,
          HEIGHT: height,
          WIDTH: tokens / (ids.shape[0] as number),
          ROWS: rows,
          SPLITS: splits,
        },
        grid: threads(splits * shared),
        note: `${dims(ids)} in ${dims(head)}`,
      };
    },
  } satisfies Kernel<"ids" | "next" | "head">,
});

/** The gradient of the table: [rows, C], or [splits, rows, C], which `sumPartials` adds up. */
export const embeddingBackward = defineOp({
  name: "embeddingBackward",
  inputs: ["dy", "next", "head"],
  integers: ["next", "head"],
  outputs: ["dtable"],
  shape: ({ dy, head }, _: { readonly splits: number }) => ({
    dtable: { shape: [...head.shape, dy.shape.at(-1) as number] },
  }),
  kernel: {
    name: "embedding-backward",
    source: backwardSource,
    beside: true,
    choose(work) {
      const { dy, next, head, dtable } = work.tensors;
      const { lanes, end, constants, grid } = rows(work as Work, dtable);
      return {
        holes: {
          EPILOGUE: end.text,
          CHECK: checkPart(work.checked),
          WIDTH: lanes,
          ASK: lanes === 4 ? "check" : "check_one",
        },
        tensors: { dy, next, head, dtable, ...end.tensors },
        note: `${dims(dy)} to ${dims(dtable)}${end.note}`,
        ...{ constants, grid },
      };
    },
  },
  takesEpilogue: true,
});
