// Rows of the op table for products of matrices and for the sums that go with them.

import type { Tensor } from "./graph.ts";
import type { Op } from "./op.ts";
import { splitsFor } from "./split.ts";

/**
 * C = A B, where A is [M, K] or, transposed, [K, M], and B is [K, N] or, transposed, [N, K].
 * With `splits` > 1 the result is [splits, M, N]: partial sums over K that `sumPartials` adds up.
 */
const matmul: Op = {
  name: "matmul",
  arity: 2,
  outputs([a, b], { transposeA, transposeB, splits = 1 }) {
    const rows = a!.shape[transposeA === true ? 1 : 0]!;
    const columns = b!.shape[transposeB === true ? 0 : 1]!;
    return [{ shape: splits === 1 ? [rows, columns] : [splits as number, rows, columns] }];
  },
  /** dA = dC B^T and dB = A^T dC; for an operand that is stored transposed, the transposed product. */
  backward(b) {
    const [x, w] = b.inputs as [Tensor, Tensor];
    const dy = b.dy as Tensor;
    const transposeA = b.node.attributes.transposeA === true;
    const transposeB = b.node.attributes.transposeB === true;
    if (b.wants(0)) {
      const dx = transposeA
        ? b.emit("matmul", [w, dy], { transposeA: transposeB, transposeB: true })
        : b.emit("matmul", [dy, w], { transposeB: !transposeB });
      b.give(0, dx);
    }
    if (b.wants(1)) {
      const splits = splitsFor(w.shape[0]!, w.shape[1]!, dy.shape[0]!);
      const partial = transposeB
        ? b.emit("matmul", [dy, x], { transposeA: true, transposeB: transposeA, splits })
        : b.emit("matmul", [x, dy], { transposeA: !transposeA, splits });
      b.give(1, splits === 1 ? partial : b.emit("sumPartials", [partial]));
    }
  },
  kernel: "matmul",
  takesEpilogue: true,
};

/** [..., N] -> [N]: the sum over everything but the last axis; the gradient of a bias. With `splits` > 1 [splits, N]. */
const columnSum: Op = {
  name: "columnSum",
  arity: 1,
  outputs: ([x], { splits = 1 }) => [{ shape: [...(splits === 1 ? [] : [splits as number]), x!.shape.at(-1)!] }],
  backward: null, // it is itself part of a backward pass
  kernel: "column-sum",
};

/** [S, ...] -> [...]: adds the partial results of a split sum, in the order of S. */
const sumPartials: Op = {
  name: "sumPartials",
  arity: 1,
  outputs: ([x]) => [{ shape: x!.shape.slice(1) }],
  backward: null, // it is itself part of a backward pass
  kernel: "sum-partials",
};

/** The same numbers under another shape, given as "64x784". */
const reshape: Op = {
  name: "reshape",
  arity: 1,
  outputs: (_, { shape }) => [{ shape: String(shape).split("x").map(Number), viewOf: 0 }],
  backward(b) {
    if (b.wants(0)) b.give(0, b.emit("reshape", [b.dy!], { shape: b.inputs[0]!.shape.join("x") }));
  },
  kernel: null,
};

export const matmulOps: readonly Op[] = [matmul, columnSum, sumPartials, reshape];
