// The product of matrices that are stored as they are or transposed.

import source from "../../shaders/product/matmul.wgsl?raw";
import { defineOp } from "./op.ts";
import { keepsInner, productKernel } from "./product.ts";
import { given } from "./request.ts";
import { splitsFor } from "./split.ts";
import { sumPartials } from "./sum.ts";
import { dims, size, type Tensor } from "./tensor.ts";

type Form = {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  readonly splits?: number;
};

type Matrix = readonly [rows: number, columns: number];

/** Lengths of the matrices that stand in an operand, or of what they are when they are transposed. */
const matrixOf = ({ shape }: Tensor, transposed = false): Matrix => {
  const [rows, columns] = shape.slice(-2) as unknown as Matrix;
  return transposed ? [columns, rows] : [rows, columns];
};

/** The leading axes, which number the matrices. */
const leading = ({ shape }: Tensor): readonly number[] => shape.slice(0, -2);

const kernel = productKernel("matmul", source, ({ tensors: { a, b }, attributes }) => {
  const { transposeA = false, transposeB = false } = attributes as Form;
  const [M, K] = matrixOf(a, transposeA);
  const [, N] = matrixOf(b, transposeB);
  const rows = [a.shape.at(-1)!, b.shape.at(-1)!] as const;
  return {
    ...{ M, N, K, transposeA, transposeB, rows, groups: size(leading(a)) },
    apart: [M * K, K * N, M * N],
    line: N,
    constants: { LINE_A: rows[0] },
    note: `${dims(a)}${transposeA ? "^T" : ""} x ${dims(b)}${transposeB ? "^T" : ""}`,
  };
});

/**
 * C = A B, where A is [.., M, K] or, transposed, [.., K, M], and B is [.., K, N] or, transposed, [.., N, K], with the same leading
 * axes: matrix by matrix. With `splits` > 1 the result is [splits, .., M, N]: partial sums over K that `sumPartials` adds up.
 */
export const matmul = defineOp({
  name: "matmul",
  inputs: ["a", "b"],
  outputs: ["c", "sum"],
  attributes: { transposeA: [false], transposeB: [false] },
  refuse({ a, b }, { transposeA, transposeB }: Form) {
    const fits = matrixOf(a, transposeA)[1] === matrixOf(b, transposeB)[0];
    return fits && a.shape.length >= 2 && String(leading(a)) === String(leading(b)) && a.shape.length === b.shape.length
      ? undefined
      : `${given(a, b)} Give matrices, with as many columns in the first as rows in the second once they are transposed.`;
  },
  shape({ a, b }, { transposeA, transposeB, splits = 1 }) {
    const shape = [...leading(a), matrixOf(a, transposeA)[0], matrixOf(b, transposeB)[1]];
    return { c: { shape: splits === 1 ? shape : [splits, ...shape] } };
  },
  /** dA = dC B^T and dB = A^T dC; for an operand that is stored transposed, the transposed product. */
  back({ a, b, dc }, { attributes: { transposeA = false, transposeB = false }, give, emit }) {
    const product = (left: Tensor, right: Tensor, form: Form): Tensor => emit(matmul, { a: left, b: right }, form).c;
    // The second's first: as a rule it is a weight, and then the memory of the first is free for what comes back from here.
    give("b", () => {
      const splits = splitsFor(size(b.shape.slice(0, -1)), b.shape.at(-1)!, dc!.shape.at(-2)!);
      const partial = transposeB
        ? product(dc!, a, { transposeA: true, transposeB: transposeA, splits })
        : product(a, dc!, { transposeA: !transposeA, splits });
      return splits === 1 ? partial : emit(sumPartials, { x: partial }).y;
    });
    give("a", () =>
      transposeA
        ? product(b, dc!, { transposeA: transposeB, transposeB: true })
        : product(dc!, b, { transposeB: !transposeB }),
    );
  },
  work: ({ a, b }, { transposeB }) => size(a.shape) * matrixOf(b, transposeB)[1],
  kernel,
  takesEpilogue: true,
  keepsInner,
  sumsColumns: ({ transposeA, transposeB }, { shape }) =>
    transposeA === true && transposeB !== true && shape.length === 2,
});
